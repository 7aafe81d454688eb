#include <algorithm>
#include <array>

#include "dispatch/queues_parts.hpp"
#include "store/queue_record.hpp"

namespace limpet::dispatch {

namespace {

Result<void> check_settings(const std::vector<QueueSettings>& settings) {
  for (const QueueSettings& queue : settings) {
    if (queue.name.empty() || queue.name.size() > limits::tool_name_bytes_max) {
      return Error{ErrorCode::invalid, "queues: the name of a queue is empty or too long"};
    }
    const auto same = [&queue](const QueueSettings& other) { return other.name == queue.name; };
    if (std::ranges::count_if(settings, same) > 1) {
      return Error{ErrorCode::invalid, "queues: two queues have one name"};
    }
  }
  return {};
}

ByteSpan encode(const Queue& queue, std::span<uint8_t> buffer) {
  return store::encode_queue_record({queue.number, static_cast<uint8_t>(queue.state)}, buffer);
}

}  // namespace

Result<void> Queues::load(std::vector<QueueSettings> settings) {
  Parts& parts = *parts_;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, parts.reader->snapshot());
    LIMPET_CHECK(parts.read_names(snapshot));
    for (const std::unique_ptr<Queue>& queue : parts.queues) {
      if (queue == nullptr) continue;
      const store::QueueCount& count = parts.wiring.store.newest().queues[queue->index()];
      LIMPET_CHECK(queue->tenants.load(snapshot, count));
      LIMPET_CHECK(parts.find_lanes(snapshot, *queue));
    }
  }
  LIMPET_CHECK(parts.configure(std::move(settings)));
  LIMPET_TRY(const store::Reader::Snapshot snapshot, parts.reader->snapshot());
  Duration window;
  for (const std::unique_ptr<Queue>& queue : parts.queues) {
    if (queue != nullptr) window = std::max(window, queue->settings.dedup_window);
  }
  const store::StoreMs now = parts.wiring.store.now_ms();
  LIMPET_CHECK(parts.keys.load(snapshot, window, now));
  // Cursors begin at the first row and see what is due by now.
  parts.wakes.from = now + 1;
  return parts.find_timers(snapshot);
}

Result<void> Queues::reload(std::vector<QueueSettings> settings) {
  LIMPET_CHECK(parts_->configure(std::move(settings)));
  Duration window;
  for (const std::unique_ptr<Queue>& queue : parts_->queues) {
    if (queue != nullptr) window = std::max(window, queue->settings.dedup_window);
  }
  parts_->keys.set_window(window);
  return {};
}

Result<void> Queues::Parts::read_names(const store::Reader::Snapshot& snapshot) {
  const store::Key prefix = store::queue_name_prefix();
  return snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<store::QueueRecord> row = store::parse_queue_record(value);
    if (!row || row->number < store::first_user_queue) return true;
    const size_t index = size_t{row->number} - store::first_user_queue;
    if (index >= store::queues_max) return true;
    if (index >= queues.size()) queues.resize(index + 1);
    QueueSettings stored;
    stored.name = store::name_in(key, prefix);
    queues[index] = std::make_unique<Queue>(row->number, std::move(stored));
    queues[index]->configured = false;
    if (row->state <= static_cast<uint8_t>(QueueState::draining)) {
      queues[index]->state = static_cast<QueueState>(row->state);
    }
    return true;
  });
}

// From the first row of a lane to the first one behind the lane: one seek each.
Result<void> Queues::Parts::find_lanes(const store::Reader::Snapshot& snapshot, Queue& queue) {
  const store::Key prefix = store::queue_prefix(queue.number);
  store::Key from = prefix;
  while (true) {
    std::optional<store::ReadyPlace> first;
    bool any = false;
    LIMPET_CHECK(snapshot.scan(from, prefix, [&](ByteSpan key, ByteSpan) {
      any = true;
      first = store::parse_ready_key(key);
      return !first;
    }));
    if (!any || !first) return {};
    Lane& lane = queue.turns.lane(first->lane, first->ready_at);
    queue.turns.changed(lane, wiring.store.now_ms());
    from = store::lane_key(first->lane).u64(UINT64_MAX).u64(UINT64_MAX);
  }
}

