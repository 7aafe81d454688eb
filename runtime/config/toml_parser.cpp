// toml++ 3.3 asserts that a date's T is followed by a digit, which is for the file to say; without
// the assertion it answers an ordinary error. In a release it would tell clang to rely on it
// instead: for this file there is no release.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "base/limits.hpp"
#include "config/toml_guard.hpp"
#include "config/value.hpp"

namespace limpet::config {

namespace {

// What the recursion carries; a node that is too deep leaves its place here.
struct Conversion {
  const std::string& file;
  std::optional<Place> too_deep;
};

Place place_of(const toml::source_region& region, const std::string& file) {
  return {file, region.begin.line, region.begin.column};
}

template <class Date>
std::string as_text(const Date& date) {
  std::ostringstream stream;
  stream << date;
  return stream.str();
}

Value convert(const toml::node& node, Conversion& conversion, size_t depth);

Value::List convert_list(const toml::array& array, Conversion& conversion, size_t depth) {
  Value::List list;
  list.reserve(array.size());
  for (const toml::node& item : array) list.push_back(convert(item, conversion, depth + 1));
  return list;
}

// The library sorts by name; people read by line.
Value::Table convert_table(const toml::table& table, Conversion& conversion, size_t depth) {
  Value::Table members;
  for (const auto& [key, node] : table) {
    Member member{std::string(key.str()), convert(node, conversion, depth + 1)};
    // A key's own place is where its name stands, which is what a person looks for.
    if (key.source().begin) member.value.place = place_of(key.source(), conversion.file);
    members.push_back(std::move(member));
  }
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return std::pair(a.value.place.line, a.value.place.column) <
           std::pair(b.value.place.line, b.value.place.column);
  });
  return members;
}

// Recursion ends at limits::nesting_depth_max.
Value convert(const toml::node& node, Conversion& conversion, size_t depth) {
  Value value;
  value.place = place_of(node.source(), conversion.file);
  if (depth > limits::nesting_depth_max) {
    if (!conversion.too_deep) conversion.too_deep = value.place;
    return value;
  }
  if (const toml::table* table = node.as_table()) {
    value.content = convert_table(*table, conversion, depth);
  } else if (const toml::array* array = node.as_array()) {
    value.content = convert_list(*array, conversion, depth);
  } else if (const auto* text = node.as_string()) {
    value.content = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.content = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.content = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.content = boolean->get();
  } else if (const auto* date = node.as_date()) {
    value.content = as_text(date->get());
  } else if (const auto* time = node.as_time()) {
    value.content = as_text(time->get());
  } else if (const auto* date_time = node.as_date_time()) {
    value.content = as_text(date_time->get());
  }
  return value;
}

}  // namespace

std::variant<Value, Problem> parse_toml(const ConfigFile& file) {
  if (file.text.size() > file_bytes_max) {
    return Problem{{file.path, 0, 0}, "", "the file is larger than 1 MiB"};
  }
  static_assert(file_bytes_max == 1024 * 1024, "the text above names it");
  if (std::optional<Place> place = find_stray_character(file.text)) {
    place->file = file.path;
    return Problem{*place, "",
                   "not TOML: a character outside ASCII must stand in quotes or in a comment"};
  }
  try {
    const toml::table table = toml::parse(std::string_view(file.text));
    Conversion conversion{file.path, std::nullopt};
    Value root = convert(table, conversion, 1);
    if (!conversion.too_deep) return root;
    return Problem{*conversion.too_deep, "",
                   "tables and lists are nested more than 16 levels deep"};
  } catch (const toml::parse_error& error) {
    return Problem{place_of(error.source(), file.path), "",
                   "not TOML: " + std::string(error.description())};
  } catch (const std::exception& error) {
    return Problem{{file.path, 0, 0}, "", std::string("not readable: ") + error.what()};
  }
}

}  // namespace limpet::config
