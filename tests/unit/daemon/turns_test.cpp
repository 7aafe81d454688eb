#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// Counts its events in its state, and does nothing else.
void count_events(const SeenTurn& seen, Decide& decide) { decide.state(seen.count + 1); }

}  // namespace

TEST_CASE(
    "turns: an event with a trigger starts a run, the key's next event goes to the same run") {
  HouseFixture fixture;
  fixture.add_agent("counter", count_events);
  fixture.add_trigger("counter", "sensor.*", "{subject}");
  REQUIRE(fixture.open());
  fixture.ingest("sensor.reading", "boiler");
  REQUIRE(fixture.settle());
  fixture.ingest("sensor.reading", "boiler");
  fixture.ingest("sensor.reading", "pump");
  fixture.ingest("other.reading", "boiler");
  REQUIRE(fixture.settle());

  const std::vector<Run> runs = fixture.runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].key == "boiler");
  CHECK(runs[0].turns == 2);
  CHECK(runs[1].key == "pump");
  CHECK(runs[1].turns == 1);
  CHECK(runs[0].state == RunState::waiting);
  CHECK(fixture.log("limpet.run.created").size() == 2);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: without a key every event starts a run of its own") {
  HouseFixture fixture;
  fixture.add_agent("counter", count_events);
  fixture.add_trigger("counter", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest({make_event("job.new"), make_event("job.new"), make_event("job.new")});
  REQUIRE(fixture.settle());
  CHECK(fixture.runs().size() == 3);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: two triggers that bring one event to one run deliver it once") {
  // The second delivery used to be counted although its inbox row was the first one's: the run then
  // stood among the ready ones with an empty inbox and never moved again.
  HouseFixture fixture;
  fixture.add_agent("counter", count_events);
  fixture.add_trigger("counter", "sensor.*", "{subject}");
  fixture.add_trigger("counter", "#", "{subject}");
  REQUIRE(fixture.open());
  fixture.ingest("sensor.reading", "boiler");
  REQUIRE(fixture.settle());
  fixture.ingest("sensor.reading", "boiler");
  REQUIRE(fixture.settle());
  const std::vector<Run> runs = fixture.runs();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].turns == 2);
  CHECK(runs[0].inbox_events == 0);
  CHECK(fixture.faults() == "");
}

TEST_CASE(
    "turns: state, emits, calls and the acknowledgement of one turn become visible together") {
  HouseFixture fixture;
  fixture.host.add_tool("t.slow", reads_only).slow = true;
  fixture.add_agent("worker", [](const SeenTurn& seen, Decide& decide) {
    if (seen.type != "job.new") return;
    decide.state(7);
    decide.emit("job.noted", "x");
    decide.call("one", "t.slow");
    decide.timer("later", 5000);
  });
  fixture.add_trigger("worker", "job.new", "{subject}");
  REQUIRE(fixture.open());
  fixture.ingest("job.new", "a");
  fixture.life->store->drain();
  REQUIRE(fixture.runs().size() == 1);
  CHECK(fixture.runs()[0].state == RunState::queued);
  CHECK(fixture.runs()[0].inbox_events == 1);

  // The decision is made, and none of it is to be seen.
  size_t seen_before_commit = 0;
  fixture.host.before_turn = [&](const SeenTurn&) { seen_before_commit = fixture.log().size(); };
  fixture.life->turns.pump();
  CHECK(seen_before_commit == 2);
  fixture.life->store->drain();

  const Run run = fixture.runs()[0];
  CHECK(run.state == RunState::waiting);
  CHECK(run.inbox_events == 0);
  CHECK(run.turns == 1);
  CHECK(run.steps_open == 2);
  CHECK(fixture.state_of(run) == ByteVector{7});
  CHECK(fixture.log("job.noted").size() == 1);
  const std::vector<Step> steps = fixture.steps(run.id);
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].ready_ticket != 0);
  CHECK(steps[1].kind == StepKind::timer);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: what an agent emits names its cause and is not brought back to it") {
  HouseFixture fixture;
  fixture.add_agent("echo", [](const SeenTurn&, Decide& decide) { decide.emit("ping.pong"); });
  fixture.add_agent("other", count_events);
  fixture.add_trigger("echo", "ping.*", "all");
  fixture.add_trigger("other", "ping.pong", "all");
  REQUIRE(fixture.open());
  fixture.ingest("ping.start");
  REQUIRE(fixture.settle());
  const std::vector<Event> emitted = fixture.log("ping.pong");
  REQUIRE(emitted.size() == 1);
  CHECK(emitted[0].causation == qualified_id(Epoch(42), 1));
  CHECK(emitted[0].principal == "agent:echo");
  const std::vector<Run> runs = fixture.runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].turns == 1);
  CHECK(runs[1].agent == "other");
  CHECK(runs[1].turns == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: a large state is kept in parts and shrinks again") {
  HouseFixture fixture;
  fixture.add_agent("big", [](const SeenTurn& seen, Decide& decide) {
    const size_t bytes = seen.subject == "large" ? 60000 : 10;
    decide.raw_state(codec::cbor_item(codec::CborScalar(std::string(bytes, 's'))));
  });
  fixture.add_trigger("big", "set", "one");
  REQUIRE(fixture.open());
  fixture.ingest("set", "large");
  REQUIRE(fixture.settle());
  CHECK(fixture.state_of(fixture.runs()[0]).size() == 60003);
  CHECK(fixture.faults() == "");
  fixture.ingest("set", "small");
  REQUIRE(fixture.settle());
  CHECK(fixture.state_of(fixture.runs()[0]).size() == 11);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: three failures of one turn fail the run with its reason") {
  HouseFixture fixture;
  fixture.add_agent("broken", [](const SeenTurn&, Decide& decide) {
    decide.refuse(Error{ErrorCode::plugin, "host: turn"}, "it fell over");
  });
  fixture.add_trigger("broken", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    REQUIRE(fixture.settle());
    CHECK(fixture.host.turns.size() == static_cast<size_t>(attempt));
    CHECK(fixture.runs()[0].turn_attempts == static_cast<uint32_t>(attempt));
    CHECK(fixture.faults() == "");
    fixture.advance(seconds(1));
  }
  REQUIRE(fixture.settle());
  CHECK(fixture.host.turns.size() == 3);
  const Run run = fixture.runs()[0];
  CHECK(run.state == RunState::failed);
  CHECK(run.reason == "agent_error");
  const std::vector<Event> failed = fixture.log("limpet.run.failed");
  REQUIRE(failed.size() == 1);
  CHECK(member(failed[0], "reason") == "agent_error");
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: a repeated turn sees the same time and seed") {
  HouseFixture fixture;
  int attempts = 0;
  fixture.add_agent("shaky", [&](const SeenTurn&, Decide& decide) {
    if (++attempts == 1) decide.garbage({0xff});
  });
  fixture.add_trigger("shaky", "job.new");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  fixture.advance(seconds(5));
  REQUIRE(fixture.settle());
  REQUIRE(fixture.host.turns.size() == 2);
  CHECK(fixture.host.turns[0].now_ms == fixture.host.turns[1].now_ms);
  CHECK(fixture.host.turns[0].seed == fixture.host.turns[1].seed);
  CHECK(fixture.runs()[0].turn_attempts == 0);
  CHECK(fixture.runs()[0].state == RunState::waiting);
}

