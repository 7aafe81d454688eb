#include "run/policy.hpp"

#include <algorithm>

#include "model/pattern.hpp"

namespace limpet::run {

std::string_view to_string(Autonomy autonomy) {
  switch (autonomy) {
    case Autonomy::read_only: return "read_only";
    case Autonomy::supervised: return "supervised";
    case Autonomy::full: return "full";
  }
  return "";
}

std::string_view denial_reason(const AgentPolicy& policy, std::string_view tool,
                               const ToolHints& hints) {
  const bool listed = std::ranges::any_of(
      policy.tools, [tool](const std::string& pattern) { return pattern_matches(pattern, tool); });
  if (!listed) return "the agent's tool list does not name this tool";
  switch (policy.autonomy) {
    case Autonomy::full: return {};
    case Autonomy::supervised:
      return hints.read_only || !hints.destructive
                 ? std::string_view()
                 : "a supervised agent needs an approval for a destructive tool";
    case Autonomy::read_only:
      return hints.read_only ? std::string_view() : "a read_only agent may not change anything";
  }
  return "the agent's autonomy is not known";
}

}  // namespace limpet::run
