#include <algorithm>
#include <array>

#include "dispatch/queues_parts.hpp"

namespace limpet::dispatch {

namespace {

constexpr Duration lease_max = seconds(24 * 60 * 60);

Duration lease_length(Duration asked, Duration usual) {
  return std::clamp(asked.ns > 0 ? asked : usual, milliseconds(1), lease_max);
}

}  // namespace

// One call of lease(): what it may give and has given. An event's visitor keeps one pointer to it.
struct Queues::Parts::Giving {
  enum class Outcome : uint8_t { given, gone, enough, limited };
  Parts& parts;
  Queue& queue;
  const LeaseOptions& options;
  const LeaseVisitor& visit;
  const LaneView& view;
  const BootTime now;
  const Duration length;
  Turns::Choice choice = {};
  Outcome outcome = Outcome::gone;
  size_t given = 0;
  size_t bytes = 0;

  [[nodiscard]] Result<void> give();
  void consider(const EventView& event);
  Flight& enter(const EventView& event, const store::TaskFacts& facts, store::StoreMs expires_at);
  void hand_out(const EventView& event, const store::TaskFacts& facts, store::StoreMs expires_at);
};

Result<void> Queues::Parts::Giving::give() {
  outcome = Outcome::gone;
  const Sequence task(choice.row.spot.task);
  LIMPET_TRY(const store::EventsRead read,
             view.snapshot.events(task, 1, [this](const EventView& event) {
               consider(event);
               return false;
             }));
  if (read.visited == 0) parts.fail(Error{ErrorCode::corrupt, "queues: a task cannot be read"});
  if (outcome == Outcome::gone) queue.turns.passed(choice);
  return {};
}

void Queues::Parts::Giving::consider(const EventView& event) {
  const std::optional<store::TaskFacts> facts = store::parse_task_facts(event.extensions);
  if (event.sequence.value() != choice.row.spot.task || !facts) {
    parts.fail(Error{ErrorCode::corrupt, "queues: the event of a task is not in the log"});
    return;
  }
  const store::StoreMs expires_at = choice.row.state.deaths == 0 ? facts->expires_at : 0;
  if (choice.row.state.begun) {
    // An earlier process gave it to a worker and has heard nothing: run_due() ends this lease.
    enter(event, *facts, expires_at).begun = true;
    parts.in_flight.schedule(*parts.in_flight.find(event.sequence), now);
    return;
  }
  if (expires_at != 0 && expires_at <= view.now) {
    // run_due() lets it die; its expiry may have passed while it was in flight.
    parts.expiries.look_at(expires_at);
    return;
  }
  const size_t size = event.data.size();
  if (given > 0 && bytes + size > options.bytes_max) {
    outcome = Outcome::enough;
  } else if (queue.leased > 0 && queue.leased_bytes + size > queue.settings.in_flight_bytes_max) {
    outcome = Outcome::limited;
  } else {
    outcome = Outcome::given;
    hand_out(event, *facts, expires_at);
  }
}

// Into the table of what is in flight, without a deadline yet.
Flight& Queues::Parts::Giving::enter(const EventView& event, const store::TaskFacts& facts,
                                     store::StoreMs expires_at) {
  Flight& flight = parts.in_flight.add(event.sequence);
  const uint64_t incarnation = parts.wiring.store.incarnation().value();
  flight.token = LeaseToken((incarnation << 40) | ++parts.leases);
  flight.place = {choice.lane->name(), choice.row.spot.ready_at, choice.row.spot.task};
  flight.task_state = choice.row.state;
  flight.task_state.begun = false;
  flight.group = facts.group;
  flight.bytes = event.data.size();
  flight.expires_at = expires_at;
  flight.run = event.run;
  flight.step = facts.step;
  flight.once = facts.once;
  flight.leased_at = now;
  ++queue.leased;
  queue.leased_bytes += flight.bytes;
  return flight;
}

void Queues::Parts::Giving::hand_out(const EventView& event, const store::TaskFacts& facts,
                                     store::StoreMs expires_at) {
  Flight& flight = enter(event, facts, expires_at);
  parts.in_flight.schedule(flight, now + length);
  queue.bucket.take(now);
  ++given;
  bytes += event.data.size();

  LeasedTask task;
  task.task = event.sequence;
  task.token = flight.token;
  task.attempt = static_cast<uint16_t>(choice.row.state.attempts + 1);
  task.priority = choice.lane->name().priority;
  task.payload = event.data;
  task.group = facts.group_name;
  task.tenant = event.tenant;
  task.principal = event.principal;
  task.correlation = event.correlation;
  task.trace_parent = event.trace_parent;
  task.run = event.run;
  task.step = facts.step;
  task.enqueued = event.time;
  task.expires_at = expires_at;
  task.lease = length;
  task.once = facts.once;
  queue.turns.given(choice, event.data.size(), now);
  visit(task);
}

Result<size_t> Queues::Parts::lease(Queue& queue, const LeaseOptions& options,
                                    const LeaseVisitor& visit) {
  apply_durable();
  queue.hungry = true;
  if (queue.state == QueueState::paused) return size_t{0};
  LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
  const LaneView view{snapshot, in_flight, horizon(), wiring.store.now_ms()};
  Giving giving{*this,
                queue,
                options,
                visit,
                view,
                wiring.clock.boot(),
                lease_length(options.lease, queue.settings.lease)};
  bool limited = false;
  while (giving.given < options.tasks_max && !limited && queue.turns.wake(view.horizon)) {
    limited = queue.leased >= queue.settings.in_flight_max || queue.bucket.wait(giving.now).ns > 0;
    if (limited) break;
    LIMPET_TRY(const Turns::Chosen next, queue.turns.choose(view, giving.now));
    limited = next.outcome == Turns::Outcome::limited;
    if (next.outcome != Turns::Outcome::chosen) break;
    giving.choice = next.choice;
    LIMPET_CHECK(giving.give());
    limited = giving.outcome == Giving::Outcome::limited;
    if (giving.outcome == Giving::Outcome::enough) break;
  }
  if (limited) ++queue.counters.limited;
  queue.counters.leases += giving.given;
  queue.hungry = giving.given < options.tasks_max;
  return giving.given;
}

Result<void> Queues::begin_once(store::Change& change, const LeaseRef& lease) {
  LIMPET_TRY(Flight* const flight, parts_->find_lease(lease));
  if (!flight->once) return {};
  store::TaskState state = flight->task_state;
  state.begun = true;
  std::array<uint8_t, store::task_state_bytes> row;
  change.put(store::ready_key(flight->place), store::encode_task_state(state, row));
  flight->begun = true;
  return {};
}

Result<Duration> Queues::extend(const LeaseRef& lease, Duration length) {
  if (length.ns <= 0) return Error{ErrorCode::invalid, "queues: a lease has a length"};
  LIMPET_TRY(Flight* const flight, parts_->find_lease(lease));
  const Duration granted = std::min(length, lease_max);
  parts_->in_flight.schedule(*flight, parts_->wiring.clock.boot() + granted);
  return granted;
}

}  // namespace limpet::dispatch
