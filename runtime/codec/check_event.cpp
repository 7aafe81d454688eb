#include <array>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/records.hpp"
#include "codec/utf8.hpp"

namespace limpet::codec {

namespace {

Error invalid(const char* what) { return Error{ErrorCode::invalid, what}; }
Error too_large(const char* what) { return Error{ErrorCode::too_large, what}; }

bool is_letter_or_digit(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9');
}

bool has_control_character(std::string_view text) {
  for (const char character : text) {
    if (static_cast<uint8_t>(character) < 0x20 || character == 0x7f) return true;
  }
  return false;
}

struct Attribute {
  std::string_view text;
  const char* when_too_large;
  const char* when_invalid;
};

Result<void> check_attribute(const Attribute& attribute) {
  if (attribute.text.size() > limits::event_attribute_bytes_max) {
    return too_large(attribute.when_too_large);
  }
  if (!utf8_valid(attribute.text) || has_control_character(attribute.text)) {
    return invalid(attribute.when_invalid);
  }
  return {};
}

#define LIMPET_ATTRIBUTE(text, name)                                     \
  Attribute {                                                            \
    text, "event: `" name "` is longer than 512 bytes",                  \
        "event: `" name "` is not UTF-8 text without control characters" \
  }

// Answers the bytes of all text attributes together.
Result<size_t> check_attributes(const EventView& event) {
  static_assert(limits::event_attribute_bytes_max == 512, "the texts above name it");
  const std::array attributes = {
      LIMPET_ATTRIBUTE(event.source, "source"),
      LIMPET_ATTRIBUTE(event.id, "id"),
      LIMPET_ATTRIBUTE(event.subject, "subject"),
      LIMPET_ATTRIBUTE(event.content_type, "datacontenttype"),
      LIMPET_ATTRIBUTE(event.data_schema, "dataschema"),
      LIMPET_ATTRIBUTE(event.correlation, "correlationid"),
      LIMPET_ATTRIBUTE(event.causation, "causationid"),
      LIMPET_ATTRIBUTE(event.tenant, "tenant"),
      LIMPET_ATTRIBUTE(event.principal, "principal"),
      LIMPET_ATTRIBUTE(event.trace_parent, "traceparent"),
  };
  size_t bytes = event.type.size();
  for (const Attribute& attribute : attributes) {
    LIMPET_CHECK(check_attribute(attribute));
    bytes += attribute.text.size();
  }
  return bytes;
}

#undef LIMPET_ATTRIBUTE

bool extension_name_valid(std::string_view name) {
  if (name.empty() || name.size() > limits::event_type_bytes_max) return false;
  for (const char character : name) {
    if (!is_letter_or_digit(character) || (character >= 'A' && character <= 'Z')) return false;
  }
  return true;
}

// CloudEvents attributes are scalars, so extensions need no depth.
Result<void> check_extensions(ByteSpan extensions) {
  if (!validate(extensions)) return invalid("event: the extensions are not one CBOR item");
  CborReader reader(extensions);
  const size_t count = reader.map();
  if (!reader.ok()) return invalid("event: the extensions are not a map");
  for (size_t index = 0; index < count; ++index) {
    if (!extension_name_valid(reader.text())) {
      return invalid("event: an extension's name is not of a-z and 0-9");
    }
    const std::optional<CborKind> kind = reader.peek();
    if (kind == CborKind::map || kind == CborKind::array || kind == CborKind::null) {
      return invalid("event: an extension's value is neither text, number nor boolean");
    }
    reader.skip();
  }
  return {};
}

}  // namespace

bool event_type_valid(std::string_view type) {
  if (type.size() > limits::event_type_bytes_max) return false;
  bool segment_empty = true;
  for (const char character : type) {
    if (character == '.') {
      if (segment_empty) return false;
      segment_empty = true;
      continue;
    }
    const bool mark = character == '_' || character == '-' || character == ':' || character == '/';
    if (!mark && !is_letter_or_digit(character)) return false;
    segment_empty = false;
  }
  return !segment_empty;
}

Result<void> check_event(const EventView& event) {
  static_assert(limits::event_type_bytes_max == 128 && limits::event_data_bytes_max == 64 * 1024 &&
                    limits::event_attributes_bytes_max == 4 * 1024,
                "the texts below name them");
  if (event.type.empty()) return invalid("event: `type` is missing");
  if (event.type.size() > limits::event_type_bytes_max) {
    return too_large("event: `type` is longer than 128 bytes");
  }
  if (!event_type_valid(event.type)) {
    return invalid("event: `type` is not of letters, digits and _-:/ in segments divided by dots");
  }
  if (event.source.empty()) return invalid("event: `source` is missing");
  LIMPET_TRY(size_t bytes, check_attributes(event));
  bytes += event.extensions.size();
  if (bytes > limits::event_attributes_bytes_max) {
    return too_large("event: the attributes together are larger than 4 KiB");
  }
  if (!event.extensions.empty()) LIMPET_CHECK(check_extensions(event.extensions));
  if (event.data.size() > limits::event_data_bytes_max) {
    return too_large("event: the data is larger than 64 KiB as CBOR");
  }
  if (!event.data.empty()) LIMPET_CHECK(validate_item(event.data));
  return {};
}

}  // namespace limpet::codec
