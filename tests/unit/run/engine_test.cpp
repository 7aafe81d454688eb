#include "run/engine.hpp"

#include <doctest/doctest.h>

#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"

using namespace limpet;
using namespace limpet::run;
using codec::cbor_map;

namespace {

constexpr ToolHints reads{true, false, true, false};
constexpr ToolHints acts{false, false, false, true};
const Moment moment{WallTime{1000000000}, Epoch(42)};

Run make_run() {
  Run run;
  run.id = RunId(7);
  run.epoch = Epoch(42);
  run.agent = "agent";
  run.key = "key";
  run.state = RunState::waiting;
  run.correlation = "c-1";
  run.tenant = "acme";
  return run;
}

AgentPolicy make_policy() {
  AgentPolicy policy;
  policy.name = "agent";
  policy.tools = {"t.*"};
  policy.autonomy = Autonomy::full;
  return policy;
}

// The tools t.read and t.act exist.
const FindTool find_tool = [](std::string_view name) -> const ToolHints* {
  if (name == "t.read" || name == "x.read") return &reads;
  return name == "t.act" ? &acts : nullptr;
};

Effects decide(const Run& run, std::vector<Command> commands,
               const AgentPolicy& policy = make_policy()) {
  Decision decision;
  decision.commands = std::move(commands);
  return apply_decision(run, decision, {policy, find_tool, moment, Sequence(99)});
}

std::vector<std::string> types(const Effects& effects) {
  std::vector<std::string> result;
  for (const NewEvent& one : effects.events) result.push_back(one.event.type);
  return result;
}

// A member of an event's data, as text.
std::string member(const NewEvent& one, std::string_view key) {
  codec::CborReader reader(one.event.data);
  for (size_t left = reader.map(); left > 0 && reader.ok(); --left) {
    const bool wanted = reader.text() == key;
    if (wanted && reader.peek() == codec::CborKind::text) return std::string(reader.text());
    if (wanted && reader.peek() == codec::CborKind::uint) return std::to_string(reader.uint());
    reader.skip();
  }
  return {};
}

Step open_call(const std::string& tool) {
  Step step;
  step.ordinal = Ordinal(1);
  step.name = "one";
  step.tool = tool;
  step.arguments = cbor_map({{"x", 1}});
  return step;
}

using Types = std::vector<std::string>;

}  // namespace

TEST_CASE("engine: a run that a caller begins is woken by its own created event") {
  RunRequest request;
  request.id = RunId(7);
  request.key = "key";
  request.principal = "uid:1";
  request.priority = 8;
  request.input = codec::cbor_item(5);
  AgentPolicy policy = make_policy();
  policy.deadline = seconds(10);
  const Effects effects = begin_run(policy, request, moment);
  CHECK(effects.run.id == RunId(7));
  CHECK(effects.run.epoch == Epoch(42));
  CHECK(effects.run.priority == 8);
  CHECK(effects.run.input == Sequence(7));
  CHECK(effects.run.deadline == moment.now + seconds(10));
  CHECK(types(effects) == Types{"limpet.run.created"});
  CHECK(effects.events[0].deliver);
  CHECK(effects.events[0].event.principal == "uid:1");
  CHECK(member(effects.events[0], "input") == "5");
  CHECK(member(effects.events[0], "agent") == "agent");
}

TEST_CASE("engine: a run that an event begins is woken by that event alone") {
  RunRequest request;
  request.id = RunId(7);
  request.cause = Sequence(5);
  request.deadline = seconds(3);
  const Effects effects = begin_run(make_policy(), request, moment);
  CHECK_FALSE(effects.events[0].deliver);
  CHECK(effects.run.input == Sequence(5));
  CHECK(effects.run.deadline == moment.now + seconds(3));
  CHECK(effects.events[0].event.causation == qualified_id(Epoch(42), 5));
  CHECK(member(effects.events[0], "trigger") == qualified_id(Epoch(42), 5));
}

