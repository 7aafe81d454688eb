#pragma once

// ToolRules: what the config says of tools beyond their plugins: rates, breakers, and tools that
// the workers of a queue answer. Owner: the daemon. Thread: [main].
// Limits: states are kept for rule_states_max tools and agents; beyond that, calls share one state,
// so that a limit is never lost, only stricter.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/breaker.hpp"
#include "dispatch/token_bucket.hpp"
#include "model/run.hpp"

namespace limpet::daemon {

inline constexpr size_t rule_states_max = 1024;

struct ToolRule {
  std::string pattern;
  std::string queue;  // whose workers answer it; empty: a plugin
  ToolHints hints;    // with `queue`
  dispatch::Rate rate;
  dispatch::BreakerSettings breaker;
};

struct AgentRate {
  std::string agent;
  dispatch::Rate rate;
};

class ToolRules {
 public:
  ToolRules() = default;
  ToolRules(std::vector<ToolRule> rules, std::vector<AgentRate> agents);

  // The queue of a tool that workers answer; empty: none.
  [[nodiscard]] std::string_view queue_of(std::string_view tool) const;
  // Its hints; null: workers do not answer it.
  [[nodiscard]] const ToolHints* worker_hints(std::string_view tool) const;

  // Zero: the call may begin, and it counts from now on. Else how long it has to wait.
  [[nodiscard]] Duration begin(std::string_view tool, std::string_view agent, BootTime now);
  // What became of a call that begin() let go. True: the tool's breaker changed its state.
  bool report(std::string_view tool, bool success, BootTime now);

  struct View {
    std::string_view tool;
    dispatch::Breaker::State breaker;
    uint64_t opened;
    uint64_t limited;
  };
  void each(const std::function<void(const View&)>& visit) const;
  [[nodiscard]] const std::vector<ToolRule>& rules() const { return rules_; }

 private:
  struct State {
    dispatch::TokenBucket bucket;
    dispatch::Breaker breaker;
    uint64_t limited = 0;
  };
  [[nodiscard]] const ToolRule* rule_of(std::string_view tool) const;
  State* state_of(std::string_view tool);

  std::vector<ToolRule> rules_;
  std::map<std::string, State, std::less<>> states_;
  std::map<std::string, dispatch::TokenBucket, std::less<>> agents_;
};

}  // namespace limpet::daemon
