#include "model/run.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace limpet;

TEST_CASE("run: states have names of their own, and the last three are final") {
  std::set<std::string_view> names;
  for (int index = 0; index <= static_cast<int>(RunState::cancelled); ++index) {
    const auto state = static_cast<RunState>(index);
    CHECK(names.insert(to_string(state)).second);
    CHECK(is_final(state) == (index >= 4));
  }
  CHECK(names.count("") == 0);
}

TEST_CASE("run: steps' states and outcomes have names of their own") {
  CHECK(to_string(StepState::scheduled) == "scheduled");
  CHECK(to_string(StepState::unknown) == "unknown");
  CHECK(to_string(Outcome::done) == "done");
  CHECK(to_string(Outcome::retry) == "retry");
}

TEST_CASE("run: a call may be repeated when it only reads or is idempotent") {
  CHECK_FALSE(is_repeatable(ToolHints{}));
  CHECK(is_repeatable(ToolHints{.read_only = true}));
  CHECK(is_repeatable(ToolHints{.idempotent = true}));
  CHECK_FALSE(is_repeatable(ToolHints{.destructive = false}));
}