TEST_CASE("turns: a host that is stopping is no failure of the agent") {
  // Each refusal by a host that was going down used to count as one of the three attempts, so that
  // a restart could fail runs whose agent was in good health.
  HouseFixture fixture;
  bool closing = true;
  fixture.add_agent("counter", [&](const SeenTurn& seen, Decide& decide) {
    if (closing) return decide.refuse(Error{ErrorCode::closed, "host: stopping"}, "stopping");
    count_events(seen, decide);
  });
  fixture.add_trigger("counter", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].turn_attempts == 0);
  closing = false;
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].turns == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: the budget of turns fails the run before the agent is asked") {
  HouseFixture fixture;
  run::AgentPolicy policy;
  policy.name = "bounded";
  policy.turns_max = 2;
  fixture.add_agent(policy, count_events);
  fixture.add_trigger("bounded", "job.new", "one");
  REQUIRE(fixture.open());
  for (int index = 0; index < 3; ++index) {
    fixture.ingest("job.new");
    REQUIRE(fixture.settle());
  }
  CHECK(fixture.host.turns.size() == 2);
  REQUIRE(fixture.runs().size() == 1);
  CHECK(fixture.runs()[0].state == RunState::failed);
  CHECK(fixture.runs()[0].reason == "budget_turns");
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: a decision over the budget of open steps begins none of them") {
  HouseFixture fixture;
  fixture.host.add_tool("t.quick", reads_only);
  run::AgentPolicy policy;
  policy.name = "wide";
  policy.tools = {"t.*"};
  policy.steps_open_max = 2;
  fixture.add_agent(policy, [](const SeenTurn&, Decide& decide) {
    for (const char* name : {"a", "b", "c"}) decide.call(name, "t.quick");
  });
  fixture.add_trigger("wide", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.host.calls.empty());
  CHECK(fixture.runs()[0].reason == "budget_steps");
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: a denied or missing tool is an answer to the agent, and never called") {
  HouseFixture fixture;
  fixture.host.add_tool("t.quick", reads_only);
  run::AgentPolicy policy;
  policy.name = "bold";
  policy.tools = {"allowed.*"};
  fixture.add_agent(policy, [](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "job.new") {
      decide.call("one", "t.quick");
      decide.call("two", "t.missing");
    }
  });
  fixture.add_trigger("bold", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.host.calls.empty());
  REQUIRE(fixture.host.turns.size() == 3);
  CHECK(fixture.host.turns[1].step == "one");
  CHECK(fixture.host.turns[1].outcome == "failed");
  CHECK(fixture.host.turns[1].error.starts_with("denied: "));
  CHECK(fixture.host.turns[2].step == "two");
  CHECK(fixture.log("limpet.policy.denied").size() == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: events queued behind a run that completes go to its successor, none is lost") {
  HouseFixture fixture;
  std::vector<std::pair<std::string, uint64_t>> handled;
  fixture.add_agent("single", [&](const SeenTurn& seen, Decide& decide) {
    handled.emplace_back(seen.run, seen.sequence);
    decide.complete();
  });
  fixture.add_trigger("single", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest({make_event("job.new"), make_event("job.new"), make_event("job.new")});
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  REQUIRE(handled.size() == 4);
  for (size_t index = 1; index < handled.size(); ++index) {
    CHECK(handled[index].first != handled[index - 1].first);
    CHECK(handled[index].second > handled[index - 1].second);
  }
  CHECK(fixture.log("limpet.run.completed").size() == 4);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: an event whose turn is on its way to the disk does not go to the successor too") {
  // A deadline or a cancellation may end a run while its last turn is being committed. The inbox
  // row of that turn was still on disk then, and the successor got the event a second time.
  HouseFixture fixture;
  std::vector<uint64_t> handled;
  run::AgentPolicy policy;
  policy.name = "slow";
  policy.deadline = seconds(10);
  fixture.add_agent(policy,
                    [&](const SeenTurn& seen, Decide&) { handled.push_back(seen.sequence); });
  fixture.add_trigger("slow", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest({make_event("job.new"), make_event("job.new")});
  fixture.life->store->drain();
  fixture.advance(seconds(11));
  fixture.life->turns.pump();   // the first event is decided on
  fixture.life->timers.pump();  // and the run ends before main hears of that commit
  REQUIRE(fixture.settle());
  CHECK(handled == std::vector<uint64_t>{1, 2});
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: a run whose agent is not configured waits for one that is") {
  HouseFixture fixture;
  fixture.add_agent("counter", count_events);
  fixture.add_trigger("counter", "job.new", "one");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  fixture.life->store->drain();
  const daemon::Agents configured = fixture.agents;
  fixture.agents = {};
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.life->turns.counters().orphaned == 1);
  fixture.agents = configured;
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].turns == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: runs that rest cost no memory") {
  // A run that was looked at and not changed used to stay in memory for ever.
  HouseFixture fixture;
  fixture.host.add_tool("t.quick", acts_once);
  fixture.add_agent("worker", [](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "job.new") decide.timer("later", 1000);
    if (seen.step == "later") decide.call("one", "t.quick");
    if (seen.step == "one") decide.complete();
  });
  fixture.add_trigger("worker", "job.new", "{subject}");
  REQUIRE(fixture.open());
  for (int index = 0; index < 50; ++index) {
    fixture.ingest("job.new", std::to_string(index % 20));
    if (index % 10 == 0) REQUIRE(fixture.settle());
    fixture.advance(milliseconds(300));
  }
  for (int round = 0; round < 10; ++round) {
    REQUIRE(fixture.settle());
    fixture.advance(seconds(1));
  }
  CHECK(fixture.life->runs.count() == 0);
  CHECK(fixture.faults() == "");
}

