#pragma once

// CborBuilder: one CBOR item of unknown size, grown in its own memory; for what comes in piece by
// piece from a text (JSON, TOML). The hot path uses CborWriter. Owner: the caller. Thread: [any].
// Fails with: too_large (bytes or nesting); the first failure stays.
// Limits: the bytes_max given; limits::nesting_depth_max containers inside each other.
//
// A container's count is known when it ends; its head is then inserted before its content. That
// moves each byte at most nesting_depth_max times and spares a second pass.

#include <array>
#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace limpet::codec {

class CborBuilder {
 public:
  explicit CborBuilder(size_t bytes_max) : bytes_max_(bytes_max) {}

  void null();
  void boolean(bool value);
  void integer(int64_t value);
  void uint(uint64_t value);
  void number(double value);
  void text(std::string_view text);  // also a map's key
  void bytes(ByteSpan bytes);
  void raw(ByteSpan one_item);  // REQUIRES: one well-formed item, of this profile's depth

  void begin_map();
  void begin_array();
  void end();  // REQUIRES: a container is open

  [[nodiscard]] bool ok() const { return error_ == nullptr; }
  // Is what was put in one whole item?
  [[nodiscard]] bool complete() const { return ok() && depth_ == 0 && !item_.empty(); }
  // The item; the builder is empty afterwards. Errors: too_large. REQUIRES: complete() or !ok().
  [[nodiscard]] Result<ByteVector> take();

 private:
  struct Open {
    size_t first = 0;  // offset of the first item inside
    size_t item_count = 0;
    bool is_map = false;
  };

  template <class Write>
  void scalar(size_t bytes_most, Write&& write);
  void begin(bool is_map);
  void fail(const char* reason);
  void count_item();

  ByteVector item_;
  size_t bytes_max_;
  std::array<Open, limits::nesting_depth_max> open_{};
  size_t depth_ = 0;
  const char* error_ = nullptr;  // a string literal
};

}  // namespace limpet::codec
