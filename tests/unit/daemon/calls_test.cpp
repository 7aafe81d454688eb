#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// Calls one tool when it begins; completes when the result is there.
FakeHost::Agent caller_of(std::string tool) {
  return [tool](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "job.new") decide.call("one", tool);
    if (seen.step == "one") decide.complete();
  };
}

struct CallsFixture : HouseFixture {
  explicit CallsFixture(const std::string& tool, ToolHints hints) {
    host.add_tool(tool, hints);
    add_agent("caller", caller_of(tool));
    add_trigger("caller", "job.new", "{subject}");
  }
  Step only_step() { return steps(runs().front().id).at(0); }
};

// Answers in the given order; the last one for ever.
std::function<host::ToolResult(const host::ToolCall&)> answers(std::vector<Outcome> outcomes) {
  auto next = std::make_shared<size_t>(0);
  return [outcomes, next](const host::ToolCall&) {
    const Outcome outcome = outcomes[std::min(*next, outcomes.size() - 1)];
    ++*next;
    return tool_result(outcome, outcome == Outcome::done ? "" : "as the test says");
  };
}

}  // namespace

TEST_CASE(
    "calls: the start of a call that may not run twice is on disk before the tool is called") {
  CallsFixture fixture("t.once", acts_once);
  StepState state_at_call = StepState::scheduled;
  size_t started_at_call = 0;
  fixture.host.before_call = [&](const host::ToolCall&) {
    state_at_call = fixture.only_step().state;
    started_at_call = fixture.log("limpet.step.started").size();
  };
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(state_at_call == StepState::started);
  CHECK(started_at_call == 1);
  REQUIRE(fixture.host.calls.size() == 1);
  CHECK(fixture.host.calls[0].key == call_key(Epoch(42), fixture.runs()[0].id, "one", Ordinal(1)));
  CHECK(fixture.host.calls[0].attempt == 1);
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: the start of a repeatable call is part of its turn") {
  CallsFixture fixture("t.read", reads_only);
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  fixture.life->store->drain();
  fixture.life->turns.pump();
  fixture.life->store->drain();
  CHECK(fixture.log("limpet.step.started").size() == 1);
  CHECK(fixture.host.calls.empty());
  REQUIRE(fixture.settle());
  CHECK(fixture.log("limpet.step.started").size() == 1);
  REQUIRE(fixture.host.turns.size() == 2);
  CHECK(fixture.host.turns[1].type == "limpet.step.finished");
  CHECK(fixture.host.turns[1].outcome == "done");
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: a slow tool's result reaches the agent when it comes") {
  CallsFixture fixture("t.slow", acts_once);
  fixture.host.tool("t.slow").slow = true;
  REQUIRE(fixture.open());
  fixture.ingest("job.new", "a");
  fixture.ingest("job.new", "b");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.host.open().size() == 2);
  CHECK(fixture.life->calls.open() == 2);
  fixture.host.finish(fixture.host.open()[1].id, tool_result(Outcome::done));
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].state == RunState::waiting);
  CHECK(fixture.runs()[1].state == RunState::completed);
  fixture.host.finish(fixture.host.open()[0].id, tool_result(Outcome::failed, "no power"));
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.host.turns.back().error == "no power");
  CHECK(fixture.life->calls.open() == 0);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: a tool that says retry is called again, later, with the same key") {
  for (const ToolHints hints : {acts_once, reads_only}) {
    CallsFixture fixture("t.busy", hints);
    fixture.host.tool("t.busy").act = answers({Outcome::retry, Outcome::done});
    REQUIRE(fixture.open());
    fixture.ingest("job.new");
    REQUIRE(fixture.settle());
    CHECK(fixture.host.calls.size() == 1);
    CHECK(fixture.only_step().state == StepState::scheduled);
    CHECK(fixture.life->calls.next_due());
    CHECK(fixture.faults() == "");
    fixture.advance(seconds(1));
    REQUIRE(fixture.settle());
    REQUIRE(fixture.host.calls.size() == 2);
    CHECK(fixture.host.calls[0].key == fixture.host.calls[1].key);
    CHECK(fixture.host.calls[1].attempt == 2);
    CHECK(fixture.runs()[0].state == RunState::completed);
    CHECK(fixture.faults() == "");
  }
}