TEST_CASE("turns: an event that cannot be read ends its run and says so; its key goes on") {
  HouseFixture fixture;
  fixture.add_agent("counter", count_events);
  fixture.add_trigger("counter", "sensor.*", "{subject}");
  REQUIRE(fixture.open());
  fixture.ingest("sensor.reading", "boiler");
  fixture.life->store->drain();
  // The first event of a new store is this one; its turn has not been taken yet.
  store::Change change = fixture.life->store->begin();
  change.put(store::log_key(fixture.runs()[0].input, 0), as_bytes("damaged"));
  REQUIRE(fixture.life->store->submit(std::move(change)).ok());
  REQUIRE(fixture.settle());
  REQUIRE(fixture.runs().size() == 1);
  CHECK(fixture.runs()[0].state == RunState::failed);
  CHECK(fixture.runs()[0].reason == run_reason::event_unreadable);

  fixture.ingest("sensor.reading", "boiler");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.runs().size() == 2);
  CHECK(fixture.runs()[1].turns == 1);
}

TEST_CASE("turns: a chain of triggers ends at its limit, and that is counted") {
  // Each run that begins is an event, and that event begins a run.
  HouseFixture fixture;
  fixture.add_agent("counter", count_events);
  fixture.add_trigger("counter", "job.new");
  fixture.add_trigger("counter", "limpet.run.created");
  REQUIRE(fixture.open());
  fixture.ingest("job.new");
  REQUIRE(fixture.settle());
  CHECK(fixture.runs().size() == static_cast<size_t>(daemon::trigger_depth_max));
  CHECK(fixture.life->house.drops.trigger_depth == 1);
  CHECK(fixture.faults() == "");
}
