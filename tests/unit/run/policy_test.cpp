#include "run/policy.hpp"

#include <doctest/doctest.h>

using namespace limpet;
using namespace limpet::run;

namespace {

constexpr ToolHints reads{true, false, true, false};
constexpr ToolHints adds{false, false, false, true};
constexpr ToolHints destroys{false, true, false, true};

AgentPolicy policy_of(Autonomy autonomy, std::vector<std::string> tools) {
  AgentPolicy policy;
  policy.autonomy = autonomy;
  policy.tools = std::move(tools);
  return policy;
}

}  // namespace

TEST_CASE("policy: a tool that the list does not name is denied, whatever the autonomy") {
  for (const Autonomy autonomy : {Autonomy::read_only, Autonomy::supervised, Autonomy::full}) {
    CHECK(denial_reason(policy_of(autonomy, {}), "a.b", reads) ==
          "the agent's tool list does not name this tool");
    CHECK_FALSE(denial_reason(policy_of(autonomy, {"a.c", "b.*"}), "a.b", reads).empty());
    CHECK(denial_reason(policy_of(autonomy, {"x.y", "a.*"}), "a.b", reads).empty());
  }
}

TEST_CASE("policy: autonomy decides on what changes and what destroys") {
  const auto allowed = [](Autonomy autonomy, const ToolHints& hints) {
    return denial_reason(policy_of(autonomy, {"#"}), "a.b", hints).empty();
  };
  CHECK(allowed(Autonomy::read_only, reads));
  CHECK_FALSE(allowed(Autonomy::read_only, adds));
  CHECK_FALSE(allowed(Autonomy::read_only, destroys));
  CHECK(allowed(Autonomy::supervised, reads));
  CHECK(allowed(Autonomy::supervised, adds));
  CHECK_FALSE(allowed(Autonomy::supervised, destroys));
  CHECK(allowed(Autonomy::full, destroys));
}

TEST_CASE("policy: a tool without hints counts as destructive") {
  CHECK(denial_reason(policy_of(Autonomy::supervised, {"#"}), "a.b", ToolHints{}) ==
        "a supervised agent needs an approval for a destructive tool");
  CHECK(denial_reason(policy_of(Autonomy::read_only, {"#"}), "a.b", ToolHints{}) ==
        "a read_only agent may not change anything");
}
