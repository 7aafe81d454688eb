#pragma once

// Looking into answers of the API: JSON that the codec has made CBOR of. Views live as long as the
// bytes they came from. [any]

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace limpet::cli {

// The value of a member; empty: `map` is no map, or has no such member. [no-alloc]
[[nodiscard]] ByteSpan member(ByteSpan map, std::string_view name);

// Each item of an array, each pair of a map; nothing for other kinds.
void for_each_item(ByteSpan array, const std::function<void(ByteSpan item)>& visit);
using MemberVisitor = std::function<void(std::string_view name, ByteSpan value)>;
void for_each_member(ByteSpan map, const MemberVisitor& visit);

[[nodiscard]] bool is_map(ByteSpan item);
[[nodiscard]] bool is_array(ByteSpan item);

// As a person reads it: text without quotes, nothing for null, all else as JSON on one line.
// Control characters become spaces: what a device sent must not steer a terminal.
[[nodiscard]] std::string display(ByteSpan item);

// One line for each value, named by its path: "store.bytes: 4096". Objects in a list go by their
// name.
void print_flat(std::ostream& out, ByteSpan item);

// At most `characters_max` characters, the last of them "…" when something was cut.
[[nodiscard]] std::string cut(std::string_view text, size_t characters_max);

}  // namespace limpet::cli
