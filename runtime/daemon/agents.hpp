#pragma once

// Agents: the configured agents by name. Built once at start. [main, no-alloc]

#include <map>
#include <string>
#include <string_view>

#include "run/policy.hpp"

namespace limpet::daemon {

class Agents {
 public:
  void add(run::AgentPolicy policy) {
    std::string name = policy.name;
    agents_.insert_or_assign(std::move(name), std::move(policy));
  }
  // Null: no agent of that name is configured.
  [[nodiscard]] const run::AgentPolicy* find(std::string_view name) const {
    const auto found = agents_.find(name);
    return found == agents_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const std::map<std::string, run::AgentPolicy, std::less<>>& all() const {
    return agents_;
  }

 private:
  std::map<std::string, run::AgentPolicy, std::less<>> agents_;
};

}  // namespace limpet::daemon
