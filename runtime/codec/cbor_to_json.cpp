#include <array>
#include <charconv>
#include <cmath>

#include "codec/base64.hpp"
#include "codec/cbor.hpp"
#include "codec/json.hpp"

namespace limpet::codec {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_integer(std::string& out, CborReader& reader, CborKind kind) {
  std::array<char, 24> digits{};
  const std::to_chars_result end =
      kind == CborKind::uint
          ? std::to_chars(digits.data(), digits.data() + digits.size(), reader.uint())
          : std::to_chars(digits.data(), digits.data() + digits.size(), reader.integer());
  out.append(digits.data(), end.ptr);
}

// The shortest text that reads back as the same double, and as a double: 1.0, not 1.
void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  std::array<char, 32> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view text(digits.data(), static_cast<size_t>(end - digits.data()));
  out.append(text);
  if (text.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

void append_item(std::string& out, CborReader& reader);

void append_map(std::string& out, CborReader& reader) {
  const size_t count = reader.map();
  out.push_back('{');
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    if (index > 0) out.push_back(',');
    const std::optional<CborKind> kind = reader.peek();
    if (kind == CborKind::text) {
      append_json_text(out, reader.text());
    } else {
      out.push_back('"');
      append_integer(out, reader, kind.value_or(CborKind::uint));
      out.push_back('"');
    }
    out.push_back(':');
    append_item(out, reader);
  }
  out.push_back('}');
}

void append_array(std::string& out, CborReader& reader) {
  const size_t count = reader.array();
  out.push_back('[');
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    if (index > 0) out.push_back(',');
    append_item(out, reader);
  }
  out.push_back(']');
}

// Recursion is as deep as the reader allows: limits::nesting_depth_max.
void append_item(std::string& out, CborReader& reader) {
  const std::optional<CborKind> kind = reader.peek();
  if (!kind) return reader.skip();  // keeps the error
  switch (*kind) {
    case CborKind::uint:
    case CborKind::negative: return append_integer(out, reader, *kind);
    case CborKind::bytes: out.append("\"").append(base64url(reader.bytes())).append("\""); return;
    case CborKind::text: return append_json_text(out, reader.text());
    case CborKind::array: return append_array(out, reader);
    case CborKind::map: return append_map(out, reader);
    case CborKind::boolean: out.append(reader.boolean() ? "true" : "false"); return;
    case CborKind::null:
      reader.null();
      out.append("null");
      return;
    case CborKind::number: return append_number(out, reader.number());
  }
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char character : text) {
    const auto byte = static_cast<uint8_t>(character);
    if (character == '"' || character == '\\') {
      out.push_back('\\');
      out.push_back(character);
    } else if (character == '\n') {
      out.append("\\n");
    } else if (character == '\t') {
      out.append("\\t");
    } else if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(hex_digits[byte >> 4]);
      out.push_back(hex_digits[byte & 15]);
    } else {
      out.push_back(character);
    }
  }
  out.push_back('"');
}

Result<void> append_json(std::string& out, ByteSpan item) {
  LIMPET_CHECK(validate(item));
  CborReader reader(item);
  append_item(out, reader);
  LIMPET_ASSERT(reader.finish().ok());  // validate said so
  return {};
}

Result<std::string> cbor_to_json(ByteSpan item) {
  std::string out;
  LIMPET_CHECK(append_json(out, item));
  return out;
}

}  // namespace limpet::codec
