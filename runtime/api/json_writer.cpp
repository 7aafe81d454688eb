#include "api/json_writer.hpp"

#include "codec/json.hpp"

namespace limpet::api {

void JsonObject::member(std::string_view name) {
  if (!first_) out_.push_back(',');
  first_ = false;
  codec::append_json_text(out_, name);
  out_.push_back(':');
}

void JsonObject::text(std::string_view name, std::string_view value) {
  member(name);
  codec::append_json_text(out_, value);
}

void JsonObject::text_or_null(std::string_view name, std::string_view value) {
  if (value.empty()) {
    raw(name, "null");
  } else {
    text(name, value);
  }
}

void JsonObject::number(std::string_view name, uint64_t value) { raw(name, std::to_string(value)); }

void JsonObject::boolean(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }

void JsonObject::raw(std::string_view name, std::string_view json) {
  member(name);
  out_.append(json);
}

void JsonArray::item() {
  if (!first_) out_.push_back(',');
  first_ = false;
}

}  // namespace limpet::api
