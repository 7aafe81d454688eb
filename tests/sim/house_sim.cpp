#include "tests/sim/house_sim.hpp"

#include <algorithm>

#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"

namespace limpet::testing {

namespace {

constexpr uint64_t subjects = 5;
constexpr uint64_t repeat_within_ms = 200000;  // surely inside the window of the deduplication

bool acts_only_once(std::string_view tool) { return tool == "t.slow_once" || tool == "t.once"; }

std::string key_of(const Run& run, const Step& step) {
  return call_key(run.epoch, run.id, step.name, step.ordinal);
}

}  // namespace

HouseSim::HouseSim(uint64_t seed) : engine_(seed) {
  fixture_.options.max_bytes = 64 << 20;
  add_tools();
  add_agents();
  fixture_.add_trigger("worker", "job.new", "{subject}");
  fixture_.add_trigger("worker", "job.*", "{subject}");  // the same again: delivered once
  fixture_.add_trigger("audit", "job.new", "{subject}");
  fixture_.add_trigger("audit", "work.#", "{subject}");
}

void HouseSim::add_tools() {
  const auto acting = [this](const host::ToolCall& call) { return act(call); };
  const auto looking = [this](const host::ToolCall& call) { return look(call); };
  fixture_.host.add_tool("t.read", reads_only).act = acting;
  fixture_.host.add_tool("t.once", acts_once).act = acting;
  FakeTool& repeatable = fixture_.host.add_tool("t.slow_repeatable", acts_repeatably);
  repeatable.act = acting;
  repeatable.slow = true;
  FakeTool& once = fixture_.host.add_tool("t.slow_once", acts_once);
  once.act = acting;
  once.slow = true;
  once.info.has_lookup = true;
  once.look = looking;
}

void HouseSim::add_agents() {
  run::AgentPolicy worker;
  worker.name = "worker";
  worker.tools = {"t.*"};
  worker.steps_open_max = 1000000;
  worker.autonomy = run::Autonomy::full;
  fixture_.add_agent(worker, [this](const SeenTurn& seen, Decide& decide) {
    // At most two errors of one turn, whatever crashes made of them: three would fail the run.
    const std::string turn = seen.run + "/" + std::to_string(seen.sequence);
    if (chance(3) && agent_errors_[turn]++ < 2) {
      return decide.refuse(Error{ErrorCode::plugin, "sim: turn"}, "as the dice say");
    }
    work(seen, decide);
  });
  fixture_.add_agent("audit", [](const SeenTurn& seen, Decide& decide) {
    decide.state(seen.count + 1);
    if (seen.seed % 4 == 0) decide.complete();
  });
}

// A reducer as every agent must be: it sees nothing but its arguments. Its state counts open steps.
void HouseSim::work(const SeenTurn& seen, Decide& decide) {
  uint64_t open = seen.count;
  if (seen.type == "limpet.step.finished") {
    --open;
  } else {
    const uint64_t dice = seen.seed % 8;
    if (dice == 0 || dice == 5) decide.call("once", "t.once"), ++open;
    if (dice == 1 || dice == 5) decide.call("slow", "t.slow_once"), ++open;
    if (dice == 2 || dice == 5) decide.call("read", "t.read"), ++open;
    if (dice == 3) decide.call("repeat", "t.slow_repeatable"), ++open;
    if (dice == 4 || dice == 5) decide.timer("later", seen.seed / 8 % 5000), ++open;
    if (dice == 6) decide.call("none", "t.none"), ++open;
    decide.emit("work.begun", seen.subject);
  }
  decide.state(open);
  const bool hasty = seen.seed / 64 % 16 == 0;
  if (open == 0 || hasty) {
    if (hasty) decide.emit("work.hasty", "s0");
    decide.complete();
  }
}

host::ToolResult HouseSim::act(const host::ToolCall& call) {
  const uint64_t dice = random(20);
  const bool once = acts_only_once(call.tool);
  const auto note = [&] {
    if (!once) return;
    ++counts_.acts;
    if (++acts_[call.key] > 1) fail("the tool acted twice for " + call.key);
  };
  if (dice < 3) return tool_result(Outcome::retry, "not now");
  if (dice < 5) return tool_result(Outcome::failed, "it cannot");
  if (dice < 8) {
    if (chance(50)) note();
    return tool_result(Outcome::unknown, "no reply");
  }
  note();
  return tool_result(Outcome::done);
}

Result<host::ToolResult> HouseSim::look(const host::ToolCall& call) {
  const uint64_t dice = random(10);
  if (dice == 0) return Error{ErrorCode::timeout, "sim: lookup"};
  if (dice == 1) return tool_result(Outcome::unknown, "cannot say");
  return tool_result(acts_.contains(call.key) ? Outcome::done : Outcome::retry);
}

std::string HouseSim::run(int ticks) {
  if (!fixture_.open()) return "the store did not open";
  for (int index = 0; index < ticks && fault_.empty(); ++index) {
    tick();
    fixture_.wait_writer();
    if (index % 100 == 99 && !dying_) check_now("at tick " + std::to_string(index));
  }
  if (fault_.empty()) crash();
  if (fault_.empty()) come_to_rest();
  if (fault_.empty()) check_log();
  if (fault_.empty()) check_runs();
  return fault_;
}

void HouseSim::tick() {
  Life& life = *fixture_.life;
  switch (random(20)) {
    case 0:
    case 1:
    case 2: return send_new();
    case 3: return send_again();
    case 4:
    case 5:
    case 6: return life.turns.pump();
    case 7:
    case 8:
    case 9:
      if (chance(10)) fixture_.host.refuse_calls = Error{ErrorCode::busy, "sim: no room"};
      life.calls.pump();
      fixture_.host.refuse_calls.reset();
      return;
    case 10: return life.timers.pump();
    case 11:
    case 12:
    case 13:
    case 14: life.store->deliver(); return life.runs.sweep();
    case 15:
    case 16: return finish_one();
    case 17: return resolve_one();
    case 18: return move_clock();
    default:
      if (chance(50)) return crash();
      if (dying_ || chance(50)) return;
      dying_ = true;
      return fixture_.break_disk();
  }
}

void HouseSim::send_new() {
  Request request;
  const uint64_t count = 1 + random(4);
  for (uint64_t index = 0; index < count; ++index) {
    const uint64_t number = sent_.size() + 1;
    Sent& sent = sent_[number];
    sent.subject = "s" + std::to_string(random(subjects));
    if (chance(60)) sent.id = "id-" + std::to_string(number);
    request.push_back(number);
  }
  submit(request);
}

// A producer that lost the answer, or never got one, sends again.
void HouseSim::send_again() {
  if (sent_.empty()) return;
  const uint64_t number = sent_.size() - random(std::min<uint64_t>(sent_.size(), 15));
  Sent& sent = sent_[number];
  const uint64_t now = fixture_.life->store->now_ms();
  if (sent.id.empty() || now > sent.at_ms + repeat_within_ms) return;
  ++counts_.repeats;
  submit({number});
}

void HouseSim::submit(const Request& request) {
  std::vector<Event> events;
  for (const uint64_t number : request) {
    Sent& sent = sent_[number];
    if (sent.at_ms == 0) sent.at_ms = fixture_.life->store->now_ms();
    Event event = make_event("job.new", sent.subject, sent.id);
    event.data = codec::cbor_item(codec::CborScalar(number));
    events.push_back(std::move(event));
  }
  fixture_.life->intake.ingest(
      std::move(events), "uid:1000",
      [this, request](const api::Answer<api::Ingested>& answer) { answered(request, answer); });
}

void HouseSim::answered(const Request& request, const api::Answer<api::Ingested>& answer) {
  const auto* ok = std::get_if<api::Ingested>(&answer);
  if (ok == nullptr) {
    if (!dying_) fail("a request was refused without a reason");
    return;
  }
  if (ok->duplicates > 0 && request.size() > 1) return fail("a new request was a duplicate");
  if (ok->last.value() - ok->first.value() + 1 != request.size()) {
    return fail("the sequences of a request are no neighbours");
  }
  for (size_t index = 0; index < request.size(); ++index) {
    Sent& sent = sent_[request[index]];
    const Sequence sequence = ok->first.plus(index);
    if (!sent.sequence.none() && sent.sequence != sequence) {
      return fail("a repeat was answered with another sequence");
    }
    if (sent.sequence.none()) ++counts_.acknowledged;
    sent.sequence = sequence;
  }
}

void HouseSim::finish_one() {
  const std::vector<host::ToolCall> open = fixture_.host.open();
  if (open.empty()) return;
  const host::ToolCall& call = open[random(open.size())];
  fixture_.host.finish(call.id, act(call));
}

// Somebody looks at the device and says truly what happened.
void HouseSim::resolve_one() {
  for (const Run& run : fixture_.runs()) {
    if (run.steps_unknown == 0 || chance(50)) continue;
    for (const Step& step : fixture_.steps(run.id)) {
      if (step.state != StepState::unknown) continue;
      const bool acted = acts_.contains(key_of(run, step));
      Outcome outcome = acted ? Outcome::done : Outcome::retry;
      if (!acted && chance(30)) outcome = Outcome::failed;
      const api::Resolution resolution{run.id, step.ordinal, outcome, {}, "looked", "uid:7"};
      fixture_.life->calls.resolve(resolution, [](const api::Answer<std::monostate>&) {});
      if (chance(30)) {  // and somebody else does too
        fixture_.life->calls.resolve(resolution, [](const api::Answer<std::monostate>&) {});
      }
      return;
    }
  }
}

void HouseSim::move_clock() {
  if (chance(10)) {
    const uint64_t wall = fixture_.clock.wall().ns;
    constexpr uint64_t hour_ns = 3600000000000ull;
    fixture_.clock.set_wall(WallTime{chance(50) ? wall - hour_ns : wall + hour_ns});
  }
  fixture_.advance(milliseconds(static_cast<int64_t>(random(3000))));
}

void HouseSim::crash() {
  ++counts_.crashes;
  // A call that was under way may have acted before everything went dark.
  for (const host::ToolCall& call : fixture_.host.open()) {
    if (chance(50)) static_cast<void>(act(call));
  }
  dying_ = false;
  if (!fixture_.restart()) return fail("the store did not open again");
  check_now("after a crash");
}

void HouseSim::check_now(const std::string& when) {
  const std::string faults = fixture_.faults();
  if (!faults.empty()) fail(when + ": " + faults);
}

void HouseSim::come_to_rest() {
  for (int round = 0; round < 400; ++round) {
    if (!fixture_.settle()) return fail("it never came to rest");
    const std::vector<host::ToolCall> open = fixture_.host.open();
    for (const host::ToolCall& call : open) fixture_.host.finish(call.id, act(call));
    const bool due = fixture_.life->calls.next_due() || fixture_.life->turns.next_due() ||
                     fixture_.life->timers.next_due();
    if (open.empty() && !due) return check_now("at rest");
    fixture_.advance(seconds(5));
  }
  fail("work was left for ever");
}

// Every acknowledged event is there once, where the answer said; no other event is there twice.
void HouseSim::check_log() {
  std::map<uint64_t, Sequence> found;
  for (const Event& event : fixture_.log("job.new")) {
    const uint64_t number = codec::CborReader(event.data).uint();
    if (!found.emplace(number, event.sequence).second) {
      return fail("an event is stored twice: " + std::to_string(number));
    }
  }
  for (const auto& [number, sent] : sent_) {
    if (sent.sequence.none()) continue;
    const auto stored = found.find(number);
    if (stored == found.end()) return fail("an acknowledged event is lost");
    if (stored->second != sent.sequence) return fail("an event is not where the answer said");
  }
}

void HouseSim::check_runs() {
  uint64_t audited = 0;
  for (const Run& run : fixture_.runs()) {
    ++counts_.runs;
    const bool paused = run.state == RunState::paused && run.reason == run_reason::unknown_outcome;
    if (run.agent == "audit") audited += run.turns;
    if (run.agent == "worker" && run.state != RunState::completed && !paused) {
      fail("a run was left " + std::string(to_string(run.state)) + " " + run.reason);
    }
    if (!paused && run.inbox_events > 0) fail("an event was left in an inbox");
    for (const Step& step : fixture_.steps(run.id)) {
      if (step.state == StepState::unknown) ++counts_.parked;
      if (!acts_only_once(step.tool) || step.state != StepState::finished) continue;
      const bool acted = acts_.contains(key_of(run, step));
      if (step.outcome == Outcome::done && !acted) fail("a step is done and nothing happened");
    }
  }
  // Every event of its triggers was decided on exactly once by the agent that never fails.
  const uint64_t expected = fixture_.log("job.new").size() + fixture_.log("work.begun").size() +
                            fixture_.log("work.hasty").size();
  if (audited != expected) fail("the audit missed events or saw some twice");
  if (!fixture_.log("limpet.drop").empty()) fail("something was dropped");
}

}  // namespace limpet::testing
