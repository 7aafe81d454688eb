#include "dispatch/queues.hpp"

#include <algorithm>
#include <array>

#include "dispatch/queues_parts.hpp"

namespace limpet::dispatch {

namespace {

constexpr Duration retry_min = milliseconds(50);
constexpr Duration retry_max = seconds(30);
constexpr size_t lanes_counted_max = 1024;  // for the delayed ones of one queue

uint64_t count_delayed(const store::Reader::Snapshot& snapshot, const Queue& queue,
                       store::StoreMs now) {
  uint64_t delayed = 0;
  size_t lanes = 0;
  queue.turns.each([&](const Lane& lane) {
    if (++lanes > lanes_counted_max || delayed >= delayed_count_max) return;
    const store::Key from = store::ready_key({lane.name(), now + 1, 0});
    const auto counted =
        snapshot.scan(from, store::lane_key(lane.name()),
                      [&delayed](ByteSpan, ByteSpan) { return ++delayed < delayed_count_max; });
    static_cast<void>(counted);  // statistics go on with what there is
  });
  return delayed + std::min(queue.waiting, delayed_count_max);
}

Duration oldest_age(const store::Reader::Snapshot& snapshot, const Queue& queue,
                    store::StoreMs now) {
  store::StoreMs first = now;
  queue.turns.each([&](const Lane& lane) {
    if (const std::optional<Spot> known = lane.first_known()) {
      first = std::min(first, known->ready_at);
      return;
    }
    if (lane.due() > now) return;
    const store::Key prefix = store::lane_key(lane.name());
    const auto read = snapshot.scan(lane.next_key(), prefix, [&](ByteSpan key, ByteSpan) {
      const std::optional<store::ReadyPlace> place = store::parse_ready_key(key);
      if (place) first = std::min(first, place->ready_at);
      return !place;
    });
    static_cast<void>(read);
  });
  return milliseconds(static_cast<int64_t>(now - first));
}

}  // namespace

std::string_view to_string(QueueState state) {
  constexpr std::array<std::string_view, 3> names = {"open", "paused", "draining"};
  return names[static_cast<size_t>(state)];
}

Queues::Parts::Parts(Wiring wiring_given)
    : wiring(std::move(wiring_given)), reader(wiring.store.new_reader()), random(wiring.seed) {}

Queues::Queues(Wiring wiring) : parts_(std::make_unique<Parts>(std::move(wiring))) {}
Queues::~Queues() = default;

Queue* Queues::Parts::find(std::string_view name) {
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue != nullptr && queue->settings.name == name) return queue.get();
  }
  return nullptr;
}

const Queue* Queues::Parts::find(std::string_view name) const {
  return const_cast<Parts*>(this)->find(name);
}

Queue* Queues::Parts::find(uint16_t number) {
  if (number < store::first_user_queue) return nullptr;
  const size_t index = size_t{number} - store::first_user_queue;
  return index < queues.size() ? queues[index].get() : nullptr;
}

Result<std::unique_ptr<TaskEvent>> Queues::Parts::read_task(const store::Reader::Snapshot& snapshot,
                                                            Sequence task) const {
  std::unique_ptr<TaskEvent> found;
  LIMPET_TRY(const store::EventsRead read, snapshot.events(task, 1, [&](const EventView& event) {
    if (event.sequence != task || event.type != event_type::task_queued) return false;
    found = std::make_unique<TaskEvent>();
    found->event = own(event);
    return false;
  }));
  static_cast<void>(read);
  if (found == nullptr) return found;
  const std::optional<store::TaskFacts> facts = store::parse_task_facts(found->event.extensions);
  if (!facts) return std::unique_ptr<TaskEvent>();
  found->facts = *facts;
  return found;
}

Result<Flight*> Queues::Parts::find_lease(const LeaseRef& ref) {
  Flight* const flight = in_flight.find(ref.task);
  if (flight != nullptr && flight->state == Flight::State::leased && flight->token == ref.token) {
    return flight;
  }
  Queue* queue = flight == nullptr ? nullptr : find(flight->place.lane.queue);
  if (queue == nullptr && !ref.task.none()) {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, reader->snapshot());
    LIMPET_TRY(const std::unique_ptr<TaskEvent> task, read_task(snapshot, ref.task));
    if (task != nullptr) queue = find(task->facts.lane.queue);
  }
  if (queue == nullptr) return Error{ErrorCode::not_found, "queues: no such task"};
  ++queue->counters.stale;
  return Error{ErrorCode::conflict, "queues: the lease is over; the task may be another's"};
}

