#include <algorithm>

#include "dispatch/queues_parts.hpp"

namespace limpet::dispatch {

namespace {

constexpr size_t wakes_at_once = 256;
constexpr store::StoreMs sweep_every_ms = 10000;

}  // namespace

void Queues::deliver() {
  parts_->apply_durable();
  parts_->bring_back();
  parts_->sweep();
  parts_->tell_ready();
}

Result<size_t> Queues::run_due(store::Change& change, const SettledVisitor& on_settled) {
  Parts& parts = *parts_;
  parts.apply_durable();
  parts.bring_back();
  LIMPET_TRY(const size_t ended, parts.end_leases(change, on_settled));
  LIMPET_TRY(const size_t expired, parts.expire(change, due_batch_max - ended, on_settled));
  parts.tell_ready();
  return ended + expired;
}

Result<size_t> Queues::Parts::end_leases(store::Change& change, const SettledVisitor& on_settled) {
  const BootTime now = wiring.clock.boot();
  size_t count = 0;
  for (; count < due_batch_max; ++count) {
    const Flight* const flight = in_flight.first_deadline();
    if (flight == nullptr || flight->deadline > now) break;
    Nack ended;
    ended.error = "lease_expired";
    LIMPET_TRY(const Settled settled, nack(change, *flight, ended, true));
    if (settled.dead && !settled.run.none() && on_settled) LIMPET_CHECK(on_settled(settled));
  }
  return count;
}

// The timers of one kind that are due, at most `count_max`, in order; the cursor goes behind them.
// What is not on disk yet is due later than the horizon: a timer is at least a millisecond after
// the change that puts it.
Result<std::vector<store::TaskTimer>> Queues::Parts::take_timers(store::TaskTimerKind kind,
                                                                 TimerCursor& cursor,
                                                                 size_t count_max) {
  std::vector<store::TaskTimer> due;
  const store::StoreMs until = horizon();
  if (cursor.next > until) return due;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
  TimerCursor after = cursor;
  after.next = UINT64_MAX;
  const store::Key from = store::task_timer_key({kind, cursor.from, Sequence(cursor.from_task)});
  LIMPET_CHECK(snapshot.scan(from, store::task_timer_prefix(kind), [&](ByteSpan key, ByteSpan) {
    const std::optional<store::TaskTimer> timer = store::parse_task_timer_key(key);
    if (!timer) return true;
    if (timer->at > until || due.size() == count_max) {
      after.next = timer->at;
      return false;
    }
    due.push_back(*timer);
    after.from = timer->at;
    after.from_task = timer->task.value() + 1;
    return true;
  }));
  cursor = after;
  return due;
}

void Queues::Parts::bring_back() {
  while (true) {
    const Result<bool> more = bring_back_some();
    if (!more.ok()) return fail(more.error());
    if (!*more) return;
  }
}

Result<bool> Queues::Parts::bring_back_some() {
  LIMPET_TRY(const std::vector<store::TaskTimer> due,
             take_timers(store::TaskTimerKind::wake, wakes, wakes_at_once));
  if (due.empty()) return false;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
  for (const store::TaskTimer& timer : due) {
    LIMPET_TRY(const std::unique_ptr<TaskEvent> task, read_task(snapshot, timer.task));
    Queue* const queue = task == nullptr ? nullptr : find(task->facts.lane.queue);
    if (queue == nullptr) continue;
    Lane& lane = queue->turns.lane(task->facts.lane, 0);
    lane.give_back({task->facts.ready_at, timer.task.value()});
    queue->turns.changed(lane, horizon());
    queue->waiting -= std::min<uint64_t>(queue->waiting, 1);
    queue->woken = true;
  }
  return due.size() == wakes_at_once;
}

Result<size_t> Queues::Parts::expire(store::Change& change, size_t count_max,
                                     const SettledVisitor& on_settled) {
  size_t count = 0;
  while (count < count_max) {
    const TimerCursor before = expiries;
    LIMPET_TRY(const std::vector<store::TaskTimer> due,
               take_timers(store::TaskTimerKind::expiry, expiries, count_max - count));
    if (due.empty()) break;
    if (!expiries_before) expiries_before = before;
    for (const store::TaskTimer& timer : due) {
      LIMPET_TRY(const bool built, expire_one(change, timer, on_settled));
      count += size_t{built};
    }
  }
  if (count == 0) expiries_before.reset();  // all of them are in flight
  return count;
}

// One in flight may still be acknowledged; it dies when it is given back.
Result<bool> Queues::Parts::expire_one(store::Change& change, const store::TaskTimer& timer,
                                       const SettledVisitor& on_settled) {
  if (in_flight.contains(timer.task)) return false;
  Subject subject{timer.task, {}};
  Queue* queue = nullptr;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
    LIMPET_TRY(const std::unique_ptr<TaskEvent> task, read_task(snapshot, timer.task));
    if (task != nullptr) queue = find(task->facts.lane.queue);
    if (queue == nullptr) {
      change.erase(store::task_timer_key(timer));
      return true;
    }
    subject.place = store::place_of(task->facts, timer.task);
    subject.group = task->facts.group;
    subject.bytes = task->event.data.size();
    subject.expires_at = timer.at;
    subject.run = task->event.run;
    subject.step = task->facts.step;
    if (subject.group != 0) {
      LIMPET_TRY(
          subject.in_lane,
          groups.is_head(snapshot, {queue->number, subject.group, timer.task}, subject.place));
    }
    LIMPET_TRY(const std::optional<ByteSpan> row, snapshot.get(store::ready_key(subject.place)));
    if (row) subject.state = store::parse_task_state(*row).value_or(store::TaskState());
  }
  if (Lane* const lane = queue->turns.find(subject.place.lane); lane != nullptr) {
    lane->forget({subject.place.ready_at, subject.place.ticket});
    queue->turns.changed(*lane, horizon());
  }
  const Death death{store::DeathReason::expired, subject.state.attempts, {}, false};
  LIMPET_TRY(const Settled settled, die(change, *queue, subject, death));
  if (!settled.run.none() && on_settled) LIMPET_CHECK(on_settled(settled));
  return true;
}

