#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "dispatch/queues_parts.hpp"

namespace limpet::dispatch {

namespace {

// How many of the oldest make room for one that dies: usually one does, after dead_max was lowered
// more must.
constexpr int dead_dropped_at_once = 2;

Subject subject_of(Sequence task, const TaskEvent* event, const store::TaskState& state) {
  Subject subject{task, {}, state};
  if (event == nullptr) return subject;
  subject.place = store::place_of(event->facts, task);
  subject.group = event->facts.group;
  subject.bytes = event->event.data.size();
  subject.run = event->event.run;
  subject.step = event->facts.step;
  return subject;
}

NewTask again(const TaskEvent& old, ByteSpan payload, std::string_view cause) {
  NewTask task;
  task.payload = payload;
  task.priority = old.facts.lane.priority;
  task.group = old.facts.group_name;
  task.tenant = old.event.tenant;
  task.principal = old.event.principal;
  task.correlation = old.event.correlation;
  task.causation = cause;
  task.trace_parent = old.event.trace_parent;
  task.run = old.event.run;
  task.step = old.facts.step;
  task.once = old.facts.once;
  return task;
}

struct DeadRow {
  Queue* queue = nullptr;
  Sequence task;
};

// The first dead letter of a queue from `from` on that no change is about to take away.
Result<Sequence> first_dead(const store::Reader::Snapshot& snapshot, const InFlight& held,
                            uint16_t queue, Sequence from) {
  Sequence first;
  LIMPET_CHECK(snapshot.scan(store::dead_key(queue, from), store::dead_prefix(queue),
                             [&](ByteSpan key, ByteSpan) {
                               const std::optional<Sequence> task = store::parse_dead_key(key);
                               if (!task || held.contains(*task)) return true;
                               first = *task;
                               return false;
                             }));
  return first;
}

}  // namespace

Result<Queues::Parts::Dead> Queues::Parts::find_dead(const store::Reader::Snapshot& snapshot,
                                                     Sequence task) {
  Dead dead;
  dead.task = task;
  if (task.none() || in_flight.contains(task)) {
    return Error{ErrorCode::not_found, "queues: no such dead letter"};
  }
  LIMPET_TRY(dead.event, read_task(snapshot, task));
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue == nullptr) continue;
    if (dead.event != nullptr && dead.event->facts.lane.queue != queue->number) continue;
    LIMPET_TRY(const std::optional<ByteSpan> row,
               snapshot.get(store::dead_key(queue->number, task)));
    if (!row) continue;
    dead.queue = queue.get();
    dead.letter = store::parse_dead_letter(*row).value_or(store::DeadLetter());
    break;
  }
  if (dead.queue == nullptr) return Error{ErrorCode::not_found, "queues: no such dead letter"};
  if (dead.event != nullptr && dead.event->facts.group != 0) {
    LIMPET_TRY(dead.parked,
               groups.contains(snapshot, {dead.queue->number, dead.event->facts.group, task}));
  }
  return dead;
}

Result<void> Queues::Parts::remove_dead(store::Change& change, const Dead& dead,
                                        Move::Leave leave) {
  Subject subject = subject_of(dead.task, dead.event.get(), {});
  if (dead.event == nullptr) subject.place.lane.queue = dead.queue->number;
  subject.in_lane = false;
  if (dead.parked) {
    const GroupMember member{dead.queue->number, subject.group, dead.task};
    LIMPET_CHECK(promote_next(change, member));
    change.erase(store::group_key({member.queue, member.group, member.task}));
    groups.left(member);
  }
  change.erase(store::dead_key(dead.queue->number, dead.task));
  store::QueueCount& count = change.hot().queues[dead.queue->index()];
  count.dead -= std::min<uint64_t>(count.dead, 1);
  change.release(dead.task);
  hold(subject);
  Move move;
  move.kind = Move::Kind::dead_left;
  move.leave = leave;
  move.task = dead.task;
  move.place = subject.place;
  begin_move(change, move);
  return {};
}

Result<void> Queues::Parts::limit_dead(store::Change& change, Queue& queue) {
  for (int dropped = 0; dropped < dead_dropped_at_once; ++dropped) {
    if (change.hot().queues[queue.index()].dead <= queue.settings.dead_max) return {};
    std::optional<Dead> oldest;
    {
      LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
      LIMPET_TRY(const Sequence task, first_dead(snapshot, in_flight, queue.number, Sequence()));
      if (task.none()) return {};  // all of them die in changes that are not on disk yet
      LIMPET_TRY(oldest, find_dead(snapshot, task));
    }
    LIMPET_CHECK(remove_dead(change, *oldest, Move::Leave::made_room));
  }
  return {};
}

