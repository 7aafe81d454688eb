#pragma once

// Value: a parsed TOML document as our own tree, with the place of everything, so that one .cpp
// alone knows the TOML library. Private to this folder. [any]

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/load.hpp"

namespace limpet::config {

struct Member;

struct Value {
  using List = std::vector<Value>;
  using Table = std::vector<Member>;  // in the order in which they were written

  std::variant<bool, int64_t, double, std::string, List, Table> content;
  Place place;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&content);
  }
  template <class T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&content);
  }
};

struct Member {
  std::string name;
  Value value;
};

// "a list", "text": for sentences.
[[nodiscard]] std::string_view kind_name(const Value& value);

// The document as a table; dates and times become text. A problem if it is not TOML, too large or
// too deep.
[[nodiscard]] std::variant<Value, Problem> parse_toml(const ConfigFile& file);

// A definite-length CBOR item; doubles take eight bytes. Not codec's writer: this folder stands
// beside codec, not above it, and TOML's six kinds need little.
[[nodiscard]] ByteVector to_cbor(const Value& value);

}  // namespace limpet::config
