#pragma once

// Triggers: which events go to which agent, and under which key. [main]
// Matched when an event is appended, so that the event and its deliveries are one transaction.
//
// Two guards against loops: an event of our own ("limpet.…") matches only patterns that name it so,
// and what an agent emits never comes back to the same agent. Longer circles end at the budgets.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.hpp"

namespace limpet::admit {

struct Trigger {
  std::string agent;
  std::string event;    // a pattern over types
  std::string subject;  // exact, or a prefix that ends in '*'; empty: any
  std::string key;      // template: {source} {subject} {type} {tenant} {correlation}; empty: no key
};

struct Match {
  std::string_view agent;
  std::string key;  // at most run_key_bytes_max: a longer one ends in a hash of the whole
};

class Triggers {
 public:
  // REQUIRES: every pattern is valid (the config has checked it).
  explicit Triggers(std::vector<Trigger> triggers) : triggers_(std::move(triggers)) {}

  void for_each_match(const EventView& event, const std::function<void(Match)>& visit) const;
  [[nodiscard]] bool empty() const { return triggers_.empty(); }

 private:
  std::vector<Trigger> triggers_;
};

// "{source}/{subject}" with the event's attributes in place of the names. [any]
[[nodiscard]] std::string expand_key(std::string_view key_template, const EventView& event);

}  // namespace limpet::admit
