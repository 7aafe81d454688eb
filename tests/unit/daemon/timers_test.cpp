#include <doctest/doctest.h>

#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// Sets a timer of ten seconds, and completes when it fires.
void wait_ten(const SeenTurn& seen, Decide& decide) {
  if (seen.type == "job.new") decide.timer("later", 10000);
  if (seen.step == "later") decide.complete();
}

}  // namespace

TEST_CASE("timers: a timer fires when it is due, once, and not before") {
  HouseFixture fixture;
  fixture.add_agent("waiter", wait_ten);
  fixture.add_trigger("waiter", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.life->timers.next_due());
  CHECK(*fixture.life->timers.next_due() == fixture.life->store->now_ms() + 10000);
  fixture.advance(milliseconds(9999));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 1);
  fixture.advance(milliseconds(1));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 2);
  CHECK(fixture.host.turns[1].outcome == "done");
  fixture.advance(seconds(100));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 2);
  CHECK(fixture.life->timers.fired() == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: a timer survives a restart and fires once") {
  HouseFixture fixture;
  fixture.add_agent("waiter", wait_ten);
  fixture.add_trigger("waiter", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 1);
  fixture.advance(seconds(10));
  // Fired and committed, but nobody heard of it: it must not fire again.
  fixture.life->timers.pump();
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 2);
  CHECK(fixture.log("limpet.step.finished").size() == 1);
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: a clock that is set back makes nothing due early") {
  // A board without a clock begins in 1970. Due times were taken from the wall clock and compared
  // with the store's time, which never goes back: every timer and deadline fired at once.
  HouseFixture fixture;
  run::AgentPolicy policy;
  policy.name = "waiter";
  policy.deadline = seconds(60);
  fixture.add_agent(policy, wait_ten);
  fixture.add_trigger("waiter", "job.new");
  REQUIRE(fixture.open());
  fixture.clock.set_wall(WallTime{0});
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 1);
  CHECK(fixture.runs()[0].state == RunState::waiting);
  fixture.advance(seconds(10));
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].state == RunState::completed);
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: the deadline fails the run, and the key is free again") {
  HouseFixture fixture;
  run::AgentPolicy policy;
  policy.name = "late";
  policy.deadline = seconds(30);
  policy.tools = {"#"};
  fixture.host.add_tool("t.slow", reads_only).slow = true;
  fixture.add_agent(policy, [](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "job.new") decide.call("one", "t.slow");
  });
  fixture.add_trigger("late", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  fixture.advance(seconds(30));
  REQUIRE(fixture.settle());
  REQUIRE(fixture.runs().size() == 1);
  CHECK(fixture.runs()[0].state == RunState::failed);
  CHECK(fixture.runs()[0].reason == "deadline");
  CHECK(fixture.faults() == "");
  // The result that comes too late is noted and wakes nobody.
  fixture.host.finish(fixture.host.open()[0].id, tool_result(Outcome::done));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 1);
  CHECK(fixture.log("limpet.step.finished").size() == 1);
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.runs().size() == 2);
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: events that wait behind a deadline go to the successor") {
  HouseFixture fixture;
  run::AgentPolicy policy;
  policy.name = "late";
  policy.deadline = seconds(30);
  policy.tools = {"#"};
  fixture.host.add_tool("t.once", acts_once).act = [](const host::ToolCall&) {
    return tool_result(Outcome::unknown, "no reply");
  };
  fixture.add_agent(policy, [](const SeenTurn& seen, Decide& decide) {
    if (seen.subject == "first") decide.call("one", "t.once");
  });
  fixture.add_trigger("late", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new", "first");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.runs()[0].state == RunState::paused);
  fixture.ingest("job.new", "second");
  fixture.ingest("job.new", "third");
  REQUIRE(fixture.settle());
  fixture.advance(seconds(30));
  REQUIRE(fixture.settle());
  REQUIRE(fixture.runs().size() == 2);
  CHECK(fixture.runs()[0].reason == "deadline");
  CHECK(fixture.runs()[1].turns == 2);
  CHECK(fixture.host.turns.back().subject == "third");
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: a run that ends leaves its timers void") {
  HouseFixture fixture;
  fixture.add_agent("hasty", [](const SeenTurn&, Decide& decide) {
    decide.timer("later", 1000);
    decide.complete();
  });
  fixture.add_trigger("hasty", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.faults() == "");
  fixture.advance(seconds(2));
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 1);
  CHECK_FALSE(fixture.life->timers.next_due());
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: many that are due at once all fire, a bounded number a round") {
  HouseFixture fixture;
  fixture.add_agent("waiter", wait_ten);
  fixture.add_trigger("waiter", "job.new");
  REQUIRE(fixture.open());
  for (int index = 0; index < 200; ++index) fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  fixture.advance(seconds(60));
  fixture.life->timers.pump();
  CHECK(fixture.life->timers.fired() == daemon::timers_fired_max);
  REQUIRE(fixture.settle());
  CHECK(fixture.life->timers.fired() == 200);
  CHECK(fixture.log("limpet.run.completed").size() == 200);
  CHECK(fixture.faults() == "");
}

TEST_CASE("timers: one run that cannot be read does not hold up the others") {
  // A damaged run header used to keep its timer at the head of the table, due for ever: no other
  // timer fired, and the daemon never slept.
  HouseFixture fixture;
  fixture.add_agent("waiter", wait_ten);
  fixture.add_trigger("waiter", "job.new");
  REQUIRE(fixture.open());
  for (int index = 0; index < 3; ++index) {
    fixture.ingest("job.new");
    REQUIRE(fixture.settle());
  }
  const RunId damaged = fixture.runs()[0].id;
  store::Change change = fixture.life->store->begin();
  change.put(store::run_key(damaged, Ordinal(0)), as_bytes("damaged"));
  REQUIRE(fixture.life->store->submit(std::move(change)).ok());
  REQUIRE(fixture.restart());
  fixture.advance(seconds(60));
  REQUIRE(fixture.settle());
  CHECK(fixture.log("limpet.run.completed").size() == 2);
  const auto due = fixture.life->timers.next_due();
  CHECK((!due || *due > fixture.life->store->now_ms()));
}