size_t Queues::Parts::lane_count() const {
  size_t count = 0;
  for (const std::unique_ptr<Queue>& queue : queues) {
    if (queue != nullptr) count += queue->turns.lane_count();
  }
  return count;
}

Result<Enqueued> Queues::enqueue(store::Change& change, std::string_view queue,
                                 const NewTask& task) {
  Queue* const found = parts_->find(queue);
  if (found == nullptr) return Error{ErrorCode::not_found, "queues: no such queue"};
  return parts_->enqueue(change, *found, task);
}

Duration Queues::retry_after(std::string_view queue) const {
  const Queue* const found = parts_->find(queue);
  return std::clamp(found == nullptr ? retry_max : found->leave_every, retry_min, retry_max);
}

Result<size_t> Queues::lease(std::string_view queue, const LeaseOptions& options,
                             const LeaseVisitor& visit) {
  Queue* const found = parts_->find(queue);
  if (found == nullptr) return Error{ErrorCode::not_found, "queues: no such queue"};
  return parts_->lease(*found, options, visit);
}

std::optional<store::StoreMs> Queues::next_due(std::string_view queue) const {
  const Queue* const found = parts_->find(queue);
  if (found == nullptr || found->state == QueueState::paused) return std::nullopt;
  if (found->leased >= found->settings.in_flight_max) return std::nullopt;
  const store::StoreMs now = parts_->wiring.store.now_ms();
  if (found->turns.anyone()) {
    const BootTime boot = parts_->wiring.clock.boot();
    const Duration wait = std::max(found->bucket.wait(boot), found->turns.rate_wait(boot));
    return now + static_cast<store::StoreMs>((wait.ns + 999999) / 1000000);
  }
  const std::optional<store::StoreMs> due = found->turns.next_due();
  // What is due and not on disk yet is announced when it is.
  return due && *due > now ? due : std::nullopt;
}

Result<Settled> Queues::ack(store::Change& change, const LeaseRef& lease, ByteSpan result) {
  LIMPET_TRY(const Flight* const flight, parts_->find_lease(lease));
  return parts_->ack(change, *flight, result);
}

Result<Settled> Queues::nack(store::Change& change, const LeaseRef& lease, const Nack& nack) {
  LIMPET_TRY(const Flight* const flight, parts_->find_lease(lease));
  return parts_->nack(change, *flight, nack, false);
}

std::optional<std::string_view> Queues::queue_of(Sequence task) const {
  const Flight* const flight = parts_->in_flight.find(task);
  if (flight == nullptr || flight->state != Flight::State::leased) return std::nullopt;
  return parts_->find(flight->place.lane.queue)->settings.name;
}

void Queues::submitted() { parts_->submitted(); }
void Queues::dropped() { parts_->dropped(); }

void Queues::on_ready(std::function<void(std::string_view queue)> wake) {
  parts_->wake = std::move(wake);
}

std::optional<QueueStats> Queues::stats(std::string_view queue) const {
  std::optional<QueueStats> found;
  each([&](const QueueStats& stats) {
    if (stats.name == queue) found = stats;
  });
  return found;
}

void Queues::each(const std::function<void(const QueueStats&)>& visit) const {
  const store::StoreMs now = parts_->wiring.store.now_ms();
  for (const std::unique_ptr<Queue>& queue : parts_->queues) {
    if (queue == nullptr) continue;
    const store::QueueCount& count = parts_->wiring.store.newest().queues[queue->index()];
    QueueStats stats = queue->counters;
    stats.name = queue->settings.name;
    stats.configured = queue->configured;
    stats.state = queue->state;
    stats.tasks = count.tasks;
    stats.bytes = count.bytes;
    stats.dead = count.dead;
    stats.leased = queue->leased;
    stats.tasks_max = queue->settings.tasks_max;
    stats.bytes_max = queue->settings.bytes_max;
    if (const auto snapshot = parts_->reader->snapshot(); snapshot.ok()) {
      stats.delayed = count_delayed(*snapshot, *queue, now);
      stats.oldest_age = oldest_age(*snapshot, *queue, now);
    }
    visit(stats);
  }
}

std::optional<Error> Queues::trouble() const { return parts_->trouble; }

}  // namespace limpet::dispatch