// When the first timers are due, and how many tasks wait after a failure.
Result<void> Queues::Parts::find_timers(const store::Reader::Snapshot& snapshot) {
  const store::Key expiry = store::task_timer_prefix(store::TaskTimerKind::expiry);
  expiries.next = wakes.next = UINT64_MAX;
  LIMPET_CHECK(snapshot.scan(expiry, expiry, [&](ByteSpan key, ByteSpan) {
    const auto timer = store::parse_task_timer_key(key);
    if (timer) expiries.next = timer->at;
    return !timer;
  }));
  std::vector<Sequence> tasks;
  const store::TaskTimerKind wake_kind = store::TaskTimerKind::wake;
  LIMPET_CHECK(snapshot.scan(store::task_timer_key({wake_kind, wakes.from, Sequence()}),
                             store::task_timer_prefix(wake_kind), [&](ByteSpan key, ByteSpan) {
                               const auto timer = store::parse_task_timer_key(key);
                               if (!timer) return true;
                               wakes.next = std::min(wakes.next, timer->at);
                               tasks.push_back(timer->task);
                               return tasks.size() < delayed_count_max;
                             }));
  for (const Sequence task : tasks) {
    LIMPET_TRY(const std::unique_ptr<TaskEvent> event, read_task(snapshot, task));
    Queue* const queue = event == nullptr ? nullptr : find(event->facts.lane.queue);
    if (queue != nullptr) ++queue->waiting;
  }
  return {};
}

Result<void> Queues::Parts::configure(std::vector<QueueSettings> settings) {
  LIMPET_CHECK(check_settings(settings));
  size_t known = 0;
  for (const std::unique_ptr<Queue>& queue : queues) known += size_t{queue != nullptr};
  size_t fresh = 0;
  for (const QueueSettings& one : settings) fresh += size_t{find(one.name) == nullptr};
  if (known + fresh > store::queues_max) {
    return Error{ErrorCode::full, "queues: too many names in the life of the store"};
  }
  store::Change change = wiring.store.begin();
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue != nullptr) queue->configured = false;
  }
  for (QueueSettings& one : settings) {
    if (Queue* const queue = find(one.name); queue != nullptr) {
      queue->configure(std::move(one));
      queue->configured = true;
      queue->woken = true;  // perhaps there is more room in flight, or a higher rate
      continue;
    }
    auto free = std::find(queues.begin(), queues.end(), nullptr);
    if (free == queues.end()) free = queues.insert(queues.end(), nullptr);
    const auto number = static_cast<uint16_t>(store::first_user_queue + (free - queues.begin()));
    *free = std::make_unique<Queue>(number, std::move(one));
    std::array<uint8_t, store::queue_record_bytes> row;
    change.put(store::queue_name_key((*free)->settings.name), encode(**free, row));
  }
  if (change.empty()) return {};
  Result<void> committed;
  change.on_done([&committed](const Result<void>& result) { committed = result; });
  LIMPET_CHECK(wiring.store.submit(std::move(change)));
  wiring.store.drain();
  return committed;
}

Result<void> Queues::set_state(store::Change& change, std::string_view name, QueueState state) {
  Queue* const queue = parts_->find(name);
  if (queue == nullptr) return Error{ErrorCode::not_found, "queues: no such queue"};
  Move move;
  move.kind = Move::Kind::state_set;
  move.state_before = queue->state;
  move.place.lane.queue = queue->number;
  queue->state = state;
  queue->woken = true;
  std::array<uint8_t, store::queue_record_bytes> row;
  change.put(store::queue_name_key(queue->settings.name), encode(*queue, row));
  parts_->begin_move(change, move);
  return {};
}

}  // namespace limpet::dispatch
