#include "daemon/turns.hpp"

#include "base/check.hpp"
#include "codec/cbor_value.hpp"
#include "codec/records.hpp"
#include "daemon/rows.hpp"
#include "run/records.hpp"

namespace limpet::daemon {

namespace {

constexpr uint32_t retry_delay_ms = 200;  // doubled with each failure

}  // namespace

struct Turns::Subject {
  ActiveRun* active = nullptr;
  const run::AgentPolicy* policy = nullptr;
  Delivery delivery;
  ByteVector event;  // as the agent sees it
  ByteVector state;
};

Turns::Turns(House& house, host::Host& host)
    : house_(house), host_(host), queue_(house.store, dispatch::turn_queue) {}

void Turns::pump() {
  next_due_.reset();
  if (house_.turns_paused) return;
  if (house_.suspects != nullptr && !house_.suspects->may_begin(house_.clock.boot())) return;
  while (!again_.empty() && open_ < turns_open_max) {
    const dispatch::ReadyTask task = again_.front();
    again_.pop_front();
    const size_t waiting = again_.size();
    take(task);
    if (again_.size() > waiting) return;  // still busy
  }
  if (open_ >= turns_open_max) return;
  Result<dispatch::Taken> taken = queue_.take(turns_open_max - open_);
  if (!taken.ok()) {
    house_.logger.line(LogLevel::error, "turns", to_string(taken.error()));
    return;
  }
  next_due_ = taken->next_due;
  for (const dispatch::ReadyTask& task : taken->tasks) take(task);
}

void Turns::blame(const UnderWay& culprit) {
  const Result<ActiveRun*> found = house_.runs.find(culprit.run);
  if (!found.ok() || *found == nullptr || is_final((*found)->run.state)) return;
  Subject subject;
  subject.active = *found;
  subject.policy = house_.agents.find(subject.active->run.agent);
  if (subject.policy == nullptr || !read_subject(subject).ok()) return;
  // Its decision may have been on disk already: then the crash was later than the turn.
  if (subject.delivery.event != culprit.event) return;
  const Result<void> counted = commit_failure(subject, "the process died during the turn");
  if (!counted.ok()) house_.logger.line(LogLevel::error, "turns", to_string(counted.error()));
}

void Turns::take(const dispatch::ReadyTask& task) {
  const Result<ActiveRun*> found = house_.runs.find(task.run);
  if (!found.ok()) {
    house_.logger.line(LogLevel::error, "turns", to_string(found.error()));
    return;
  }
  // The row may be older than what has been decided meanwhile: then it is on its way out.
  ActiveRun* active = *found;
  if (active == nullptr || active->run.ready_ticket != task.place.ticket) return;
  Subject subject;
  subject.active = active;
  subject.policy = house_.agents.find(active->run.agent);
  if (subject.policy == nullptr) {
    ++counters_.orphaned;
    house_.logger.line(LogLevel::warning, "turns",
                       "agent " + active->run.agent + " is not configured; its run waits");
    return;
  }
  Result<void> result = read_subject(subject);
  if (!result.ok() && result.error().code == ErrorCode::corrupt && !subject.delivery.event.none()) {
    // It will not become readable. The run says so and ends; its key is free for the next event.
    result = commit_ending(subject, run_reason::event_unreadable, to_string(result.error()));
  } else if (result.ok()) {
    const std::string_view refusal = run::turn_refusal(active->run, *subject.policy);
    if (!refusal.empty()) {
      result = commit_ending(subject, refusal, {});
    } else {
      const host::Decision decision = decide(subject);
      // Stopping is no fault of the agent's: the next start decides.
      if (!decision.status.ok() && decision.status.error().code == ErrorCode::closed) return;
      auto parsed = decision.status.ok() ? run::parse_decision(decision.bytes)
                                         : codec::Explained<run::Decision>(codec::Refusal{
                                               decision.status.error(), decision.error});
      result = parsed.ok() ? commit(subject, *parsed) : commit_failure(subject, parsed.detail());
    }
  }
  if (result.ok()) return;
  if (result.error().code == ErrorCode::busy) {
    ++counters_.repeated_busy;
    again_.push_back(task);
    return;
  }
  house_.logger.line(LogLevel::error, "turns", to_string(result.error()));
}

// The event at the head of the inbox and the agent's state: both are on disk, because the run was
// ready and no turn of it is open.
Result<void> Turns::read_subject(Subject& subject) {
  const Run& run = subject.active->run;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
  const store::Key prefix = store::inbox_prefix(run.id);
  std::optional<Delivery> first;
  LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    first = decode_delivery(key, value);
    return false;
  }));
  if (!first) return Error{ErrorCode::corrupt, "turns: a ready run has an empty inbox"};
  subject.delivery = *first;
  LIMPET_TRY(const store::EventsRead read,
             snapshot.events(first->event, 1, [&](const EventView& event) {
               if (event.sequence == first->event) {
                 subject.event = run::event_for_agent(event, house_.store.epoch());
               }
               return false;
             }));
  if (subject.event.empty() || read.corrupt > 0) {
    return Error{ErrorCode::corrupt, "turns: a delivered event cannot be read"};
  }
  for (uint32_t part = 0; part < run.state_parts; ++part) {
    LIMPET_TRY(const std::optional<ByteSpan> bytes,
               snapshot.get(store::run_state_key(run.id, part)));
    if (!bytes) return Error{ErrorCode::corrupt, "turns: a part of the state is missing"};
    subject.state.insert(subject.state.end(), bytes->begin(), bytes->end());
  }
  return {};
}