TEST_CASE("calls: five attempts are all, whatever stood in the way") {
  enum class Obstacle { retry, plugin, lookup };
  for (const Obstacle obstacle : {Obstacle::retry, Obstacle::plugin, Obstacle::lookup}) {
    CAPTURE(static_cast<int>(obstacle));
    for (const ToolHints hints : {acts_once, reads_only}) {
      CallsFixture fixture("t.never", hints);
      FakeTool& tool = fixture.host.tool("t.never");
      if (obstacle == Obstacle::retry) tool.act = answers({Outcome::retry});
      if (obstacle == Obstacle::lookup) {
        // The tool never knows, and its lookup always says that nothing happened.
        tool.act = answers({Outcome::unknown});
        tool.info.has_lookup = true;
        tool.look = [](const host::ToolCall&) { return tool_result(Outcome::retry); };
      }
      if (obstacle == Obstacle::plugin) {
        fixture.host.refuse_calls = Error{ErrorCode::plugin, "host: quarantined"};
      }
      REQUIRE(fixture.open());
      fixture.ingest("job.new");
      for (int round = 0; round < 20; ++round) {
        REQUIRE(fixture.settle());
        fixture.advance(seconds(60));
      }
      CHECK(fixture.only_step().state == StepState::finished);
      CHECK(fixture.only_step().outcome == Outcome::failed);
      CHECK(fixture.only_step().attempt == daemon::call_attempts_max);
      CHECK(fixture.log("limpet.step.started").size() == daemon::call_attempts_max);
      CHECK(fixture.runs()[0].state == RunState::completed);
      CHECK(fixture.faults() == "");
    }
  }
}

TEST_CASE("calls: a host that is stopping uses up no attempt and leaves nothing unknown") {
  CallsFixture fixture("t.once", acts_once);
  fixture.host.refuse_calls = Error{ErrorCode::closed, "host: stopping"};
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.only_step().state == StepState::scheduled);
  fixture.host.refuse_calls.reset();
  REQUIRE(fixture.restart());
  fixture.advance(seconds(2));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.calls.size() == 1);
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: a call that the tool has no room for waits, and begins when there is") {
  CallsFixture fixture("t.read", reads_only);
  fixture.host.refuse_calls = Error{ErrorCode::busy, "host: concurrency"};
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.life->calls.open() == 1);
  CHECK(fixture.life->calls.counters().waited_busy > 0);
  fixture.host.refuse_calls.reset();
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: an unknown outcome without a lookup parks the step and pauses the run") {
  CallsFixture fixture("t.once", acts_once);
  fixture.host.tool("t.once").act = answers({Outcome::unknown});
  REQUIRE(fixture.open());
  fixture.ingest("job.new", "a");
  REQUIRE(fixture.settle());
  CHECK(fixture.only_step().state == StepState::unknown);
  CHECK(fixture.runs()[0].state == RunState::paused);
  CHECK(fixture.runs()[0].reason == "unknown_outcome");
  CHECK(fixture.log("limpet.step.unknown").size() == 1);
  // A paused run takes no turn; its events wait.
  fixture.ingest("job.new", "a");
  fixture.advance(seconds(1000));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 1);
  CHECK(fixture.host.calls.size() == 1);
  CHECK(fixture.runs()[0].inbox_events == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: a person settles an unknown outcome with done, failed or retry") {
  for (const Outcome outcome : {Outcome::done, Outcome::failed, Outcome::retry}) {
    CAPTURE(to_string(outcome));
    CallsFixture fixture("t.once", acts_once);
    fixture.host.tool("t.once").act = answers({Outcome::unknown, Outcome::done});
    REQUIRE(fixture.open());
    fixture.ingest("job.new");
    REQUIRE(fixture.settle());
    const Run run = fixture.runs()[0];
    int settled = 0;
    int refused = 0;
    const api::Resolution resolution{run.id, Ordinal(1), outcome, codec::cbor_item(4),
                                     "seen", "uid:7"};
    const auto note = [&](const api::Answer<std::monostate>& answer) {
      ++(std::holds_alternative<std::monostate>(answer) ? settled : refused);
    };
    fixture.life->calls.resolve(resolution, note);
    // Twice in one breath, as two people or an impatient one would: it is settled once.
    fixture.life->calls.resolve(resolution, note);
    REQUIRE(fixture.settle());
    CHECK(settled == 1);
    CHECK(refused == 1);
    CHECK(fixture.runs()[0].state == RunState::completed);
    CHECK(fixture.log("limpet.step.finished").size() == 1);
    CHECK(fixture.host.calls.size() == (outcome == Outcome::retry ? 2 : 1));
    CHECK(fixture.host.turns.back().outcome == (outcome == Outcome::failed ? "failed" : "done"));
    CHECK(fixture.faults() == "");
    fixture.life->calls.resolve(resolution, note);
    REQUIRE(fixture.settle());
    CHECK(refused == 2);
  }
}