void Queues::Parts::sweep() {
  const store::StoreMs now = wiring.store.now_ms();
  if (now < sweep_at) return;
  sweep_at = now + sweep_every_ms;
  const Result<store::Reader::Snapshot> snapshot = reader->snapshot();
  if (!snapshot.ok()) return fail(snapshot.error());
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue == nullptr) continue;
    const Result<void> swept = queue->turns.sweep(*snapshot);
    if (!swept.ok()) return fail(swept.error());
  }
}

void Queues::Parts::tell_ready() {
  const store::StoreMs until = horizon();
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue == nullptr) continue;
    const std::optional<store::StoreMs> due = queue->turns.next_due();
    const bool came = due && *due <= until && queue->turns.wake(until);
    if (!queue->woken && !came) continue;
    queue->woken = false;
    if (wake && queue->state != QueueState::paused) wake(queue->settings.name);
  }
}

std::optional<store::StoreMs> Queues::Parts::next_alarm() const {
  const store::StoreMs now = wiring.store.now_ms();
  store::StoreMs next = std::min(wakes.next, expiries.next);
  if (const std::optional<BootTime> deadline = in_flight.next_deadline()) {
    const int64_t left_ns = std::max<int64_t>(0, (*deadline - wiring.clock.boot()).ns);
    next = std::min(next, now + static_cast<store::StoreMs>((left_ns + 999999) / 1000000));
  }
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue == nullptr || queue->state == QueueState::paused) continue;
    if (const auto due = queue->turns.next_due()) next = std::min(next, *due);
  }
  if (next == UINT64_MAX) return std::nullopt;
  return next;
}

std::optional<store::StoreMs> Queues::next_alarm() const { return parts_->next_alarm(); }

}  // namespace limpet::dispatch
