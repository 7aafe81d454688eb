#pragma once

// AgentPolicy: what one configured agent may do and how much of it. [any]

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "model/run.hpp"

namespace limpet::run {

enum class Autonomy : uint8_t { read_only, supervised, full };
[[nodiscard]] std::string_view to_string(Autonomy autonomy);

struct AgentPolicy {
  std::string name;
  std::string instance;            // the plugin instance that holds the agent
  std::string name_in_plugin;      // which of the plugin's agents, if it holds several
  std::vector<std::string> tools;  // patterns; none: no tool at all
  Autonomy autonomy = Autonomy::supervised;
  uint32_t turns_max = 10000;  // 0: no limit
  uint32_t steps_open_max = 16;
  Duration deadline;  // of a run, from its creation; zero: none
  ByteVector config;  // a CBOR map, for the agent
};

// May this agent call that tool? Empty: yes. Else the reason, as the agent and the auditor read it.
// Supervised agents run what only reads and what does not destroy; what destroys needs a person,
// whom this build cannot ask, so it is denied. [any, no-alloc]
[[nodiscard]] std::string_view denial_reason(const AgentPolicy& policy, std::string_view tool,
                                             const ToolHints& hints);

}  // namespace limpet::run
