#include "daemon/commit.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/cbor_value.hpp"
#include "codec/records.hpp"
#include "daemon/event_marks.hpp"
#include "daemon/retention.hpp"
#include "daemon/rows.hpp"
#include "dispatch/ready_queue.hpp"

namespace limpet::daemon {

namespace {

using store::ReadyPlace;

store::Lane turn_lane(const Run& run) { return {dispatch::turn_queue, 0, run.priority}; }
store::Lane call_lane(const Run& run) { return {dispatch::call_queue, 0, run.priority}; }

// A timer fires at the first millisecond that is not before it.
store::StoreMs due_ms(WallTime due) { return (due.ns + 999999) / 1000000; }

size_t state_index(RunState state) { return static_cast<size_t>(state); }

}  // namespace

Commit::Commit(House& house)
    : house_(house), change_(house.store.begin()), first_(change_.hot().next_sequence) {}

Commit::~Commit() {
  if (!submitted_) take_back();
}

// The store's time, which never goes back: due times are compared with it, and a board whose clock
// is behind (or in 1970) must not find all of them past.
run::Moment Commit::moment() const {
  return {WallTime{house_.store.now_ms() * 1000000}, house_.store.epoch()};
}

Result<Sequence> Commit::append(const Event& event) { return append_classed(view(event)); }

Result<Sequence> Commit::append_classed(EventView event) {
  if (house_.retention != nullptr) {
    event.retention_class = house_.retention->classes().class_of(event.type);
  }
  // A producer with a clock of its own knows better.
  const bool foreign_time = plausible(event.time) && event.source != house_.source;
  if (foreign_time || plausible(house_.clock.wall())) return change_.append(event);
  const ByteVector extensions = mark_unsynced(event.extensions);
  event.extensions = extensions;
  return change_.append(event);
}

ActiveRun& Commit::touch(ActiveRun& active, bool is_new) {
  const auto known = std::ranges::find(touched_, active.run.id, &Touched::run);
  if (known != touched_.end()) return active;
  Touched touched{active.run.id, std::nullopt, active.acknowledged};
  if (!is_new) touched.before = active.run;
  touched_.push_back(std::move(touched));
  // Held so that neither this nor the run it points to can go while the change is being made.
  house_.runs.hold(active.run.id);
  return active;
}

Result<void> Commit::deliver_triggered(const EventView& event) {
  return route(event, WhenFull::refuse);
}

Result<void> Commit::deliver_consequence(const EventView& event) {
  return route(event, WhenFull::drop);
}

Result<void> Commit::route(const EventView& event, WhenFull when_full) {
  if (house_.triggers.empty()) return {};
  if (trigger_depth_ >= trigger_depth_max) {
    ++house_.drops.trigger_depth;
    return {};
  }
  ++trigger_depth_;
  const auto bytes = static_cast<uint32_t>(codec::event_record_size(event));
  Result<void> result;
  house_.triggers.for_each_match(event, [&](const admit::Match& match) {
    if (!result.ok()) return;
    const Result<ActiveRun*> active = choose_run(event, match);
    if (!active.ok()) result = active.error();
    if (!active.ok() || *active == nullptr) return;
    result = deliver(**active, {event.sequence, house_.store.now_ms(), bytes, false});
    // A producer outside is told; a turn cannot be undone for another agent's sake.
    if (!result.ok() && result.error().code == ErrorCode::full && when_full == WhenFull::drop) {
      drop_delivery(event, match);
      result = {};
    }
  });
  --trigger_depth_;
  return result;
}

// The live run of the match, begun if there is none; null: the agent is not configured.
Result<ActiveRun*> Commit::choose_run(const EventView& event, const admit::Match& match) {
  const run::AgentPolicy* policy = house_.agents.find(match.agent);
  if (policy == nullptr) return static_cast<ActiveRun*>(nullptr);
  if (!match.key.empty()) {
    LIMPET_TRY(ActiveRun * live, house_.runs.find_live(match.agent, match.key));
    if (live != nullptr) return live;
  }
  run::RunRequest request;
  request.key = match.key;
  request.cause = event.sequence;
  request.correlation = event.correlation;
  request.tenant = event.tenant;
  request.principal = event.principal;
  LIMPET_TRY(const RunId begun, begin_run(*policy, std::move(request)));
  return house_.runs.find(begun);
}

void Commit::drop_delivery(const EventView& event, const admit::Match& match) {
  ++house_.drops.inbox_full;
  Event drop;
  drop.type = event_type::drop;
  drop.source = house_.source;
  drop.time = house_.clock.wall();
  drop.subject = match.agent;
  drop.causation = qualified_id(house_.store.epoch(), event.sequence.value());
  drop.data = codec::cbor_map({{"reason", "inbox_full"},
                               {"agent", match.agent},
                               {"key", match.key},
                               {"count", 1},
                               {"total", house_.drops.inbox_full}});
  static_cast<void>(append(drop));
}

Result<void> Commit::deliver(ActiveRun& active, const Delivery& delivery) {
  // Two triggers may bring one event to one run, and a run may listen to what its own steps say.
  const auto twice = std::ranges::find(active.recent, delivery.event, &Delivery::event);
  if (twice != active.recent.end()) return {};
  Run& run = touch(active, false).run;
  // Results of the run's own steps always fit: their number is bounded by its open steps.
  if (!delivery.own && (run.inbox_events >= inbox_events_max ||
                        run.inbox_bytes + delivery.bytes > inbox_bytes_max)) {
    return Error{ErrorCode::full, "run: its inbox is full"};
  }
  change_.put(store::inbox_key(run.id, delivery.event), encode_delivery(delivery).bytes());
  run.inbox_events += 1;
  run.inbox_bytes += delivery.bytes;
  const Sequence durable_end = house_.store.durable_end();
  if (active.recent.size() > 64) {
    std::erase_if(active.recent, [&](const Delivery& old) { return old.event < durable_end; });
  }
  active.recent.push_back(delivery);
  return {};
}

Result<RunId> Commit::begin_run(const run::AgentPolicy& policy, run::RunRequest request) {
  request.id = RunId(change_.hot().next_sequence.value());
  run::Effects effects = run::begin_run(policy, request, moment());
  ActiveRun& active = touch(house_.runs.add(effects.run), true);
  house_.runs.bind_key(active.run);
  if (!active.run.key.empty()) {
    change_.put(store::live_run_key(active.run.agent, active.run.key),
                encode_run_id(request.id).bytes());
  }
  if (active.run.deadline.ns != 0) {
    change_.put(store::timer_key({due_ms(active.run.deadline), store::TimerKind::run_deadline,
                                  request.id, Ordinal()}),
                {});
  }
  LIMPET_CHECK(apply(effects));
  return request.id;
}

Result<void> Commit::apply(run::Effects& effects) {
  LIMPET_TRY(ActiveRun * active, house_.runs.find(effects.run.id));
  LIMPET_ASSERT(active != nullptr);
  touch(*active, false);
  active->run = effects.run;
  LIMPET_CHECK(apply_events(*active, effects));
  LIMPET_CHECK(apply_steps(*active, effects));
  if (effects.state) write_state(active->run, *effects.state);
  if (effects.ended) LIMPET_CHECK(end(*active));
  return {};
}

Result<void> Commit::apply_events(ActiveRun& active, run::Effects& effects) {
  for (run::NewEvent& added : effects.events) {
    added.event.source = house_.source;
    EventView event = view(added.event);
    LIMPET_TRY(event.sequence, append_classed(event));
    const auto step = std::ranges::find(effects.steps, added.step, &Step::ordinal);
    if (!added.step.none() && step != effects.steps.end()) {
      (step->state == StepState::finished ? step->finished : step->started) = event.sequence;
    }
    if (added.deliver) {
      const auto bytes = static_cast<uint32_t>(codec::event_record_size(event));
      LIMPET_CHECK(deliver(active, {event.sequence, house_.store.now_ms(), bytes, true}));
    }
    // The last event of a run that ends is its output.
    if (effects.ended) active.run.output = event.sequence;
    LIMPET_CHECK(route(event, WhenFull::drop));
  }
  return {};
}

Result<void> Commit::apply_steps(ActiveRun& active, run::Effects& effects) {
  const Run& run = active.run;
  for (Step& step : effects.steps) {
    const bool queued = std::ranges::find(effects.calls, step.ordinal) != effects.calls.end();
    const bool settled = step.state == StepState::finished || step.state == StepState::unknown;
    if (queued || settled) leave_queue(run, step);
    if (queued) queue_call(run, step);
    if (step.kind == StepKind::timer) {
      const store::Key timer =
          store::timer_key({due_ms(step.due), store::TimerKind::step, run.id, step.ordinal});
      if (step.state == StepState::scheduled) {
        change_.put(timer, {});
      } else {
        change_.erase(timer);
      }
    }
    LIMPET_TRY(const ByteVector record, codec::encode_step(step));
    change_.put(store::run_key(run.id, step.ordinal), record);
  }
  return {};
}

void Commit::queue_call(const Run& run, Step& step) {
  step.ready_at_ms = house_.store.now_ms() + call_delay_ms_;
  step.ready_ticket = change_.hot().next_ticket++;
  change_.put(store::ready_key({call_lane(run), step.ready_at_ms, step.ready_ticket}),
              encode_call(run.id, step.ordinal).bytes());
}

void Commit::leave_queue(const Run& run, Step& step) {
  if (step.ready_ticket == 0) return;
  change_.erase(store::ready_key({call_lane(run), step.ready_at_ms, step.ready_ticket}));
  step.ready_ticket = 0;
}

void Commit::write_state(Run& run, ByteSpan state) {
  uint32_t parts = 0;
  for (size_t offset = 0; offset < state.size(); offset += limits::store_part_bytes_max) {
    const size_t size = std::min(state.size() - offset, limits::store_part_bytes_max);
    change_.put(store::run_state_key(run.id, parts++), state.subspan(offset, size));
  }
  for (uint32_t part = parts; part < run.state_parts; ++part) {
    change_.erase(store::run_state_key(run.id, part));
  }
  run.state_parts = parts;
}

void Commit::acknowledge(ActiveRun& active, const Delivery& delivery) {
  Run& run = touch(active, false).run;
  LIMPET_ASSERT(run.inbox_events > 0);
  change_.erase(store::inbox_key(run.id, delivery.event));
  change_.release(delivery.event);
  run.inbox_events -= 1;
  run.inbox_bytes -= std::min<uint64_t>(run.inbox_bytes, delivery.bytes);
  active.acknowledged = delivery.event;
  // Back to the end of the lane, if there is more: a busy run does not hold up the others.
  change_.erase(store::ready_key({turn_lane(run), run.ready_at_ms, run.ready_ticket}));
  run.ready_ticket = 0;
}

void Commit::postpone_turn(ActiveRun& active, uint32_t delay_ms) {
  Run& run = touch(active, false).run;
  if (run.ready_ticket != 0) {
    change_.erase(store::ready_key({turn_lane(run), run.ready_at_ms, run.ready_ticket}));
  }
  run.ready_at_ms = house_.store.now_ms() + delay_ms;
  run.ready_ticket = change_.hot().next_ticket++;
  change_.put(store::ready_key({turn_lane(run), run.ready_at_ms, run.ready_ticket}),
              encode_run_id(run.id).bytes());
}

// What is still in the inbox of a run that ends: rows on disk, and those on their way.
Result<std::vector<Delivery>> Commit::remaining_inbox(const ActiveRun& active) {
  std::vector<Delivery> remaining;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
    const store::Key prefix = store::inbox_prefix(active.run.id);
    LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
      if (const auto delivery = decode_delivery(key, value)) remaining.push_back(*delivery);
      return true;
    }));
  }
  for (const Delivery& recent : active.recent) {
    if (recent.event < house_.store.durable_end()) continue;
    const auto known = std::ranges::find(remaining, recent.event, &Delivery::event);
    if (known == remaining.end()) remaining.push_back(recent);
  }
  std::erase_if(remaining, [&active](const Delivery& delivery) {
    return delivery.event <= active.acknowledged;
  });
  return remaining;
}