TEST_CASE("engine: a turn counts, takes the new state and forgets failed attempts") {
  Run run = make_run();
  run.turn_attempts = 2;
  run.turns = 4;
  Decision decision;
  decision.has_state = true;
  decision.state = {0x01};
  decision.state_version = 3;
  const AgentPolicy policy = make_policy();
  const Effects effects = apply_decision(run, decision, {policy, find_tool, moment, Sequence(99)});
  CHECK(effects.run.turns == 5);
  CHECK(effects.run.turn_attempts == 0);
  CHECK(effects.run.updated == moment.now);
  CHECK(effects.state == ByteVector{0x01});
  CHECK(effects.run.state_version == 3);
  const Effects without = decide(run, {});
  CHECK_FALSE(without.state);
  CHECK(without.run.state_version == 0);
}

TEST_CASE("engine: a repeatable call is started with the turn, another one only queued") {
  const Effects effects = decide(
      make_run(), {CallCommand{"one", "t.read", {0xa0}}, CallCommand{"two", "t.act", {0xa0}}});
  CHECK(types(effects) == Types{"limpet.step.started"});
  CHECK(effects.events[0].step == Ordinal(1));
  CHECK(effects.events[0].event.causation == qualified_id(Epoch(42), 99));
  CHECK(member(effects.events[0], "key") == call_key(Epoch(42), RunId(7), "one", Ordinal(1)));
  CHECK(effects.calls == std::vector<Ordinal>{Ordinal(1), Ordinal(2)});
  REQUIRE(effects.steps.size() == 2);
  CHECK(effects.steps[0].attempt == 1);
  CHECK(effects.steps[1].attempt == 0);
  CHECK(effects.steps[1].state == StepState::scheduled);
  CHECK(effects.run.steps == 2);
  CHECK(effects.run.steps_open == 2);
}

TEST_CASE("engine: a denied call is finished at once, with a record for the auditor") {
  const Effects effects = decide(make_run(), {CallCommand{"one", "x.read", {0xa0}}});
  CHECK(types(effects) == Types{"limpet.policy.denied", "limpet.step.finished"});
  CHECK_FALSE(effects.events[0].deliver);
  CHECK(effects.events[1].deliver);
  CHECK(member(effects.events[0], "why") == "the agent's tool list does not name this tool");
  CHECK(member(effects.events[1], "outcome") == "failed");
  CHECK(member(effects.events[1], "error") ==
        "denied: the agent's tool list does not name this tool");
  CHECK(effects.calls.empty());
  CHECK(effects.steps[0].state == StepState::finished);
  CHECK(effects.steps[0].arguments.empty());
  CHECK(effects.run.steps_open == 0);
}

TEST_CASE("engine: a call of a tool that no plugin offers is finished at once") {
  const Effects effects = decide(make_run(), {CallCommand{"one", "t.none", {0xa0}}});
  CHECK(types(effects) == Types{"limpet.step.finished"});
  CHECK(effects.steps[0].error == "no loaded plugin offers the tool t.none");
}

TEST_CASE("engine: an emit carries the run's attributes and its cause") {
  const Effects effects = decide(make_run(), {EmitCommand{"job.done", "s", {0x05}}});
  REQUIRE(effects.events.size() == 1);
  const Event& event = effects.events[0].event;
  CHECK(event.type == "job.done");
  CHECK(event.subject == "s");
  CHECK(event.data == ByteVector{0x05});
  CHECK(event.run == RunId(7));
  CHECK(event.correlation == "c-1");
  CHECK(event.tenant == "acme");
  CHECK(event.principal == "agent:agent");
  CHECK(event.time == moment.now);
  CHECK(event.causation == qualified_id(Epoch(42), 99));
  CHECK_FALSE(effects.events[0].deliver);
}

TEST_CASE("engine: a timer is a step that is due later") {
  const Effects effects = decide(make_run(), {TimerCommand{"later", 1500}});
  CHECK(effects.events.empty());
  REQUIRE(effects.steps.size() == 1);
  CHECK(effects.steps[0].kind == StepKind::timer);
  CHECK(effects.steps[0].due == moment.now + milliseconds(1500));
  CHECK(effects.timers == std::vector<Ordinal>{Ordinal(1)});
  const Effects fired = finish_step(effects.run, effects.steps[0], {}, moment);
  CHECK(types(fired) == Types{"limpet.step.finished"});
  CHECK(member(fired.events[0], "step") == "later");
  CHECK(member(fired.events[0], "tool").empty());
  CHECK(fired.run.steps_open == 0);
}

