#pragma once

// JsonObject, JsonArray: appends JSON to a string, for the API's own answers. [any]
// They add commas and quotes; the string is the caller's. REQUIRES: all text is UTF-8 (what came
// from outside was checked when it came in).
//
//   JsonObject object(out); object.text("run", id); object.number("turns", 3); object.end();

#include <cstdint>
#include <string>
#include <string_view>

namespace limpet::api {

class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_.push_back('{'); }
  void text(std::string_view name, std::string_view value);
  void text_or_null(std::string_view name, std::string_view value);  // empty: null
  void number(std::string_view name, uint64_t value);
  void boolean(std::string_view name, bool value);
  void raw(std::string_view name, std::string_view json);
  // Writes the name and leaves the value to the caller, who appends it to the same string.
  void member(std::string_view name);
  void end() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

class JsonArray {
 public:
  explicit JsonArray(std::string& out) : out_(out) { out_.push_back('['); }
  // The caller appends one value after each call.
  void item();
  void end() { out_.push_back(']'); }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace limpet::api
