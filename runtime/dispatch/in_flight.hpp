#pragma once

// InFlight: the tasks that are not to be given now: leased ones, with token and deadline, and those
// whose change is on its way to the disk.
// Owner: Queues. Thread: [main]. Never fails.
// Limits: who adds keeps them: QueueSettings::in_flight_max a queue for the leased, what the store
// takes (limits::store_pending_changes_max) for the others. Slots are used again: no heap is asked
// for once there are as many as were ever in flight at once.

#include <cstdint>
#include <optional>
#include <vector>

#include "dispatch/queue_types.hpp"
#include "store/task_record.hpp"

namespace limpet::dispatch {

struct Flight {
  enum class State : uint8_t {
    leased,
    settling,  // its change is on its way: nobody's, and not to be given either
  };
  Sequence task;
  LeaseToken token;  // none: it was never leased
  State state = State::leased;
  store::ReadyPlace place;
  store::TaskState task_state;
  uint64_t group = 0;
  uint64_t bytes = 0;
  store::StoreMs expires_at = 0;
  RunId run;
  Ordinal step;
  bool once = false;   // NewTask::once
  bool begun = false;  // its worker may act: Queues::begin_once
  BootTime leased_at;
  BootTime deadline;
  uint32_t heap_place = UINT32_MAX;  // InFlight's: in the heap of deadlines
};

class InFlight {
 public:
  // Pointers and references live until the next add().
  [[nodiscard]] Flight* find(Sequence task);
  [[nodiscard]] const Flight* find(Sequence task) const;
  [[nodiscard]] bool contains(Sequence task) const { return find(task) != nullptr; }
  // REQUIRES: !contains(task).
  Flight& add(Sequence task);
  // REQUIRES: contains(task).
  void remove(Sequence task);

  // Puts it among those whose lease may end, or moves it there.
  void schedule(Flight& flight, BootTime deadline);
  void unschedule(Flight& flight);
  // The lease that ends first; nullptr: none.
  [[nodiscard]] Flight* first_deadline();
  [[nodiscard]] std::optional<BootTime> next_deadline() const;

  [[nodiscard]] size_t count() const { return count_; }
  // So many slots exist: as many as were ever taken at once.
  [[nodiscard]] size_t slot_count() const { return slots_.size(); }

 private:
  [[nodiscard]] size_t bucket_of(Sequence task) const;
  [[nodiscard]] uint32_t slot_of(const Flight& flight) const;
  void grow();
  void sift_up(size_t index);
  void sift_down(size_t index);
  void heap_set(size_t index, uint32_t slot);

  std::vector<Flight> slots_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> buckets_;  // open addressing: slot + 1, or 0; a power of two of them
  std::vector<uint32_t> heap_;     // of slots, the earliest deadline first
  size_t count_ = 0;
};

}  // namespace limpet::dispatch
