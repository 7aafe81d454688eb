#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "dispatch/queues_parts.hpp"

namespace limpet::dispatch {

namespace {

// Longer waits are mistakes, and places have 48 bits.
constexpr Duration wait_max = seconds(int64_t{10} * 366 * 24 * 60 * 60);

// A started millisecond is a whole one: nothing comes early.
store::StoreMs whole_ms(Duration duration) {
  return static_cast<store::StoreMs>((duration.ns + 999999) / 1000000);
}

Result<void> check_takes(const Queue& queue) {
  if (!queue.configured) {
    return Error{ErrorCode::not_found, "queues: the config does not have it any more"};
  }
  if (queue.state == QueueState::draining) {
    return Error{ErrorCode::closed, "queues: it is draining"};
  }
  return {};
}

Result<void> check_texts(const NewTask& task) {
  size_t bytes = 0;
  for (const std::string_view text : {task.group, task.key, task.tenant, task.principal,
                                      task.correlation, task.causation, task.trace_parent}) {
    if (text.size() > limits::event_attribute_bytes_max) {
      return Error{ErrorCode::invalid, "queues: a text of the task is too long"};
    }
    bytes += text.size();
  }
  // The name of a tenant is part of a key.
  if (task.tenant.size() > limits::idempotency_key_bytes_max ||
      bytes > limits::event_attributes_bytes_max / 2) {
    return Error{ErrorCode::invalid, "queues: the texts of the task are too long"};
  }
  return {};
}

Result<void> check_task(const NewTask& task) {
  if (task.payload.empty() || task.payload.size() > limits::event_data_bytes_max) {
    return Error{ErrorCode::invalid, "queues: the payload is empty or larger than 64 KiB"};
  }
  if (task.priority >= priorities) return Error{ErrorCode::invalid, "queues: priority is 0 to 9"};
  if (task.delay.ns < 0 || task.delay > wait_max) {
    return Error{ErrorCode::invalid, "queues: delay out of range"};
  }
  if (task.ttl && (task.ttl->ns < 0 || *task.ttl > wait_max)) {
    return Error{ErrorCode::invalid, "queues: ttl out of range"};
  }
  if (task.delay.ns > 0 && !task.group.empty()) {
    return Error{ErrorCode::invalid, "queues: a delay would break the order of a group"};
  }
  return check_texts(task);
}

bool over_limits(const store::QueueCount& count, const QueueSettings& settings, uint64_t bytes) {
  return count.tasks + 1 > settings.tasks_max || count.bytes + bytes > settings.bytes_max;
}

bool over_quota(const Queue& queue, uint16_t tenant) {
  const uint64_t quota = queue.settings.tenant_tasks_max;
  return quota > 0 && queue.tenants.tasks_of(tenant) >= quota;
}

EventView queued_event(const Queue& queue, const NewTask& task) {
  EventView event;
  event.type = event_type::task_queued;
  event.subject = queue.settings.name;
  event.correlation = task.correlation;
  event.causation = task.causation;
  event.run = task.run;
  event.tenant = task.tenant;
  event.principal = task.principal;
  event.trace_parent = task.trace_parent;
  event.data = task.payload;
  return event;
}

}  // namespace

Result<void> Queues::Parts::check_room(const store::Change& change, const Queue& queue,
                                       const NewTask& task, uint16_t tenant) const {
  if (over_quota(queue, tenant)) {
    return Error{ErrorCode::full, "queues: the tenant's quota"};
  }
  if (over_limits(change.hot().queues[queue.index()], queue.settings, task.payload.size())) {
    return Error{ErrorCode::full, "queues: the queue is full"};
  }
  return {};
}

Result<Enqueued> Queues::Parts::enqueue(store::Change& change, Queue& queue, const NewTask& task) {
  LIMPET_CHECK(check_takes(queue));
  LIMPET_CHECK(check_task(task));
  if (!task.key.empty()) {
    const uint64_t hash = TaskKeys::hash(queue.number, task.key);
    const std::optional<Sequence> known =
        keys.find(hash, queue.settings.dedup_window, change.hot().store_ms);
    if (known) {
      Move move;
      move.kind = Move::Kind::duplicate;
      move.place.lane.queue = queue.number;
      begin_move(change, move);
      return Enqueued{*known, true, {}};
    }
  }
  const std::optional<uint16_t> tenant = queue.tenants.find(task.tenant);
  if (!tenant && queue.tenants.full()) return Error{ErrorCode::full, "queues: too many tenants"};
  const store::Lane lane{queue.number, tenant.value_or(UINT16_MAX), task.priority};
  if (queue.turns.find(lane) == nullptr && lane_count() >= lanes_max) {
    return Error{ErrorCode::full, "queues: too many lanes"};
  }
  Enqueued enqueued;
  Result<void> room = check_room(change, queue, task, lane.tenant);
  const bool over =
      over_limits(change.hot().queues[queue.index()], queue.settings, task.payload.size());
  // What is over its own quota does not push out others.
  const bool may_drop = queue.settings.overflow == Overflow::drop_oldest;
  if (over && may_drop && !over_quota(queue, lane.tenant)) {
    room = make_room(change, queue, task.payload.size(), enqueued.died);
  }
  if (!room.ok() && room.error().code == ErrorCode::full) ++queue.counters.refused_full;
  LIMPET_CHECK(room);
  LIMPET_TRY(enqueued.task, put_task(change, queue, task, store::TaskState()));
  return enqueued;
}

// The oldest that nobody has die, as many as there must be; when there are not enough, none.
Result<void> Queues::Parts::make_room(store::Change& change, Queue& queue, uint64_t bytes,
                                      std::vector<Settled>& died) {
  if (bytes > queue.settings.bytes_max || queue.settings.tasks_max == 0) {
    return Error{ErrorCode::full, "queues: larger than the queue"};
  }
  std::vector<Subject> oldest;
  store::QueueCount left = change.hot().queues[queue.index()];
  while (over_limits(left, queue.settings, bytes)) {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
    const LaneView view{snapshot, in_flight, horizon(), change.hot().store_ms};
    LIMPET_TRY(const std::optional<Turns::Choice> choice, queue.turns.oldest(view));
    if (!choice) break;
    const Sequence task(choice->row.spot.task);
    LIMPET_TRY(const std::unique_ptr<TaskEvent> event, read_task(snapshot, task));
    Subject subject{task, {choice->lane->name(), choice->row.spot.ready_at, task.value()}};
    subject.state = choice->row.state;
    if (event != nullptr) {
      subject.group = event->facts.group;
      subject.bytes = event->event.data.size();
      subject.expires_at = subject.state.deaths == 0 ? event->facts.expires_at : 0;
      subject.run = event->event.run;
      subject.step = event->facts.step;
    }
    hold(subject);
    choice->lane->forget(choice->row.spot);
    oldest.push_back(subject);
    left.tasks -= std::min<uint64_t>(left.tasks, 1);
    left.bytes -= std::min(left.bytes, subject.bytes);
  }
  Result<void> result;
  if (over_limits(left, queue.settings, bytes)) {
    result = Error{ErrorCode::full, "queues: full of tasks that are being worked on"};
  }
  for (const Subject& subject : oldest) {
    if (!result.ok()) {
      let_go(queue, subject);
      continue;
    }
    const Death death{store::DeathReason::overflow, subject.state.attempts, {}};
    const Result<Settled> settled = die(change, queue, subject, death);
    if (!settled.ok()) {
      result = settled.error();
      let_go(queue, subject);
    } else if (!settled->run.none()) {
      died.push_back(*settled);
    }
  }
  return result;
}

// Takes back a hold() that no move has noted.
void Queues::Parts::let_go(Queue& queue, const Subject& subject) {
  const auto noted = [&subject](const Move& move) { return move.task == subject.task; };
  if (std::ranges::any_of(open, noted) || !in_flight.contains(subject.task)) return;
  in_flight.remove(subject.task);
  Lane& lane = queue.turns.lane(subject.place.lane, 0);
  lane.give_back({subject.place.ready_at, subject.place.ticket});
  queue.turns.changed(lane, horizon());
}

void Queues::Parts::put_timers(store::Change& change, const Subject& subject) {
  if (subject.expires_at != 0) {
    change.put(
        store::task_timer_key({store::TaskTimerKind::expiry, subject.expires_at, subject.task}),
        {});
  }
}

Result<Sequence> Queues::Parts::put_task(store::Change& change, Queue& queue, const NewTask& task,
                                         const store::TaskState& state) {
  Move move;
  store::TaskFacts facts;
  const uint64_t group = task.group.empty() ? 0 : store::group_hash(task.group);
  if (group != 0) {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
    LIMPET_TRY(const std::optional<Groups::Waiting> other,
               groups.first_other(snapshot, {queue.number, group, Sequence()}));
    if (other) move.kind = Move::Kind::in_group;
  }
  const std::optional<uint16_t> known = queue.tenants.find(task.tenant);
  facts.lane = {queue.number, known ? *known : queue.tenants.add(task.tenant), task.priority};
  facts.ready_at = change.hot().store_ms + whole_ms(task.delay);
  const Duration ttl = task.ttl.value_or(queue.settings.ttl);
  if (ttl.ns > 0 && state.deaths == 0) facts.expires_at = facts.ready_at + whole_ms(ttl);
  facts.group = group;
  facts.group_name = task.group;
  facts.key = task.key;
  facts.step = task.step;
  facts.once = task.once;
  ByteVector encoded = std::move(extensions);
  encoded.clear();
  encode_task_facts(facts, encoded);
  EventView event = queued_event(queue, task);
  event.source = wiring.source;
  event.time = wiring.clock.wall();
  event.extensions = encoded;
  if (wiring.class_of) event.retention_class = wiring.class_of(event.type);
  LIMPET_TRY(const Sequence sequence, change.append(event));
  event.sequence = sequence;

  const store::ReadyPlace place = store::place_of(facts, sequence);
  if (group != 0) {
    const bool is_head = move.kind == Move::Kind::enqueued;
    std::array<uint8_t, store::group_row_bytes_max> row;
    change.put(store::group_key({queue.number, group, sequence}),
               store::encode_group_row({place, state}, row));
    groups.joined({queue.number, group, sequence}, {place, state}, is_head);
  }
  if (move.kind == Move::Kind::enqueued) {
    std::array<uint8_t, store::task_state_bytes> row;
    change.put(store::ready_key(place), store::encode_task_state(state, row));
    const Lane* const lane = queue.turns.find(place.lane);
    move.behind = lane != nullptr && lane->behind_cursor({place.ready_at, place.ticket});
  }
  put_timers(change, {sequence, place, state, group, 0, facts.expires_at, {}, {}});
  if (!task.key.empty()) {
    keys.note(change, TaskKeys::hash(queue.number, task.key), sequence);
  }
  store::QueueCount& count = change.hot().queues[queue.index()];
  count.tasks += 1;
  count.bytes += task.payload.size();
  queue.tenants.adjust(change, facts.lane.tenant, 1, static_cast<int64_t>(task.payload.size()));
  move.task = sequence;
  move.place = place;
  move.expires_at = facts.expires_at;
  begin_move(change, move);
  if (wiring.appended) wiring.appended(event);
  extensions = std::move(encoded);
  return sequence;
}

}  // namespace limpet::dispatch
