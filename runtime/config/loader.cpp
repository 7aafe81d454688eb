#include "config/loader.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "config/nearest.hpp"

namespace limpet::config {

namespace {

constexpr std::array single_sections = {std::string_view("store"), std::string_view("api"),
                                        std::string_view("limits")};
constexpr std::array repeated_sections = {
    std::string_view("plugin"),   std::string_view("agent"),    std::string_view("trigger"),
    std::string_view("class"),    std::string_view("queue"),    std::string_view("tool"),
    std::string_view("schedule"), std::string_view("principal")};

template <class Section>
constexpr size_t count_max = 0;
template <>
constexpr size_t count_max<PluginSettings> = plugins_max;
template <>
constexpr size_t count_max<AgentSettings> = agents_max;
template <>
constexpr size_t count_max<TriggerSettings> = triggers_max;
template <>
constexpr size_t count_max<ClassSettings> = classes_max;
template <>
constexpr size_t count_max<QueueSettings> = queues_max;
template <>
constexpr size_t count_max<ToolSettings> = tools_max;
template <>
constexpr size_t count_max<ScheduleSettings> = schedules_max;
template <>
constexpr size_t count_max<PrincipalSettings> = principals_max;

std::string joined(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : std::string(section).append(".").append(key);
}

template <class Section>
std::vector<std::string_view> key_names() {
  std::vector<std::string_view> names;
  for (const Key<Section>& key : keys<Section>()) {
    if (key.info.unavailable.empty()) names.push_back(key.info.name);
  }
  return names;
}

}  // namespace

const Place& SectionPlaces::of(std::string_view key) const {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [key](const auto& entry) { return entry.first == key; });
  return found != keys.end() ? found->second : section;
}

Loader::Loader(Loaded& loaded, const Environment& environment)
    : loaded_(loaded), environment_(environment) {
  read_defaults(loaded_.settings, "");
  read_defaults(loaded_.settings.store, "store");
  read_defaults(loaded_.settings.api, "api");
  read_defaults(loaded_.settings.limits, "limits");
}

// A default goes the way of a key in a file, so the table's text is the only place that says it.
template <class Section>
void Loader::read_defaults(Section& section, std::string_view name) {
  for (const Key<Section>& key : keys<Section>()) {
    if (key.info.fallback.empty()) continue;
    const auto parsed =
        parse_toml({"", std::string(key.info.name).append(" = ").append(key.info.fallback)});
    const Value* table = std::get_if<Value>(&parsed);
    LIMPET_ASSERT(table != nullptr);  // our own table's text
    read_key(key, table->as<Value::Table>()->front().value, section, joined(name, key.info.name));
  }
}

void Loader::read(const Value& root) {
  for (const Member& member : *root.as<Value::Table>()) read_member(member);
}

void Loader::read_member(const Member& member) {
  Settings& settings = loaded_.settings;
  const std::string& name = member.name;
  const Value& value = member.value;
  if (name == "store") return read_single(value, settings.store, name);
  if (name == "api") return read_single(value, settings.api, name);
  if (name == "limits") return read_single(value, settings.limits, name);
  if (name == "plugin") return read_list(value, settings.plugins, name, plugins_);
  if (name == "agent") return read_list(value, settings.agents, name, agents_);
  if (name == "trigger") return read_list(value, settings.triggers, name, triggers_);
  if (name == "class") return read_list(value, settings.classes, name, classes_);
  if (name == "queue") return read_list(value, settings.queues, name, queues_);
  if (name == "tool") return read_list(value, settings.tools, name, tools_);
  if (name == "schedule") return read_list(value, settings.schedules, name, schedules_);
  if (name == "principal") return read_list(value, settings.principals, name, principals_);
  for (const std::string_view section : sections_unavailable()) {
    if (section != name) continue;
    return problem(value.place, name, "this section is not in this build; leave it out");
  }
  for (const Key<Settings>& key : keys<Settings>()) {
    if (key.info.name == name) return read_key(key, value, settings, name);
  }
  std::vector<std::string_view> candidates = key_names<Settings>();
  candidates.insert(candidates.end(), single_sections.begin(), single_sections.end());
  candidates.insert(candidates.end(), repeated_sections.begin(), repeated_sections.end());
  unknown(value, name, name, candidates);
}

template <class Section>
void Loader::read_single(const Value& value, Section& section, std::string_view name) {
  if (value.as<Value::Table>() == nullptr) {
    problem(value.place, std::string(name),
            "this is one section: write [" + std::string(name) + "]");
    return;
  }
  SectionPlaces places{value.place, {}};
  read_section(value, section, name, places);
}