host::Decision Turns::decide(const Subject& subject) {
  const Run& run = subject.active->run;
  const std::string id = qualified_id(run.epoch, run.id.value());
  host::Turn turn;
  turn.instance = subject.policy->instance;
  turn.agent = subject.policy->name_in_plugin;
  turn.run = id;
  turn.config = subject.policy->config;
  turn.state = subject.state;
  turn.event = subject.event;
  turn.state_version = run.state_version;
  // The time of the delivery, not of this attempt: a repeated turn sees the same.
  turn.now = WallTime{subject.delivery.at * 1000000};
  turn.seed = run::turn_seed(run, subject.delivery.event);
  ++counters_.turns;
  const Watched watched(house_.suspects,
                        {UnderWay::Kind::turn, run.id, Ordinal(), subject.delivery.event});
  LIMPET_CRASH_POINT("turn.before");
  host::Decision decision = host_.turn(turn);
  LIMPET_CRASH_POINT("turn.decided");
  return decision;
}

Result<void> Turns::commit(const Subject& subject, const run::Decision& decision) {
  Commit commit(house_);
  commit.acknowledge(*subject.active, subject.delivery);
  const run::FindTool find_tool = [this](std::string_view name) -> const ToolHints* {
    const ToolHints* workers = house_.tools == nullptr ? nullptr : house_.tools->worker_hints(name);
    if (workers != nullptr) return workers;
    const host::ToolInfo* tool = host_.find_tool(name);
    return tool == nullptr ? nullptr : &tool->hints;
  };
  const run::TurnInput input{*subject.policy, find_tool, commit.moment(), subject.delivery.event};
  run::Effects effects = run::apply_decision(subject.active->run, decision, input);
  LIMPET_CHECK(commit.apply(effects));
  return submit(commit, subject.active->run.id);
}

Result<void> Turns::commit_failure(const Subject& subject, const std::string& why) {
  ++counters_.failed;
  const Run& run = subject.active->run;
  house_.logger.line(
      LogLevel::warning, "turns",
      "agent " + run.agent + ", run " + qualified_id(run.epoch, run.id.value()) + ": " + why);
  if (run.turn_attempts + 1 >= limits::turn_attempts_max) {
    return commit_ending(subject, run_reason::agent_error, why);
  }
  Commit commit(house_);
  commit.postpone_turn(*subject.active, retry_delay_ms << subject.active->run.turn_attempts);
  subject.active->run.turn_attempts += 1;
  return submit(commit, subject.active->run.id);
}

Result<void> Turns::commit_ending(const Subject& subject, std::string_view reason,
                                  const std::string& error) {
  Commit commit(house_);
  commit.acknowledge(*subject.active, subject.delivery);
  run::Ending ending{RunState::failed, std::string(reason), {}, {}};
  if (!error.empty()) ending.output = codec::cbor_map({{"error", error}});
  run::Effects effects = run::end_run(subject.active->run, ending, commit.moment());
  LIMPET_CHECK(commit.apply(effects));
  return submit(commit, subject.active->run.id);
}

Result<void> Turns::submit(Commit& commit, RunId run) {
  LIMPET_CHECK(commit.submit([this, run](const Result<void>&) {
    --open_;
    house_.runs.release(run);
  }));
  ++open_;
  house_.runs.hold(run);
  return {};
}

}  // namespace limpet::daemon