TEST_CASE("engine: complete and fail end the run, the end's event is the last") {
  const Effects done =
      decide(make_run(), {EmitCommand{"a.b", "", {}}, CompleteCommand{codec::cbor_item("bye")}});
  CHECK(done.ended);
  CHECK(done.run.state == RunState::completed);
  CHECK(types(done) == Types{"a.b", "limpet.run.completed"});
  CHECK(member(done.events[1], "output") == "bye");
  const Effects failed = decide(make_run(), {FailCommand{"no power"}});
  CHECK(failed.run.state == RunState::failed);
  CHECK(failed.run.reason == "no power");
  CHECK(types(failed) == Types{"limpet.run.failed"});
  CHECK(member(failed.events[0], "reason") == "no power");
}

TEST_CASE("engine: over the budget of open steps nothing of the decision begins") {
  AgentPolicy policy = make_policy();
  policy.steps_open_max = 2;
  Run run = make_run();
  run.steps = 5;
  run.steps_open = 1;
  const std::vector<Command> two = {CallCommand{"a", "t.read", {0xa0}}, TimerCommand{"b", 1}};
  const Effects over = decide(run, two, policy);
  CHECK(over.ended);
  CHECK(over.run.state == RunState::failed);
  CHECK(over.run.reason == "budget_steps");
  CHECK(types(over) == Types{"limpet.run.failed"});
  CHECK(over.calls.empty());
  CHECK(over.timers.empty());
  CHECK(over.steps.empty());
  CHECK(over.run.steps_open == 1);
  run.steps_open = 0;
  CHECK_FALSE(decide(run, two, policy).ended);
  // What is finished at once is not open.
  run.steps_open = 2;
  CHECK_FALSE(decide(run, {CallCommand{"a", "t.none", {0xa0}}}, policy).ended);
}

TEST_CASE("engine: the budget of turns, and no limit when it is zero") {
  AgentPolicy policy = make_policy();
  Run run = make_run();
  policy.turns_max = 3;
  run.turns = 2;
  CHECK(turn_refusal(run, policy).empty());
  run.turns = 3;
  CHECK(turn_refusal(run, policy) == "budget_turns");
  policy.turns_max = 0;
  CHECK(turn_refusal(run, policy).empty());
}

TEST_CASE("engine: starting a step records the attempt before it is made") {
  const Effects effects = start_step(make_run(), open_call("t.act"), moment);
  REQUIRE(effects.steps.size() == 1);
  CHECK(effects.steps[0].state == StepState::started);
  CHECK(effects.steps[0].attempt == 1);
  CHECK(types(effects) == Types{"limpet.step.started"});
  CHECK(member(effects.events[0], "attempt") == "1");
  CHECK(effects.events[0].step == Ordinal(1));
  CHECK(effects.calls.empty());
}

TEST_CASE("engine: a result closes the step, is delivered, and a final run only notes it") {
  Run run = make_run();
  run.steps_open = 1;
  const StepResult result{Outcome::failed, std::string(600, 'e'), codec::cbor_item(5), {}};
  const Effects effects = finish_step(run, open_call("t.act"), result, moment);
  CHECK(effects.run.steps_open == 0);
  CHECK(effects.steps[0].state == StepState::finished);
  CHECK(effects.steps[0].outcome == Outcome::failed);
  CHECK(effects.steps[0].error.size() == 512);
  CHECK(effects.steps[0].arguments.empty());
  CHECK(effects.events[0].deliver);
  CHECK(effects.events[0].event.principal == "agent:agent");
  CHECK(member(effects.events[0], "value") == "5");
  run.state = RunState::failed;
  const Effects late = finish_step(run, open_call("t.act"), result, moment);
  CHECK_FALSE(late.events[0].deliver);
  CHECK(late.run.state == RunState::failed);
}

TEST_CASE("engine: a postponed call goes back into the queue and tells why") {
  Run run = make_run();
  Step step = open_call("t.act");
  step.state = StepState::started;
  step.attempt = 1;
  const Effects once = postpone_step(run, step, {"busy", 2000, false}, moment);
  CHECK(once.steps[0].state == StepState::scheduled);
  CHECK(once.steps[0].attempt == 1);
  CHECK(once.calls == std::vector<Ordinal>{Ordinal(1)});
  CHECK(types(once) == Types{"limpet.step.progress"});
  CHECK(member(once.events[0], "error") == "busy");
  CHECK(member(once.events[0], "retry_after_ms") == "2000");
  const Effects again = postpone_step(run, step, {"busy", 2000, true}, moment);
  CHECK(again.steps[0].attempt == 2);
  CHECK(types(again) == Types{"limpet.step.progress", "limpet.step.started"});
}