// A final run leaves its key, its deadline and its inbox. Events that others sent to the key go on
// to a new run of it: none is lost because a run ended a moment too early.
Result<void> Commit::end(ActiveRun& active) {
  const RunId id = active.run.id;
  if (!active.run.key.empty()) {
    change_.erase(store::live_run_key(active.run.agent, active.run.key));
    house_.runs.unbind_key(active.run);
  }
  if (active.run.deadline.ns != 0) {
    change_.erase(store::timer_key(
        {due_ms(active.run.deadline), store::TimerKind::run_deadline, id, Ordinal()}));
  }
  if (active.run.inbox_events == 0) return {};
  LIMPET_TRY(std::vector<Delivery> remaining, remaining_inbox(active));
  for (const Delivery& delivery : remaining) {
    change_.erase(store::inbox_key(id, delivery.event));
    change_.release(delivery.event);
  }
  active.run.inbox_events = 0;
  active.run.inbox_bytes = 0;
  std::erase_if(remaining, [](const Delivery& delivery) { return delivery.own; });
  const run::AgentPolicy* policy = house_.agents.find(active.run.agent);
  if (remaining.empty() || active.run.key.empty() || policy == nullptr) return {};
  run::RunRequest request;
  request.key = active.run.key;
  request.cause = remaining.front().event;
  request.correlation = active.run.correlation;
  request.tenant = active.run.tenant;
  request.principal = active.run.principal;
  request.priority = active.run.priority;
  LIMPET_TRY(const RunId successor, begin_run(*policy, std::move(request)));
  LIMPET_TRY(ActiveRun * next, house_.runs.find(successor));
  for (const Delivery& delivery : remaining) LIMPET_CHECK(deliver(*next, delivery));
  return {};
}

