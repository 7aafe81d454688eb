#include "daemon/tool_rules.hpp"

#include <doctest/doctest.h>

namespace limpet::daemon {

namespace {

constexpr BootTime start{1'000'000'000};

ToolRule limited(std::string pattern, uint32_t per_second) {
  ToolRule rule;
  rule.pattern = std::move(pattern);
  rule.rate = {per_second, seconds(1), 0};
  return rule;
}

}  // namespace

TEST_CASE("tool rules: a tool without a rule is never limited") {
  ToolRules rules({limited("valve.*", 1)}, {});
  for (int count = 0; count < 100; ++count) CHECK(rules.begin("pump.on", "a", start).ns == 0);
}

TEST_CASE("tool rules: each tool of a pattern has a bucket of its own") {
  ToolRules rules({limited("valve.*", 1)}, {});
  CHECK(rules.begin("valve.open", "a", start).ns == 0);
  CHECK(rules.begin("valve.close", "a", start).ns == 0);
  CHECK(rules.begin("valve.open", "a", start) == seconds(1));
}

TEST_CASE("tool rules: an agent's rate counts over all its tools") {
  ToolRules rules({}, {{"a", {2, seconds(1), 0}}});
  CHECK(rules.begin("x", "a", start).ns == 0);
  CHECK(rules.begin("y", "a", start).ns == 0);
  CHECK(rules.begin("z", "a", start).ns > 0);
  CHECK(rules.begin("z", "b", start).ns == 0);
}

TEST_CASE("tool rules: a call that waits takes no token of the agent") {
  ToolRules rules({limited("x", 1)}, {{"a", {2, seconds(1), 0}}});
  CHECK(rules.begin("x", "a", start).ns == 0);
  for (int count = 0; count < 10; ++count) CHECK(rules.begin("x", "a", start).ns > 0);
  CHECK(rules.begin("y", "a", start).ns == 0);
}

TEST_CASE("tool rules: beyond the states that are kept, limits are shared and not lost") {
  ToolRules rules({limited("#", 1)}, {});
  for (size_t tool = 0; tool < rule_states_max; ++tool) {
    CHECK(rules.begin("tool" + std::to_string(tool), "a", start).ns == 0);
  }
  CHECK(rules.begin("one.more", "a", start).ns == 0);
  CHECK(rules.begin("and.another", "a", start).ns > 0);
}

TEST_CASE("tool rules: the first rule that matches says whose workers answer") {
  ToolRule worker;
  worker.pattern = "ocr.page";
  worker.queue = "ocr";
  worker.hints.idempotent = true;
  ToolRules rules({worker, limited("ocr.*", 1)}, {});
  CHECK(rules.queue_of("ocr.page") == "ocr");
  REQUIRE(rules.worker_hints("ocr.page") != nullptr);
  CHECK(rules.worker_hints("ocr.page")->idempotent);
  CHECK(rules.worker_hints("ocr.other") == nullptr);
}

}  // namespace limpet::daemon
