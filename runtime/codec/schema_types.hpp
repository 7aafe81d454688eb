#pragma once

// JSON Schema's types as bits. Private to this folder.

#include <array>
#include <cstdint>
#include <string_view>

namespace limpet::codec {

enum TypeBit : uint8_t {
  type_null = 1,
  type_boolean = 2,
  type_integer = 4,
  type_number = 8,  // an integer has this bit and its own
  type_string = 16,
  type_array = 32,
  type_object = 64,
  type_bytes = 128,  // CBOR's byte strings: kept only by schemas without a type
};

struct TypeName {
  std::string_view name;
  TypeBit bit;
  std::string_view in_a_sentence;
};

inline constexpr std::array type_names = {
    TypeName{"null", type_null, "null"},
    TypeName{"boolean", type_boolean, "a boolean"},
    TypeName{"integer", type_integer, "an integer"},
    TypeName{"number", type_number, "a number"},
    TypeName{"string", type_string, "a string"},
    TypeName{"array", type_array, "an array"},
    TypeName{"object", type_object, "an object"},
};

}  // namespace limpet::codec