// A run stands among the ready ones exactly when it has something to decide on and may.
void Commit::sync_ready(Run& run) {
  const bool wanted = !is_final(run.state) && run.state != RunState::paused && run.inbox_events > 0;
  if (wanted == (run.ready_ticket != 0)) return;
  if (wanted) {
    run.ready_at_ms = house_.store.now_ms();
    run.ready_ticket = change_.hot().next_ticket++;
    change_.put(store::ready_key({turn_lane(run), run.ready_at_ms, run.ready_ticket}),
                encode_run_id(run.id).bytes());
  } else {
    change_.erase(store::ready_key({turn_lane(run), run.ready_at_ms, run.ready_ticket}));
    run.ready_ticket = 0;
  }
}

Result<void> Commit::write_headers() {
  for (const Touched& touched : touched_) {
    LIMPET_TRY(ActiveRun * active, house_.runs.find(touched.run));
    Run& run = active->run;
    run::settle(run);
    sync_ready(run);
    LIMPET_TRY(const ByteVector record, codec::encode_run(run));
    change_.put(store::run_key(run.id, Ordinal(0)), record);
    if (is_final(run.state) && run.steps_open == 0) change_.release(Sequence(run.id.value()));
    auto& counts = change_.hot().runs;
    if (touched.before) --counts[state_index(touched.before->state)];
    ++counts[state_index(run.state)];
  }
  return {};
}

