#include <algorithm>

#include "base/check.hpp"
#include "dispatch/queues_parts.hpp"

namespace limpet::dispatch {

namespace {

constexpr Duration leave_every_max = seconds(30);

// A moving average of the time between two tasks that leave.
void note_left(Queue& queue, BootTime now) {
  const Duration since = std::min(now - queue.left_at, leave_every_max);
  queue.left_at = now;
  queue.leave_every = {(queue.leave_every.ns * 7 + since.ns) / 8};
}

Spot spot_of(const store::ReadyPlace& place) { return {place.ready_at, place.ticket}; }

}  // namespace

// The first one of a change also holds the horizon: what this change adds is not passed over by a
// lease between now and its submission.
void Queues::Parts::begin_move(const store::Change& change, const Move& move) {
  if (open.empty()) open_ms = change.hot().store_ms;
  open.push_back(move);
}

store::StoreMs Queues::Parts::horizon() {
  const store::StoreMs durable = wiring.store.durable_ms();
  return open.empty() ? durable : std::min(durable, open_ms);
}

void Queues::Parts::submitted() {
  const uint64_t change = wiring.store.submitted();
  for (Move& move : open) {
    count(move);
    move.change = change;
    if (move.kind != Move::Kind::duplicate && move.kind != Move::Kind::state_set) {
      on_its_way.push(move);
    }
  }
  open.clear();
  expiries_before.reset();
  groups.submitted(change);
  keys.submitted();
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue != nullptr) queue->tenants.submitted();
  }
}

void Queues::Parts::dropped() {
  // Tenants that the change added go last: moves still name their lanes.
  for (auto move = open.rbegin(); move != open.rend(); ++move) take_back(*move);
  open.clear();
  if (expiries_before) expiries = *expiries_before;
  expiries_before.reset();
  groups.dropped();
  keys.dropped();
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue != nullptr) queue->tenants.dropped();
  }
}

void Queues::Parts::return_lease(Queue& queue, Flight& flight) {
  flight.state = Flight::State::leased;
  ++queue.leased;
  queue.leased_bytes += flight.bytes;
  in_flight.schedule(flight, flight.deadline);
}

void Queues::Parts::take_back(const Move& move) {
  Queue& queue = *find(move.place.lane.queue);
  switch (move.kind) {
    case Move::Kind::acked:
    case Move::Kind::given_back: return return_lease(queue, *in_flight.find(move.task));
    case Move::Kind::died: {
      if (move.was_leased) return return_lease(queue, *in_flight.find(move.task));
      in_flight.remove(move.task);
      if (!move.behind) return;
      Lane& lane = queue.turns.lane(move.place.lane, 0);
      lane.give_back(spot_of(move.place));
      return queue.turns.changed(lane, horizon());
    }
    case Move::Kind::redriven:
    case Move::Kind::regrouped:
    case Move::Kind::dead_left: return in_flight.remove(move.task);
    case Move::Kind::state_set: queue.state = move.state_before; return;
    case Move::Kind::enqueued:
    case Move::Kind::in_group:
    case Move::Kind::promoted:
    case Move::Kind::duplicate: return;
  }
}

void Queues::Parts::count(const Move& move) {
  Queue& queue = *find(move.place.lane.queue);
  QueueStats& counters = queue.counters;
  switch (move.kind) {
    case Move::Kind::enqueued:
    case Move::Kind::in_group: ++counters.enqueued; return;
    case Move::Kind::duplicate: ++counters.duplicates; return;
    case Move::Kind::acked: ++counters.acked; return note_left(queue, wiring.clock.boot());
    case Move::Kind::died:
      ++counters.died;
      if (move.lease_ended) ++counters.lease_expired;
      if (move.reason == store::DeathReason::overflow) ++counters.dropped_oldest;
      return note_left(queue, wiring.clock.boot());
    case Move::Kind::given_back:
      if (move.lease_ended) ++counters.lease_expired;
      if (move.failure == Failure::release) ++counters.released;
      if (move.failure == Failure::transient) ++counters.retried;
      return;
    case Move::Kind::redriven:
    case Move::Kind::regrouped: ++counters.redriven; return;
    case Move::Kind::dead_left:
      if (move.leave == Move::Leave::made_room) ++counters.dead_dropped;
      if (move.leave == Move::Leave::replaced) ++counters.redriven;
      return;
    case Move::Kind::promoted:
    case Move::Kind::state_set: return;
  }
}

void Queues::Parts::apply_durable() {
  const uint64_t answered = wiring.store.answered();
  // After a failed commit nothing becomes true any more.
  if (on_its_way.empty() || on_its_way.front().change > answered || wiring.store.failure()) return;
  while (!on_its_way.empty() && on_its_way.front().change <= answered) {
    apply(on_its_way.front());
    on_its_way.pop();
  }
  groups.durable(answered);
}

void Queues::Parts::apply(const Move& move) {
  Queue& queue = *find(move.place.lane.queue);
  const bool was_held = move.kind != Move::Kind::enqueued && move.kind != Move::Kind::in_group &&
                        move.kind != Move::Kind::promoted;
  if (was_held) in_flight.remove(move.task);
  // A timer may be behind the cursor: an expiry was left alone while its task was in flight.
  if (move.expires_at != 0) expiries.look_at(move.expires_at);
  // It waited after a failure, and nobody is going to bring it back.
  if (move.kind == Move::Kind::died && move.wake_at != 0 &&
      !wakes.passed(move.wake_at, move.task)) {
    queue.waiting -= std::min<uint64_t>(queue.waiting, 1);
  }
  if (move.kind == Move::Kind::given_back && move.wake_at != 0) {
    wakes.look_at(move.wake_at);
    ++queue.waiting;
    return;
  }
  const bool at_once = move.kind == Move::Kind::enqueued || move.kind == Move::Kind::promoted ||
                       move.kind == Move::Kind::redriven || move.kind == Move::Kind::given_back;
  if (!at_once) return;
  Lane& lane = queue.turns.lane(move.place.lane, move.place.ready_at);
  if (move.kind == Move::Kind::enqueued && !move.behind) {
    lane.arrived(move.place.ready_at);
  } else {
    lane.give_back(spot_of(move.place));
  }
  queue.turns.changed(lane, horizon());
  queue.woken = true;
}

}  // namespace limpet::dispatch
