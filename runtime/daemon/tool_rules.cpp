#include "daemon/tool_rules.hpp"

#include <algorithm>

#include "model/pattern.hpp"

namespace limpet::daemon {

namespace {

constexpr std::string_view shared_state = "*";

}  // namespace

ToolRules::ToolRules(std::vector<ToolRule> rules, std::vector<AgentRate> agents)
    : rules_(std::move(rules)) {
  for (const AgentRate& agent : agents) {
    agents_.emplace(agent.agent, dispatch::TokenBucket(agent.rate));
  }
}

const ToolRule* ToolRules::rule_of(std::string_view tool) const {
  const auto found = std::ranges::find_if(
      rules_, [tool](const ToolRule& rule) { return pattern_matches(rule.pattern, tool); });
  return found == rules_.end() ? nullptr : &*found;
}

std::string_view ToolRules::queue_of(std::string_view tool) const {
  const ToolRule* rule = rule_of(tool);
  return rule == nullptr ? std::string_view() : std::string_view(rule->queue);
}

const ToolHints* ToolRules::worker_hints(std::string_view tool) const {
  const ToolRule* rule = rule_of(tool);
  return rule == nullptr || rule->queue.empty() ? nullptr : &rule->hints;
}

ToolRules::State* ToolRules::state_of(std::string_view tool) {
  const ToolRule* rule = rule_of(tool);
  if (rule == nullptr) return nullptr;
  auto found = states_.find(tool);
  if (found == states_.end()) {
    const std::string_view name = states_.size() < rule_states_max ? tool : shared_state;
    State fresh;
    fresh.bucket = dispatch::TokenBucket(rule->rate);
    fresh.breaker = dispatch::Breaker(rule->breaker);
    found = states_.try_emplace(std::string(name), fresh).first;
  }
  return &found->second;
}

Duration ToolRules::begin(std::string_view tool, std::string_view agent, BootTime now) {
  State* state = state_of(tool);
  const auto limit = agents_.find(agent);
  Duration wait;
  if (state != nullptr) wait = std::max(state->bucket.wait(now), state->breaker.wait(now));
  if (limit != agents_.end()) wait = std::max(wait, limit->second.wait(now));
  if (wait.ns > 0) {
    if (state != nullptr) ++state->limited;
    return wait;
  }
  if (state != nullptr) {
    state->bucket.take(now);
    state->breaker.begin(now);
  }
  if (limit != agents_.end()) limit->second.take(now);
  return {};
}

bool ToolRules::report(std::string_view tool, bool success, BootTime now) {
  State* state = state_of(tool);
  return state != nullptr && state->breaker.report(success, now);
}

void ToolRules::each(const std::function<void(const View&)>& visit) const {
  for (const auto& [tool, state] : states_) {
    visit({tool, state.breaker.state(), state.breaker.opened(), state.limited});
  }
}

}  // namespace limpet::daemon
