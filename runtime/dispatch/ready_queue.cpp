#include "dispatch/ready_queue.hpp"

#include <algorithm>

namespace limpet::dispatch {

namespace {

using store::Key;
using store::ReadyPlace;

std::optional<ReadyTask> parse_task(ByteSpan key, ByteSpan value) {
  const std::optional<ReadyPlace> place = store::parse_ready_key(key);
  if (!place || value.size() < 8) return std::nullopt;
  ReadyTask task{*place, RunId(store::read_u64(value)), Ordinal()};
  if (value.size() >= 12) task.ordinal = Ordinal(store::read_u32(value.subspan(8)));
  return task;
}

}  // namespace

Result<Taken> ReadyQueue::take(size_t count_max) {
  Taken taken;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store_.reader().snapshot());
  for (int priority = 9; priority >= 0; --priority) {
    LIMPET_CHECK(take_lane(snapshot, static_cast<uint8_t>(priority), count_max, taken));
  }
  return taken;
}

Result<void> ReadyQueue::take_lane(const store::Reader::Snapshot& snapshot, uint8_t priority,
                                   size_t count_max, Taken& taken) {
  const store::Lane lane{queue_, 0, priority};
  const store::StoreMs horizon = store_.durable_ms();
  Cursor& cursor = cursors_[priority];
  const Key from = store::ready_key({lane, cursor.ready_at, cursor.next_ticket});
  return snapshot.scan(from, store::lane_key(lane), [&](ByteSpan key, ByteSpan value) {
    const std::optional<ReadyTask> task = parse_task(key, value);
    if (!task) return true;
    if (task->place.ready_at > horizon) {
      const store::StoreMs due = task->place.ready_at;
      taken.next_due = std::min(taken.next_due.value_or(due), due);
      return false;
    }
    if (taken.tasks.size() >= count_max) {
      taken.next_due = 0;
      return false;
    }
    taken.tasks.push_back(*task);
    cursor = {task->place.ready_at, task->place.ticket + 1};
    return true;
  });
}

}  // namespace limpet::dispatch
