#include <algorithm>
#include <array>

#include "dispatch/backoff.hpp"
#include "dispatch/queues_parts.hpp"
#include "store/task_event.hpp"

namespace limpet::dispatch {

namespace {

Subject subject_of(const Flight& flight) {
  Subject subject{flight.task,  flight.place,      flight.task_state, flight.group,
                  flight.bytes, flight.expires_at, flight.run,        flight.step};
  subject.leased = true;
  return subject;
}

// At most `bytes_max` of it, not cut within a character.
std::string_view cut_text(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t size = bytes_max;
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

store::TaskTimer wake_of(const Subject& subject, store::StoreMs at) {
  return {store::TaskTimerKind::wake, at, subject.task};
}

}  // namespace

Result<Settled> Queues::Parts::ack(store::Change& change, const Flight& flight, ByteSpan result) {
  const Subject subject = subject_of(flight);
  const Duration held = wiring.clock.boot() - flight.leased_at;
  Queue& queue = *find(subject.place.lane.queue);
  LIMPET_CHECK(take_out(change, queue, subject, false));
  change.release(subject.task);
  hold(subject);
  Move move;
  move.kind = Move::Kind::acked;
  move.was_leased = true;
  move.task = subject.task;
  move.place = subject.place;
  begin_move(change, move);
  if (!result.empty()) {
    End end{event_type::task_done, {}};
    store::encode_task_done({wiring.store.epoch(), subject.task, queue.settings.name}, result,
                            end.data);
    LIMPET_CHECK(append_end(change, queue, subject, end));
  }
  return Settled{subject.task, false, {}, subject.run, subject.step, held, queue.settings.name};
}

Result<void> Queues::Parts::append_end(store::Change& change, const Queue& queue,
                                       const Subject& subject, const End& end) {
  std::unique_ptr<TaskEvent> task;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
    LIMPET_TRY(task, read_task(snapshot, subject.task));
  }
  const std::string cause = qualified_id(wiring.store.epoch(), subject.task.value());
  EventView event;
  event.type = end.type;
  event.source = wiring.source;
  event.subject = queue.settings.name;
  event.time = wiring.clock.wall();
  event.causation = cause;
  event.run = subject.run;
  if (task != nullptr) {
    event.correlation = task->event.correlation;
    event.tenant = task->event.tenant;
    event.trace_parent = task->event.trace_parent;
  }
  event.data = end.data;
  if (wiring.class_of) event.retention_class = wiring.class_of(event.type);
  LIMPET_TRY(event.sequence, change.append(event));
  if (wiring.appended) wiring.appended(event);
  return {};
}

Result<Settled> Queues::Parts::nack(store::Change& change, const Flight& flight, const Nack& nack,
                                    bool lease_ended) {
  Subject subject = subject_of(flight);
  Queue& queue = *find(subject.place.lane.queue);
  const store::StoreMs now = change.hot().store_ms;
  // Nobody has begun it, so nothing can have failed.
  const bool untouched = lease_ended && flight.once && !flight.begun;
  const bool counts = nack.failure != Failure::release && !untouched;
  const auto attempts = static_cast<uint16_t>(
      std::min<uint32_t>(subject.state.attempts + uint32_t{counts}, UINT16_MAX));
  Death death{store::DeathReason::rejected, attempts, nack.error, lease_ended};
  if (lease_ended && flight.begun) {
    death.reason = store::DeathReason::unknown_outcome;
    return die(change, queue, subject, death);
  }
  if (nack.failure == Failure::permanent) return die(change, queue, subject, death);
  if (counts && queue.settings.attempts_max > 0 && attempts >= queue.settings.attempts_max) {
    death.reason = store::DeathReason::attempts;
    return die(change, queue, subject, death);
  }
  if (subject.expires_at != 0 && subject.expires_at <= now) {
    death.reason = store::DeathReason::expired;
    return die(change, queue, subject, death);
  }
  Duration delay = nack.delay.value_or(Duration{});
  if (counts && !nack.delay) {
    delay = backoff_delay(queue.settings.backoff, attempts, next_random(random));
  }
  Move move;
  move.kind = Move::Kind::given_back;
  move.was_leased = true;
  move.failure = nack.failure;
  move.lease_ended = lease_ended;
  move.task = subject.task;
  move.place = subject.place;
  move.expires_at = subject.expires_at;
  if (delay.ns > 0) move.wake_at = now + static_cast<uint64_t>((delay.ns + 999999) / 1000000);
  if (counts || move.wake_at != 0 || flight.begun) {
    if (subject.state.not_before != 0) {
      change.erase(store::task_timer_key(wake_of(subject, subject.state.not_before)));
    }
    subject.state.attempts = attempts;
    subject.state.not_before = move.wake_at;
    if (move.wake_at != 0) change.put(store::task_timer_key(wake_of(subject, move.wake_at)), {});
    std::array<uint8_t, store::task_state_bytes> row;
    change.put(store::ready_key(subject.place), store::encode_task_state(subject.state, row));
  }
  hold(subject);
  begin_move(change, move);
  return Settled{subject.task, false, {}, subject.run, subject.step};
}

Result<void> Queues::Parts::promote_next(store::Change& change, const GroupMember& member) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
  LIMPET_TRY(const std::optional<Groups::Waiting> next, groups.first_other(snapshot, member));
  if (!next) return {};
  std::array<uint8_t, store::task_state_bytes> row;
  change.put(store::ready_key(next->place), store::encode_task_state(next->state, row));
  groups.joined({member.queue, member.group, Sequence(next->place.ticket)}, *next, true);
  Move move;
  move.kind = Move::Kind::promoted;
  move.task = Sequence(next->place.ticket);
  move.place = next->place;
  begin_move(change, move);
  return {};
}

