#include "cli/item.hpp"

#include <algorithm>

#include "codec/cbor.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

bool is_kind(ByteSpan item, codec::CborKind kind) { return codec::CborReader(item).peek() == kind; }

void print_flat_below(std::ostream& out, const std::string& path, ByteSpan item) {
  if (is_map(item)) {
    for_each_member(item, [&](std::string_view name, ByteSpan value) {
      if (name == "name" && !path.empty()) return;  // it is in the path already
      print_flat_below(out, path.empty() ? std::string(name) : path + "." + std::string(name),
                       value);
    });
  } else if (is_array(item)) {
    size_t index = 0;
    for_each_item(item, [&](ByteSpan value) {
      const std::string name = display(member(value, "name"));
      print_flat_below(out, path + "." + (name.empty() ? std::to_string(index) : name), value);
      ++index;
    });
  } else {
    out << path << ": " << display(item) << "\n";
  }
}

bool begins_character(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) != 0x80; }

}  // namespace

bool is_map(ByteSpan item) { return is_kind(item, codec::CborKind::map); }
bool is_array(ByteSpan item) { return is_kind(item, codec::CborKind::array); }

ByteSpan member(ByteSpan map, std::string_view name) {
  if (!is_map(map)) return {};
  codec::CborReader reader(map);
  for (size_t count = reader.map(); count > 0 && reader.ok(); --count) {
    const bool found = reader.text() == name;
    const ByteSpan value = reader.item();
    if (found && reader.ok()) return value;
  }
  return {};
}

void for_each_item(ByteSpan array, const std::function<void(ByteSpan item)>& visit) {
  if (!is_array(array)) return;
  codec::CborReader reader(array);
  for (size_t count = reader.array(); count > 0 && reader.ok(); --count) visit(reader.item());
}

void for_each_member(ByteSpan map, const MemberVisitor& visit) {
  if (!is_map(map)) return;
  codec::CborReader reader(map);
  for (size_t count = reader.map(); count > 0 && reader.ok(); --count) {
    const std::string_view name = reader.text();
    const ByteSpan value = reader.item();
    if (reader.ok()) visit(name, value);
  }
}

std::string display(ByteSpan item) {
  if (item.empty() || is_kind(item, codec::CborKind::null)) return "";
  std::string text;
  if (is_kind(item, codec::CborKind::text)) {
    text = codec::CborReader(item).text();
  } else {
    const Result<std::string> json = codec::cbor_to_json(item);
    text = json ? *json : "?";
  }
  std::replace_if(
      text.begin(), text.end(),
      [](char byte) { return static_cast<uint8_t>(byte) < 0x20 || byte == 0x7f; }, ' ');
  return text;
}

void print_flat(std::ostream& out, ByteSpan item) { print_flat_below(out, "", item); }

std::string cut(std::string_view text, size_t characters_max) {
  size_t characters = 0;
  size_t end = 0;  // of the text that leaves room for the mark
  for (size_t index = 0; index < text.size(); ++index) {
    if (!begins_character(text[index])) continue;
    ++characters;
    if (characters == characters_max) end = index;
    if (characters > characters_max) return std::string(text.substr(0, end)) + "…";
  }
  return std::string(text);
}

}  // namespace limpet::cli
