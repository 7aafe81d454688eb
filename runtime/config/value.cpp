#include "config/value.hpp"

#include <cstring>

namespace limpet::config {

namespace {

enum Major : uint8_t {
  major_uint = 0,
  major_negative = 1,
  major_text = 3,
  major_array = 4,
  major_map = 5,
};

void append_big_endian(ByteVector& out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<uint8_t>(value >> shift));
  }
}

void append_head(ByteVector& out, Major major, uint64_t value) {
  const auto top = static_cast<uint8_t>(major << 5);
  if (value < 24) {
    out.push_back(static_cast<uint8_t>(top | value));
  } else if (value <= 0xff) {
    out.push_back(top | 24);
    append_big_endian(out, value, 1);
  } else if (value <= 0xffff) {
    out.push_back(top | 25);
    append_big_endian(out, value, 2);
  } else if (value <= 0xffffffff) {
    out.push_back(top | 26);
    append_big_endian(out, value, 4);
  } else {
    out.push_back(top | 27);
    append_big_endian(out, value, 8);
  }
}

void append_text(ByteVector& out, std::string_view text) {
  append_head(out, major_text, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

struct Append {
  ByteVector& out;

  void operator()(bool value) const { out.push_back(value ? 0xf5 : 0xf4); }
  void operator()(int64_t value) const {
    const auto bits = static_cast<uint64_t>(value);
    if (value >= 0) {
      append_head(out, major_uint, bits);
    } else {
      append_head(out, major_negative, ~bits);
    }
  }
  void operator()(double value) const {
    uint64_t bits = 0;
    static_assert(sizeof bits == sizeof value);
    std::memcpy(&bits, &value, sizeof bits);
    out.push_back(0xfb);
    append_big_endian(out, bits, 8);
  }
  void operator()(const std::string& text) const { append_text(out, text); }
  void operator()(const Value::List& list) const {
    append_head(out, major_array, list.size());
    for (const Value& item : list) std::visit(*this, item.content);
  }
  void operator()(const Value::Table& table) const {
    append_head(out, major_map, table.size());
    for (const Member& member : table) {
      append_text(out, member.name);
      std::visit(*this, member.value.content);
    }
  }
};

struct KindName {
  std::string_view operator()(bool) const { return "true or false"; }
  std::string_view operator()(int64_t) const { return "a whole number"; }
  std::string_view operator()(double) const { return "a decimal number"; }
  std::string_view operator()(const std::string&) const { return "text"; }
  std::string_view operator()(const Value::List&) const { return "a list"; }
  std::string_view operator()(const Value::Table&) const { return "a table"; }
};

}  // namespace

ByteVector to_cbor(const Value& value) {
  ByteVector out;
  std::visit(Append{out}, value.content);
  return out;
}

std::string_view kind_name(const Value& value) { return std::visit(KindName{}, value.content); }

}  // namespace limpet::config