TEST_CASE("calls: a run with two unknown outcomes stays paused until both are settled") {
  // Settling the first one used to wake the run while the other still waited for a person.
  HouseFixture fixture;
  fixture.host.add_tool("t.once", acts_once).act = answers({Outcome::unknown});
  fixture.add_agent("caller", [](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "job.new") {
      decide.call("one", "t.once");
      decide.call("two", "t.once");
    }
  });
  fixture.add_trigger("caller", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  const RunId run = fixture.runs()[0].id;
  CHECK(fixture.faults() == "");
  const auto ignore = [](const api::Answer<std::monostate>&) {};
  fixture.life->calls.resolve({run, Ordinal(2), Outcome::done, {}, {}, "uid:7"}, ignore);
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].state == RunState::paused);
  CHECK(fixture.host.turns.size() == 1);
  CHECK(fixture.faults() == "");
  REQUIRE(fixture.restart());
  fixture.life->calls.resolve({run, Ordinal(1), Outcome::done, {}, {}, "uid:7"}, ignore);
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].state == RunState::waiting);
  CHECK(fixture.host.turns.size() == 3);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: resolving what is not there, or not unknown, is refused") {
  CallsFixture fixture("t.once", acts_once);
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  std::vector<ErrorCode> codes;
  const auto note = [&](const api::Answer<std::monostate>& answer) {
    REQUIRE(std::holds_alternative<api::Refusal>(answer));
    codes.push_back(std::get<api::Refusal>(answer).error.code);
  };
  const RunId run = fixture.runs()[0].id;
  fixture.life->calls.resolve({RunId(99), Ordinal(1), Outcome::done, {}, {}, {}}, note);
  fixture.life->calls.resolve({run, Ordinal(9), Outcome::done, {}, {}, {}}, note);
  fixture.life->calls.resolve({run, Ordinal(1), Outcome::done, {}, {}, {}}, note);
  CHECK(codes ==
        std::vector<ErrorCode>{ErrorCode::not_found, ErrorCode::not_found, ErrorCode::conflict});
}

TEST_CASE("calls: calls of a run that has ended do not begin") {
  HouseFixture fixture;
  fixture.host.add_tool("t.once", acts_once);
  fixture.add_agent("hasty", [](const SeenTurn&, Decide& decide) {
    decide.call("one", "t.once");
    decide.complete();
  });
  fixture.add_trigger("hasty", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.host.calls.empty());
  const std::vector<Step> steps = fixture.steps(fixture.runs()[0].id);
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].state == StepState::finished);
  CHECK(steps[0].outcome == Outcome::failed);
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("calls: no more than calls_open_max at once, and all in the end") {
  CallsFixture fixture("t.slow", reads_only);
  fixture.host.tool("t.slow").slow = true;
  REQUIRE(fixture.open());
  for (int index = 0; index < 100; ++index) fixture.ingest("job.new", std::to_string(index));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.open().size() == daemon::calls_open_max);
  while (!fixture.host.open().empty()) {
    fixture.host.finish(fixture.host.open()[0].id, tool_result(Outcome::done));
    REQUIRE(fixture.settle());
  }
  CHECK(fixture.log("limpet.run.completed").size() == 100);
  CHECK(fixture.faults() == "");
}