TEST_CASE("engine: parking pauses the run; a person's result or retry wakes it") {
  Run run = make_run();
  run.steps_open = 1;
  Step step = open_call("t.act");
  step.state = StepState::started;
  step.attempt = 1;
  const Effects parked = park_step(run, step, "no reply", moment);
  CHECK(parked.run.state == RunState::paused);
  CHECK(parked.run.reason == "unknown_outcome");
  CHECK(parked.steps[0].state == StepState::unknown);
  CHECK(types(parked) == Types{"limpet.step.unknown"});
  CHECK(member(parked.events[0], "why") == "no reply");
  CHECK(parked.run.steps_open == 1);

  const StepResult by_hand{Outcome::done, {}, {}, "uid:7"};
  const Effects done = finish_step(parked.run, parked.steps[0], by_hand, moment);
  CHECK(done.run.state == RunState::waiting);
  CHECK(done.run.reason.empty());
  CHECK(done.events[0].event.principal == "uid:7");

  const Effects again = retry_step(parked.run, parked.steps[0], "uid:7", moment);
  CHECK(again.run.state == RunState::waiting);
  CHECK(again.steps[0].state == StepState::scheduled);
  CHECK(again.steps[0].attempt == 1);
  CHECK(again.steps[0].error.empty());
  CHECK(again.calls == std::vector<Ordinal>{Ordinal(1)});
  CHECK(again.events[0].event.principal == "uid:7");
}

TEST_CASE("engine: the result of another step does not wake a paused run") {
  Run run = make_run();
  run.steps_open = 2;
  Step unknown = open_call("t.act");
  unknown.state = StepState::started;
  const Effects parked = park_step(run, unknown, "no reply", moment);
  Step other = open_call("t.read");
  other.ordinal = Ordinal(2);
  CHECK(finish_step(parked.run, other, {}, moment).run.state == RunState::paused);
}

TEST_CASE("engine: a step of a final run is parked without pausing it") {
  Run run = make_run();
  run.state = RunState::failed;
  run.reason = "deadline";
  Step step = open_call("t.act");
  step.state = StepState::started;
  const Effects parked = park_step(run, step, "no reply", moment);
  CHECK(parked.run.state == RunState::failed);
  CHECK(parked.run.reason == "deadline");
  const Effects again = retry_step(parked.run, parked.steps[0], "uid:7", moment);
  CHECK(again.run.state == RunState::failed);
}

TEST_CASE("engine: ending a run names who did it and why") {
  const Effects effects =
      end_run(make_run(), {RunState::cancelled, "not needed", {}, "uid:7"}, moment);
  CHECK(effects.ended);
  CHECK(effects.run.state == RunState::cancelled);
  CHECK(types(effects) == Types{"limpet.run.cancelled"});
  CHECK(effects.events[0].event.principal == "uid:7");
  CHECK(member(effects.events[0], "reason") == "not needed");
}

TEST_CASE("engine: settling says what the inbox says; paused and final stay") {
  Run run = make_run();
  run.inbox_events = 1;
  settle(run);
  CHECK(run.state == RunState::queued);
  run.inbox_events = 0;
  settle(run);
  CHECK(run.state == RunState::waiting);
  for (const RunState state : {RunState::paused, RunState::completed, RunState::failed}) {
    run.state = state;
    run.inbox_events = 3;
    settle(run);
    CHECK(run.state == state);
  }
}

TEST_CASE("engine: equal arguments have equal effects") {
  const std::vector<Command> commands = {CallCommand{"one", "t.read", {0xa0}},
                                         TimerCommand{"two", 5}, EmitCommand{"a.b", "", {}}};
  const Effects first = decide(make_run(), commands);
  const Effects second = decide(make_run(), commands);
  REQUIRE(first.events.size() == second.events.size());
  for (size_t index = 0; index < first.events.size(); ++index) {
    CHECK(first.events[index].event.data == second.events[index].event.data);
    CHECK(first.events[index].event.type == second.events[index].event.type);
  }
}
