#pragma once

// The one table of keys: it drives parsing, the reference and config/limpet.toml. Private to this
// folder. [any]

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace limpet::config {

enum class KeyType : uint8_t {
  text,
  path,
  list,
  path_list,
  count,
  size,
  duration,
  rate,
  choice,
  table
};

struct KeyInfo {
  std::string_view name = {};
  KeyType type = KeyType::text;
  std::string_view fallback =
      {};  // the default as TOML; empty: there is none, and `example` is shown
  std::string_view example = {};
  uint64_t min = 0;               // of counts, of sizes in bytes, of durations in ms
  uint64_t max = 0;               // likewise; of texts and paths in bytes
  std::string_view choices = {};  // of a choice: "a, b"
  bool required = false;
  std::string_view reason = {};       // sentences, wrapped by whoever prints them
  std::string_view unavailable = {};  // set: the contract has the key, this build has not, and why
};

template <class Section>
struct Key {
  using Choose = bool (*)(Section& section, std::string_view choice);
  // What a text (or each entry of a list) must be; the answer is what is wrong with it.
  using Check = std::optional<std::string> (*)(std::string_view text);

  KeyInfo info;
  std::variant<std::monostate, std::string Section::*, uint64_t Section::*, Duration Section::*,
               std::vector<std::string> Section::*, ByteVector Section::*, RateSettings Section::*,
               Choose>
      member;
  Check check = nullptr;
};

// The keys of Settings itself are those above the first section.
template <class Section>
[[nodiscard]] std::span<const Key<Section>> keys();
template <>
std::span<const Key<Settings>> keys<Settings>();
template <>
std::span<const Key<StoreSettings>> keys<StoreSettings>();
template <>
std::span<const Key<ApiSettings>> keys<ApiSettings>();
template <>
std::span<const Key<LimitSettings>> keys<LimitSettings>();
template <>
std::span<const Key<PluginSettings>> keys<PluginSettings>();
template <>
std::span<const Key<AgentSettings>> keys<AgentSettings>();
template <>
std::span<const Key<TriggerSettings>> keys<TriggerSettings>();

// The sections of work that is kept: keys_work.cpp.
template <>
std::span<const Key<ClassSettings>> keys<ClassSettings>();
template <>
std::span<const Key<QueueSettings>> keys<QueueSettings>();
template <>
std::span<const Key<ToolSettings>> keys<ToolSettings>();
template <>
std::span<const Key<ScheduleSettings>> keys<ScheduleSettings>();
template <>
std::span<const Key<PrincipalSettings>> keys<PrincipalSettings>();

// A key of the contract that this build refuses; it has no member to go to.
constexpr KeyInfo unavailable(std::string_view name, std::string_view why) {
  KeyInfo info;
  info.name = name;
  info.unavailable = why;
  return info;
}

struct SectionInfo {
  std::string_view name;  // empty: above the first section
  bool repeated = false;  // [[name]]
  std::string_view reason;
  std::vector<KeyInfo> keys;
};

// All sections of this build in the order of the reference.
[[nodiscard]] std::vector<SectionInfo> sections();

// Sections of the contract that this build does not offer.
[[nodiscard]] std::span<const std::string_view> sections_unavailable();

// "0 to 1000", "4MiB to 1TiB": what a key takes; empty: nothing to say.
[[nodiscard]] std::string range_of(const KeyInfo& key);

}  // namespace limpet::config