template <class Section>
void Loader::read_list(const Value& value, std::vector<Section>& sections, std::string_view name,
                       std::vector<SectionPlaces>& places) {
  const auto* list = value.as<Value::List>();
  if (list == nullptr) {
    return problem(value.place, std::string(name),
                   "there may be several: write [[" + std::string(name) + "]]");
  }
  for (const Value& item : *list) {
    if (item.as<Value::Table>() == nullptr) {
      problem(item.place, std::string(name), "wants tables: write [[" + std::string(name) + "]]");
      continue;
    }
    if (sections.size() == count_max<Section>) {
      return problem(item.place, std::string(name),
                     "more than " + std::to_string(count_max<Section>) + " of them");
    }
    Section section;
    read_defaults(section, name);
    section.place = item.place;
    SectionPlaces places_of_section{item.place, {}};
    read_section(item, section, name, places_of_section);
    require_keys<Section>(name, places_of_section);
    sections.push_back(std::move(section));
    places.push_back(std::move(places_of_section));
  }
}

template <class Section>
void Loader::read_section(const Value& table, Section& section, std::string_view name,
                          SectionPlaces& places) {
  const std::span<const Key<Section>> known = keys<Section>();
  for (const Member& member : *table.as<Value::Table>()) {
    const std::string full_name = joined(name, member.name);
    const auto key = std::find_if(known.begin(), known.end(), [&member](const auto& entry) {
      return entry.info.name == member.name;
    });
    if (key == known.end()) {
      unknown(member.value, full_name, member.name, key_names<Section>());
      continue;
    }
    places.keys.emplace_back(key->info.name, member.value.place);
    read_key(*key, member.value, section, full_name);
  }
}

template <class Section>
void Loader::require_keys(std::string_view name, const SectionPlaces& places) {
  for (const Key<Section>& key : keys<Section>()) {
    if (!key.info.required) continue;
    const bool given =
        std::any_of(places.keys.begin(), places.keys.end(),
                    [&key](const auto& entry) { return entry.first == key.info.name; });
    if (!given) {
      problem(places.section, joined(name, key.info.name), "is missing and has no default");
    }
  }
}

template <class Section>
void Loader::read_key(const Key<Section>& key, const Value& value, Section& section,
                      const std::string& name) {
  using Choose = typename Key<Section>::Choose;
  const KeyInfo& info = key.info;
  if (!info.unavailable.empty()) {
    return problem(value.place, name, "is not in this build: " + std::string(info.unavailable));
  }
  const auto check = [&](const std::string& text) {
    if (key.check == nullptr) return;
    if (const auto wrong = key.check(text)) problem(value.place, name, "'" + text + "': " + *wrong);
  };
  if (const auto* text = std::get_if<std::string Section::*>(&key.member)) {
    if (read_text(info, value, name, section.**text)) check(section.**text);
  } else if (const auto* list = std::get_if<std::vector<std::string> Section::*>(&key.member)) {
    if (!read_list_of_text(info, value, name, section.**list)) return;
    for (const std::string& entry : section.**list) check(entry);
  } else if (const auto* count = std::get_if<uint64_t Section::*>(&key.member)) {
    read_count(info, value, name, section.**count);
  } else if (const auto* duration = std::get_if<Duration Section::*>(&key.member)) {
    read_duration(info, value, name, section.**duration);
  } else if (const auto* rate = std::get_if<RateSettings Section::*>(&key.member)) {
    read_rate(info, value, name, section.**rate);
  } else if (const auto* table = std::get_if<ByteVector Section::*>(&key.member)) {
    read_table(info, value, name, section.**table);
  } else if (const auto* choose = std::get_if<Choose>(&key.member)) {
    std::string choice;
    if (!read_text(info, value, name, choice)) return;
    if (!(*choose)(section, choice)) {
      problem(value.place, name, "'" + choice + "' is not one of " + std::string(info.choices));
    }
  }
}

void Loader::unknown(const Value& value, const std::string& name, std::string_view last,
                     const std::vector<std::string_view>& candidates) {
  std::string message("there is no such key; the nearest is `");
  problem(value.place, name, message.append(nearest(last, candidates)).append("`"));
}

void Loader::problem(const Place& place, std::string key, std::string message) {
  if (loaded_.problems.size() < problems_max) {
    loaded_.problems.push_back({place, std::move(key), std::move(message)});
  } else {
    ++problems_more_;
  }
}

void Loader::finish() {
  finish_plugins();
  finish_agents();
  finish_triggers();
  finish_api();
  finish_classes();
  finish_queues();
  finish_tools();
  finish_schedules();
  finish_principals();
  if (problems_more_ == 0) return;
  loaded_.problems.push_back({{}, "", "and " + std::to_string(problems_more_) + " more problems"});
}

}  // namespace limpet::config