Result<Enqueued> Queues::Parts::redrive(store::Change& change, const Dead& dead) {
  Queue& queue = *dead.queue;
  const store::TaskState state{0, 0, dead.letter.deaths, dead.letter.first_death};
  const Subject subject = subject_of(dead.task, dead.event.get(), state);
  const GroupMember member{queue.number, subject.group, dead.task};
  bool waits = false;
  if (subject.group != 0 && !dead.parked) {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
    LIMPET_TRY(const std::optional<Groups::Waiting> other, groups.first_other(snapshot, member));
    waits = other.has_value();
  }
  if (subject.group != 0) {
    std::array<uint8_t, store::group_row_bytes_max> row;
    change.put(store::group_key({member.queue, member.group, member.task}),
               store::encode_group_row({subject.place, state}, row));
    groups.joined(member, {subject.place, state}, !waits);
  }
  if (!waits) {
    std::array<uint8_t, store::task_state_bytes> row;
    change.put(store::ready_key(subject.place), store::encode_task_state(state, row));
  }
  change.erase(store::dead_key(queue.number, dead.task));
  store::QueueCount& count = change.hot().queues[queue.index()];
  count.dead -= std::min<uint64_t>(count.dead, 1);
  count.tasks += 1;
  count.bytes += subject.bytes;
  queue.tenants.adjust(change, subject.place.lane.tenant, 1, static_cast<int64_t>(subject.bytes));
  hold(subject);
  Move move;
  move.kind = waits ? Move::Kind::regrouped : Move::Kind::redriven;
  move.task = dead.task;
  move.place = subject.place;
  begin_move(change, move);
  return Enqueued{dead.task, false, {}};
}

Result<Enqueued> Queues::Parts::replace(store::Change& change, const Dead& dead, ByteSpan payload) {
  const std::string cause = qualified_id(wiring.store.epoch(), dead.task.value());
  const store::TaskState state{0, 0, dead.letter.deaths, dead.letter.first_death};
  const NewTask task = again(*dead.event, payload, cause);
  LIMPET_TRY(const Sequence sequence, put_task(change, *dead.queue, task, state));
  LIMPET_CHECK(remove_dead(change, dead, Move::Leave::replaced));
  return Enqueued{sequence, false, {}};
}

Result<Enqueued> Queues::redrive(store::Change& change, Sequence task, ByteSpan payload) {
  Parts& parts = *parts_;
  std::optional<Parts::Dead> dead;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, parts.reader->snapshot());
    LIMPET_TRY(dead, parts.find_dead(snapshot, task));
  }
  if (dead->event == nullptr) {
    return Error{ErrorCode::corrupt, "queues: the event of the dead letter cannot be read"};
  }
  if (payload.size() > limits::event_data_bytes_max) {
    return Error{ErrorCode::invalid, "queues: the payload is larger than 64 KiB"};
  }
  Queue& queue = *dead->queue;
  if (!queue.configured || queue.state == QueueState::draining) {
    return Error{ErrorCode::closed, "queues: it takes no tasks"};
  }
  NewTask room;
  room.payload = payload.empty() ? ByteSpan(dead->event->event.data) : payload;
  LIMPET_CHECK(parts.check_room(change, queue, room, dead->event->facts.lane.tenant));
  return payload.empty() ? parts.redrive(change, *dead) : parts.replace(change, *dead, payload);
}

Result<void> Queues::drop_dead(store::Change& change, Sequence task) {
  std::optional<Parts::Dead> dead;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, parts_->reader->snapshot());
    LIMPET_TRY(dead, parts_->find_dead(snapshot, task));
  }
  return parts_->remove_dead(change, *dead, Move::Leave::asked);
}

Result<void> Queues::list_dead(std::string_view queue, Sequence from,
                               const DeadVisitor& visit) const {
  Parts& parts = *parts_;
  if (!queue.empty() && parts.find(queue) == nullptr) {
    return Error{ErrorCode::not_found, "queues: no such queue"};
  }
  LIMPET_TRY(const store::Reader::Snapshot snapshot, parts.reader->snapshot());
  std::vector<DeadRow> next;  // of each queue
  for (const std::unique_ptr<Queue>& one : parts.queues) {
    if (one == nullptr || (!queue.empty() && one->settings.name != queue)) continue;
    LIMPET_TRY(const Sequence task, first_dead(snapshot, parts.in_flight, one->number, from));
    if (!task.none()) next.push_back({one.get(), task});
  }
  while (!next.empty()) {
    const auto first = std::ranges::min_element(next, {}, &DeadRow::task);
    LIMPET_TRY(const Parts::Dead dead, parts.find_dead(snapshot, first->task));
    DeadTask shown{first->task, first->queue->settings.name, dead.letter, {}, {}, {}, {}};
    if (dead.event != nullptr) {
      shown.payload = dead.event->event.data;
      shown.group = dead.event->facts.group_name;
      shown.tenant = dead.event->event.tenant;
      shown.enqueued = dead.event->event.time;
    }
    if (!visit(shown)) return {};
    LIMPET_TRY(first->task,
               first_dead(snapshot, parts.in_flight, first->queue->number, first->task.next()));
    if (first->task.none()) next.erase(first);
  }
  return {};
}

}  // namespace limpet::dispatch
