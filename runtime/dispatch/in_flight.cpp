#include "dispatch/in_flight.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace limpet::dispatch {

namespace {

constexpr size_t buckets_min = 64;
constexpr uint32_t no_place = UINT32_MAX;

size_t spread(Sequence task) {
  return static_cast<size_t>((task.value() * 0x9e3779b97f4a7c15u) >> 32);
}

}  // namespace

// The bucket that holds the task, or the empty one where it would be.
size_t InFlight::bucket_of(Sequence task) const {
  const size_t mask = buckets_.size() - 1;
  size_t bucket = spread(task) & mask;
  while (buckets_[bucket] != 0 && slots_[buckets_[bucket] - 1].task != task) {
    bucket = (bucket + 1) & mask;
  }
  return bucket;
}

uint32_t InFlight::slot_of(const Flight& flight) const {
  return static_cast<uint32_t>(&flight - slots_.data());
}

Flight* InFlight::find(Sequence task) {
  if (count_ == 0) return nullptr;
  const uint32_t entry = buckets_[bucket_of(task)];
  return entry == 0 ? nullptr : &slots_[entry - 1];
}

const Flight* InFlight::find(Sequence task) const {
  if (count_ == 0) return nullptr;
  const uint32_t entry = buckets_[bucket_of(task)];
  return entry == 0 ? nullptr : &slots_[entry - 1];
}

Flight& InFlight::add(Sequence task) {
  LIMPET_ASSERT(!task.none());
  if (2 * (count_ + 1) > buckets_.size()) grow();
  const size_t bucket = bucket_of(task);
  LIMPET_ASSERT(buckets_[bucket] == 0);
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = Flight{};
  slots_[slot].task = task;
  buckets_[bucket] = slot + 1;
  ++count_;
  return slots_[slot];
}

void InFlight::grow() {
  const std::vector<uint32_t> old = std::move(buckets_);
  buckets_.assign(std::max(buckets_min, old.size() * 2), 0);
  for (const uint32_t entry : old) {
    if (entry != 0) buckets_[bucket_of(slots_[entry - 1].task)] = entry;
  }
}

void InFlight::remove(Sequence task) {
  LIMPET_ASSERT(count_ > 0);
  size_t hole = bucket_of(task);
  LIMPET_ASSERT(buckets_[hole] != 0);
  const uint32_t slot = buckets_[hole] - 1;
  unschedule(slots_[slot]);
  // Whoever was pushed past the hole moves back into it.
  const size_t mask = buckets_.size() - 1;
  buckets_[hole] = 0;
  for (size_t next = (hole + 1) & mask; buckets_[next] != 0; next = (next + 1) & mask) {
    const size_t home = spread(slots_[buckets_[next] - 1].task) & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    buckets_[hole] = std::exchange(buckets_[next], 0);
    hole = next;
  }
  slots_[slot].task = Sequence();
  free_.push_back(slot);
  --count_;
}

void InFlight::heap_set(size_t index, uint32_t slot) {
  heap_[index] = slot;
  slots_[slot].heap_place = static_cast<uint32_t>(index);
}

void InFlight::sift_up(size_t index) {
  const uint32_t slot = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (slots_[heap_[parent]].deadline <= slots_[slot].deadline) break;
    heap_set(index, heap_[parent]);
    index = parent;
  }
  heap_set(index, slot);
}

void InFlight::sift_down(size_t index) {
  const uint32_t slot = heap_[index];
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    const bool right_first = child + 1 < heap_.size() &&
                             slots_[heap_[child + 1]].deadline < slots_[heap_[child]].deadline;
    if (right_first) ++child;
    if (slots_[slot].deadline <= slots_[heap_[child]].deadline) break;
    heap_set(index, heap_[child]);
    index = child;
  }
  heap_set(index, slot);
}

void InFlight::schedule(Flight& flight, BootTime deadline) {
  flight.deadline = deadline;
  if (flight.heap_place == no_place) {
    heap_.push_back(slot_of(flight));
    sift_up(heap_.size() - 1);
    return;
  }
  sift_up(flight.heap_place);
  sift_down(flight.heap_place);
}

void InFlight::unschedule(Flight& flight) {
  if (flight.heap_place == no_place) return;
  const size_t index = flight.heap_place;
  flight.heap_place = no_place;
  const uint32_t last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  heap_set(index, last);
  sift_up(index);
  sift_down(slots_[last].heap_place);
}

Flight* InFlight::first_deadline() { return heap_.empty() ? nullptr : &slots_[heap_.front()]; }

std::optional<BootTime> InFlight::next_deadline() const {
  if (heap_.empty()) return std::nullopt;
  return slots_[heap_.front()].deadline;
}

}  // namespace limpet::dispatch