Result<void> Queues::Parts::take_out(store::Change& change, Queue& queue, const Subject& subject,
                                     bool park) {
  const GroupMember member{queue.number, subject.group, subject.task};
  if (subject.group != 0 && !park) {
    if (subject.in_lane) LIMPET_CHECK(promote_next(change, member));
    change.erase(store::group_key({member.queue, member.group, member.task}));
    groups.left(member);
  }
  if (subject.in_lane) change.erase(store::ready_key(subject.place));
  if (subject.state.not_before != 0) {
    change.erase(store::task_timer_key(wake_of(subject, subject.state.not_before)));
  }
  if (subject.expires_at != 0) {
    change.erase(
        store::task_timer_key({store::TaskTimerKind::expiry, subject.expires_at, subject.task}));
  }
  store::QueueCount& count = change.hot().queues[queue.index()];
  count.tasks -= std::min<uint64_t>(count.tasks, 1);
  count.bytes -= std::min(count.bytes, subject.bytes);
  queue.tenants.adjust(change, subject.place.lane.tenant, -1, -static_cast<int64_t>(subject.bytes));
  return {};
}

Result<Settled> Queues::Parts::die(store::Change& change, Queue& queue, const Subject& subject,
                                   const Death& death) {
  const store::StoreMs now = change.hot().store_ms;
  store::DeadLetter letter;
  letter.reason = death.reason;
  letter.attempts = death.attempts;
  letter.deaths =
      static_cast<uint16_t>(std::min<uint32_t>(subject.state.deaths + uint32_t{1}, UINT16_MAX));
  letter.first_death = subject.state.first_death == 0 ? now : subject.state.first_death;
  letter.last_death = now;
  letter.error = cut_text(death.error, store::death_error_bytes_max);
  const bool park =
      subject.group != 0 && subject.in_lane && queue.settings.group_on_dead == GroupOnDead::park;
  LIMPET_CHECK(take_out(change, queue, subject, park));
  change.put(store::dead_key(queue.number, subject.task), store::encode_dead_letter(letter));
  change.hot().queues[queue.index()].dead += 1;
  hold(subject);
  Move move;
  move.kind = Move::Kind::died;
  move.was_leased = subject.leased;
  move.behind = subject.in_lane;
  move.reason = death.reason;
  move.lease_ended = death.lease_ended;
  if (!subject.leased) move.wake_at = subject.state.not_before;
  move.task = subject.task;
  move.place = subject.place;
  begin_move(change, move);
  LIMPET_CHECK(limit_dead(change, queue));
  End end{event_type::task_dead, {}};
  store::encode_task_dead({wiring.store.epoch(), subject.task, queue.settings.name}, letter,
                          end.data);
  LIMPET_CHECK(append_end(change, queue, subject, end));
  return Settled{subject.task, true, death.reason, subject.run, subject.step};
}

void Queues::Parts::hold(const Subject& subject) {
  Flight* flight = in_flight.find(subject.task);
  if (flight == nullptr) {
    flight = &in_flight.add(subject.task);
    flight->place = subject.place;
  } else if (flight->state == Flight::State::leased) {
    Queue& queue = *find(subject.place.lane.queue);
    queue.woken = queue.woken || queue.hungry;
    --queue.leased;
    queue.leased_bytes -= flight->bytes;
    in_flight.unschedule(*flight);
  }
  flight->state = Flight::State::settling;
}

}  // namespace limpet::dispatch
