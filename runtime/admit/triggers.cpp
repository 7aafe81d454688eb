#include "admit/triggers.hpp"

#include <array>
#include <utility>

#include "admit/hash.hpp"
#include "base/limits.hpp"
#include "model/pattern.hpp"

namespace limpet::admit {

namespace {

bool subject_matches(std::string_view wanted, std::string_view subject) {
  if (wanted.empty()) return true;
  if (wanted.ends_with('*')) return subject.starts_with(wanted.substr(0, wanted.size() - 1));
  return subject == wanted;
}

bool matches(const Trigger& trigger, const EventView& event) {
  if (event.type.starts_with(event_type::own_prefix) &&
      !trigger.event.starts_with(event_type::own_prefix)) {
    return false;
  }
  constexpr std::string_view agent_prefix = "agent:";
  if (event.principal.starts_with(agent_prefix) &&
      event.principal.substr(agent_prefix.size()) == trigger.agent) {
    return false;
  }
  return pattern_matches(trigger.event, event.type) &&
         subject_matches(trigger.subject, event.subject);
}

// A key that is too long keeps its beginning for people and ends in a hash of all of it.
std::string fit_key(std::string key) {
  if (key.size() <= limits::run_key_bytes_max) return key;
  const uint64_t hash = hash_text(key);
  key.resize(limits::run_key_bytes_max - 17);
  key.push_back('#');
  for (int shift = 60; shift >= 0; shift -= 4) {
    key.push_back("0123456789abcdef"[(hash >> shift) & 15]);
  }
  return key;
}

}  // namespace

std::string expand_key(std::string_view key_template, const EventView& event) {
  const std::array<std::pair<std::string_view, std::string_view>, 5> names{{
      {"{source}", event.source},
      {"{subject}", event.subject},
      {"{type}", event.type},
      {"{tenant}", event.tenant},
      {"{correlation}", event.correlation},
  }};
  std::string key;
  while (!key_template.empty()) {
    bool replaced = false;
    for (const auto& [name, value] : names) {
      if (!key_template.starts_with(name)) continue;
      key.append(value);
      key_template.remove_prefix(name.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    key.push_back(key_template.front());
    key_template.remove_prefix(1);
  }
  return fit_key(std::move(key));
}

void Triggers::for_each_match(const EventView& event,
                              const std::function<void(Match)>& visit) const {
  for (const Trigger& trigger : triggers_) {
    if (matches(trigger, event)) visit({trigger.agent, expand_key(trigger.key, event)});
  }
}

}  // namespace limpet::admit
