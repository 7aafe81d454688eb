#include <cmath>

#include "codec/cbor.hpp"
#include "codec/schema.hpp"
#include "codec/schema_types.hpp"

namespace limpet::codec {

namespace {

// One scalar as it was read; text borrows from the item.
struct Read {
  uint8_t type = 0;  // bits
  bool truth = false;
  double number = 0;
  std::string_view text;
};

Read read_number(double number, bool whole) {
  Read read;
  read.type = static_cast<uint8_t>(whole ? type_integer | type_number : type_number);
  read.number = number;
  return read;
}

Read read_scalar(CborReader& reader, CborKind kind) {
  if (kind == CborKind::uint || kind == CborKind::negative) {
    return read_number(reader.number(), true);
  }
  if (kind == CborKind::number) {
    const double number = reader.number();
    return read_number(number, std::isfinite(number) && std::trunc(number) == number);
  }
  Read read;
  if (kind == CborKind::text) {
    read.type = type_string;
    read.text = reader.text();
  } else if (kind == CborKind::boolean) {
    read.type = type_boolean;
    read.truth = reader.boolean();
  } else {
    read.type = kind == CborKind::null ? type_null : type_bytes;
    reader.skip();
  }
  return read;
}

size_t character_count(std::string_view utf8) {
  size_t count = 0;
  for (const char character : utf8) {
    if ((static_cast<uint8_t>(character) & 0xc0) != 0x80) ++count;
  }
  return count;
}

// "/" and "~" in a name, as a JSON pointer writes them; cut, since the value may be anyone's.
std::string pointer_part(std::string_view name) {
  constexpr size_t shown_bytes_max = 64;
  std::string part("/");
  for (const char character : name.substr(0, shown_bytes_max)) {
    const bool printable = character >= 0x20 && character < 0x7f;
    if (character == '~' || character == '/') {
      part.append(character == '~' ? "~0" : "~1");
    } else {
      part.push_back(printable ? character : '?');
    }
  }
  return part;
}

// A problem reads "<place>: <what>"; each level puts its part in front.
std::string here(std::string_view what) { return std::string(": ").append(what); }

std::string shown_number(double number) {
  std::string text = std::to_string(number);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string wrong_type(uint8_t wanted) {
  std::string text;
  for (const TypeName& type : type_names) {
    if ((wanted & type.bit) == 0) continue;
    text.append(text.empty() ? "" : " or ").append(type.in_a_sentence);
  }
  return text.empty() ? here("is not allowed") : here("is not " + text);
}

template <class Scalar>
bool same(const Scalar& choice, const Read& value) {
  if (const auto* text = std::get_if<std::string>(&choice)) {
    return value.type == type_string && *text == value.text;
  }
  if (const auto* number = std::get_if<double>(&choice)) {
    return (value.type & type_number) != 0 && *number == value.number;
  }
  if (const auto* truth = std::get_if<bool>(&choice)) {
    return value.type == type_boolean && *truth == value.truth;
  }
  return value.type == type_null;
}

template <class Node>
std::optional<std::string> check_scalar(const Node& node, const Read& value) {
  if ((node.types & value.type) == 0) return wrong_type(node.types);
  if ((value.type & type_number) != 0) {
    const bool low =
        value.number < node.minimum || (node.minimum_exclusive && value.number == node.minimum);
    const bool high =
        value.number > node.maximum || (node.maximum_exclusive && value.number == node.maximum);
    if (low) return here("is less than allowed: " + shown_number(node.minimum));
    if (high) return here("is more than allowed: " + shown_number(node.maximum));
  }
  if (value.type == type_string) {
    const size_t length = character_count(value.text);
    if (length < node.length_min) return here("is shorter than allowed");
    if (length > node.length_max) return here("is longer than allowed");
  }
  if (!node.has_choices) return std::nullopt;
  for (const auto& choice : node.choices) {
    if (same(choice, value)) return std::nullopt;
  }
  return here("is not one of the values allowed");
}

}  // namespace

Schema::Problem Schema::check_item(NodeIndex index, CborReader& reader) const {
  const Node& node = nodes_[index];
  const CborKind kind = reader.peek().value_or(CborKind::null);
  if (kind != CborKind::map && kind != CborKind::array) {
    return check_scalar(node, read_scalar(reader, kind));
  }
  if (node.has_choices) return here("is not one of the values allowed");
  return kind == CborKind::map ? check_map(node, reader) : check_array(node, reader);
}

Schema::Problem Schema::check_map(const Node& node, CborReader& reader) const {
  if ((node.types & type_object) == 0) return wrong_type(node.types);
  uint64_t seen = 0;
  static_assert(properties_max == 64, "one bit each");
  const size_t count = reader.map();
  for (size_t index = 0; index < count; ++index) {
    if (reader.peek() != CborKind::text) return here("has a key that is not text");
    const std::string_view name = reader.text();
    NodeIndex inner = node.additional;
    for (size_t known = 0; known < node.properties.size(); ++known) {
      const Property& property = node.properties[known];
      if (property.name != name) continue;
      if ((seen >> known & 1) != 0) return pointer_part(name) + here("is given twice");
      seen |= uint64_t{1} << known;
      if (property.node != 0) inner = property.node;
    }
    Problem problem = check_item(inner, reader);
    if (problem) return pointer_part(name) + *problem;
  }
  for (size_t known = 0; known < node.properties.size(); ++known) {
    const Property& property = node.properties[known];
    if (property.required && (seen >> known & 1) == 0) {
      return pointer_part(property.name) + here("is missing");
    }
  }
  return std::nullopt;
}

Schema::Problem Schema::check_array(const Node& node, CborReader& reader) const {
  if ((node.types & type_array) == 0) return wrong_type(node.types);
  const size_t count = reader.array();
  if (count < node.items_min) return here("has fewer items than allowed");
  if (count > node.items_max) return here("has more items than allowed");
  for (size_t index = 0; index < count; ++index) {
    Problem problem = check_item(node.items, reader);
    if (problem) return "/" + std::to_string(index) + *problem;
  }
  return std::nullopt;
}

std::optional<Refusal> Schema::check(ByteSpan item) const {
  const Result<void> valid = validate(item);
  if (!valid) return Refusal{valid.error(), "the value is not valid CBOR"};
  CborReader reader(item);
  Problem problem = check_item(static_cast<NodeIndex>(nodes_.size() - 1), reader);
  if (!problem) return std::nullopt;
  std::string detail =
      problem->starts_with(": ") ? "the value " + problem->substr(2) : "at " + *problem;
  return Refusal{{ErrorCode::invalid, "schema: the value does not keep it"}, std::move(detail)};
}

}  // namespace limpet::codec
