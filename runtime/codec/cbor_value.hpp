#pragma once

// Small CBOR maps in one expression, for the data of our own events and answers. Allocates; not for
// the event path. [any]
//
//   ByteVector data = cbor_map({{"tool", name}, {"attempt", 2}, {"value", CborRaw{item}}});

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/bytes.hpp"

namespace limpet::codec {

struct CborRaw {
  ByteSpan item;  // one well-formed item; empty: null
};

// A scalar, or bytes that already are CBOR. Borrows text and bytes for the expression it stands in.
class CborScalar {
 public:
  CborScalar(std::nullptr_t) {}
  CborScalar(std::string_view text) : value_(text) {}
  CborScalar(const std::string& text) : value_(std::string_view(text)) {}
  CborScalar(const char* text) : value_(std::string_view(text)) {}
  CborScalar(ByteSpan bytes) : value_(bytes) {}
  CborScalar(const ByteVector& bytes) : value_(ByteSpan(bytes)) {}
  CborScalar(CborRaw raw) : value_(raw) {}
  CborScalar(double number) : value_(number) {}
  template <class Integer>
  requires(std::is_integral_v<Integer>) CborScalar(Integer value) : value_(widen(value)) {}

  using Value = std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string_view,
                             ByteSpan, CborRaw>;
  [[nodiscard]] const Value& value() const { return value_; }

 private:
  template <class Integer>
  static Value widen(Integer value) {
    if constexpr (std::is_same_v<Integer, bool>) {
      return value;
    } else if constexpr (std::is_signed_v<Integer>) {
      return static_cast<int64_t>(value);
    } else {
      return static_cast<uint64_t>(value);
    }
  }

  Value value_ = nullptr;
};

struct CborField {
  std::string_view key;
  CborScalar value;
};

// A map of the fields in their order.
[[nodiscard]] ByteVector cbor_map(std::initializer_list<CborField> fields);
// An array of the values in their order.
[[nodiscard]] ByteVector cbor_array(std::initializer_list<CborScalar> values);
// One item.
[[nodiscard]] ByteVector cbor_item(const CborScalar& value);

}  // namespace limpet::codec