Result<void> Commit::submit(std::function<void(const Result<void>&)> done) {
  LIMPET_CHECK(write_headers());
  std::vector<RunId> runs;
  for (const Touched& touched : touched_) runs.push_back(touched.run);
  change_.on_done([&house = house_, runs, done = std::move(done)](const Result<void>& result) {
    // The runs are let go last: `done` may look at them.
    if (done) done(result);
    for (const RunId run : runs) house.runs.change_done(run);
  });
  LIMPET_CHECK(house_.store.submit(std::move(change_)));
  submitted_ = true;
  for (const RunId run : runs) {
    const Result<ActiveRun*> active = house_.runs.find(run);
    LIMPET_ASSERT(active.ok() && *active != nullptr);
    ++(*active)->changes;
    house_.runs.release(run);
  }
  return {};
}

Result<void> Commit::submit_relaxed() {
  LIMPET_ASSERT(touched_.empty());
  LIMPET_CHECK(house_.store.submit_relaxed(std::move(change_)));
  submitted_ = true;
  return {};
}

void Commit::take_back() {
  for (const Touched& touched : touched_) {
    if (!touched.before) house_.runs.remove(touched.run);
  }
  for (Touched& touched : touched_) {
    if (!touched.before) continue;
    const Result<ActiveRun*> found = house_.runs.find(touched.run);
    LIMPET_ASSERT(found.ok() && *found != nullptr);
    ActiveRun& active = **found;
    active.run = std::move(*touched.before);
    active.acknowledged = touched.acknowledged;
    // Their sequences will be given to other events.
    std::erase_if(active.recent, [this](const Delivery& one) { return one.event >= first_; });
    if (!is_final(active.run.state)) house_.runs.bind_key(active.run);
    house_.runs.release(touched.run);
  }
}

}  // namespace limpet::daemon
