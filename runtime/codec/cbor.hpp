#pragma once

// CBOR (RFC 8949) in and out of the caller's memory: nothing here touches the heap.
// Owner: the caller, who owns the bytes too. Thread: one at a time per object.
//
// Limpet's profile, which `validate` checks and the writer keeps: definite lengths; integers from
// -2^63 to 2^64-1; text in UTF-8; keys are text or integers; floats of any width; true, false,
// null. No tags, no `undefined` and no indefinite lengths: what is stored and handed to plugins
// then has one meaning, and every reader can count its items beforehand. Equal keys pass.
// Limits: limits::nesting_depth_max containers inside each other.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace limpet::codec {

// Appends items to a buffer. What does not fit sets an error that stays: write on, ask once.
//   CborWriter writer(buffer);
//   writer.map(1); writer.text("level"); writer.number(21.5);
//   LIMPET_TRY(ByteSpan item, writer.finish());
class CborWriter {
 public:
  explicit CborWriter(std::span<uint8_t> buffer) : buffer_(buffer) {}

  void map(size_t pair_count);  // then key, value, key, value ...
  void array(size_t item_count);
  void uint(uint64_t value);
  void integer(int64_t value);
  void text(std::string_view text);  // REQUIRES: UTF-8
  void bytes(ByteSpan bytes);
  void boolean(bool value);
  void null();
  void number(double value);    // in four bytes if they hold it exactly, else in eight
  void raw(ByteSpan one_item);  // REQUIRES: one well-formed item

  [[nodiscard]] bool ok() const { return !overflow_; }
  // What was written so far, within the caller's buffer. Errors: too_large.
  [[nodiscard]] Result<ByteSpan> finish() const;

 private:
  void advance(size_t written);
  void append(ByteSpan bytes);
  [[nodiscard]] uint8_t* next() { return buffer_.data() + size_; }
  [[nodiscard]] size_t room() const { return buffer_.size() - size_; }

  std::span<uint8_t> buffer_;
  size_t size_ = 0;
  bool overflow_ = false;
};

// The bytes of an item's first part: what a count or length of `value` costs. [any, no-alloc]
[[nodiscard]] constexpr size_t cbor_head_size(uint64_t value) {
  return value < 24 ? 1 : value <= 0xff ? 2 : value <= 0xffff ? 3 : value <= 0xffffffff ? 5 : 9;
}

enum class CborKind : uint8_t { uint, negative, bytes, text, array, map, boolean, null, number };

// Takes items off a buffer in order. A read of another kind than is there, a truncated item and
// anything outside the profile set an error that stays; from then on every read answers nothing
// (0, "", false). Views point into the buffer. UTF-8 is checked by `validate` only.
class CborReader {
 public:
  explicit CborReader(ByteSpan bytes LIMPET_LIFETIMEBOUND) : bytes_(bytes) {}

  // The kind of the next item; nullopt at the end, or when it is not well formed (see finish).
  [[nodiscard]] std::optional<CborKind> peek() const;

  // Counts never exceed the bytes that are left, so a loop over them is bounded by the input.
  size_t map();    // pairs that follow
  size_t array();  // items that follow
  uint64_t uint();
  int64_t integer();  // also of a uint up to 2^63-1
  std::string_view text();
  ByteSpan bytes();
  bool boolean();
  void null();
  double number();  // also of an integer, rounded

  void skip();      // the next item whole
  ByteSpan item();  // the next item whole, as its bytes

  [[nodiscard]] bool ok() const { return error_ == nullptr; }
  [[nodiscard]] bool at_end() const { return offset_ == bytes_.size(); }
  // The bytes taken so far; after an error, up to the item at fault.
  [[nodiscard]] size_t offset() const { return offset_; }
  // Success if every read succeeded and nothing is left. Errors: invalid.
  [[nodiscard]] Result<void> finish() const;

 private:
  struct Token;
  [[nodiscard]] Token look() const;
  Token take(CborKind kind, const char* otherwise);
  void consume(const Token& token);
  size_t enter(const Token& token);
  void fail(const char* reason);

  ByteSpan bytes_;
  size_t offset_ = 0;
  const char* error_ = nullptr;  // a string literal
  // Items still to come in each open container, outermost first.
  std::array<uint32_t, limits::nesting_depth_max> pending_{};
  size_t depth_ = 0;

  friend Result<void> validate_depth(ByteSpan item, size_t depth_max);
};

// Is `item` exactly one item of the profile above? [any, no-alloc]
// Errors: invalid, with what is wrong.
[[nodiscard]] Result<void> validate(ByteSpan item);

// The same for an item that comes from outside and goes into maps of ours: at most
// limits::item_depth_max containers inside each other. [any, no-alloc]
[[nodiscard]] Result<void> validate_item(ByteSpan item);

}  // namespace limpet::codec
