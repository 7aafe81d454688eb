#pragma once

// ReadyQueue: hands out the tasks of one queue in order: higher priority first, then the one that
// has been ready longest. A lease writes nothing: what was handed out is behind a cursor in memory,
// and a crash forgets the cursor, so the work comes again.
// Owner: the daemon, one for each internal queue. Thread: [main]. Fails with: io, corrupt.
// Limits: at most 10 lanes (priorities) are looked at; take() reads at most the rows it returns and
// one more a lane, whatever the backlog.
//
// Why a cursor cannot pass over a row: places are given out on main in the order of submission, and
// take() looks only at rows that were due when the newest durable change was made. A row on its way
// to the disk is younger than that.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

namespace limpet::dispatch {

struct ReadyTask {
  store::ReadyPlace place;
  RunId run;
  Ordinal ordinal;  // of a call; none for a turn
};

struct Taken {
  std::vector<ReadyTask> tasks;
  std::optional<store::StoreMs> next_due;  // when a delayed one becomes ready
};

class ReadyQueue {
 public:
  ReadyQueue(store::Store& store, uint16_t queue) : store_(store), queue_(queue) {}

  // The next tasks, at most `count_max`; each is handed out once until the process ends.
  [[nodiscard]] Result<Taken> take(size_t count_max);

 private:
  struct Cursor {
    store::StoreMs ready_at = 0;
    uint64_t next_ticket = 0;
  };
  [[nodiscard]] Result<void> take_lane(const store::Reader::Snapshot& snapshot, uint8_t priority,
                                       size_t count_max, Taken& taken);

  store::Store& store_;
  const uint16_t queue_;
  std::array<Cursor, 10> cursors_{};  // by priority
};

// The numbers of the queues that the runtime itself keeps; those of users start above.
inline constexpr uint16_t turn_queue = 1;
inline constexpr uint16_t call_queue = 2;

}  // namespace limpet::dispatch
