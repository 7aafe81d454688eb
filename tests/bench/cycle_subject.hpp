#pragma once

// CycleSubject: a durable queue whose cycle is measured: enqueue, lease, ack. What is enqueued and
// what is acknowledged is answered when it is on disk; a lease writes nothing. All of it is called
// on one thread, as the daemon's loop would; what it does in other threads is its own affair.
// Owner: a workload. Thread: [main]. Failures end the program.
//
// A further subject: implement this in a file of its own and add it to cycle_subjects().

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace limpet::bench {

struct CycleTask {
  uint64_t id = 0;
  uint64_t token = 0;  // of the lease, where the subject has such a thing
};

class CycleSubject {
 public:
  // Runs inside wait(), once. Two words of captures cost no heap.
  using Done = std::function<void()>;

  virtual ~CycleSubject() = default;
  // One task; `done` when it is on disk. REQUIRES: fewer than `window` are unanswered.
  virtual void enqueue(ByteSpan payload, Done done) = 0;
  // Adds to `tasks_out` at most `count_max` tasks that nobody holds, oldest first, having read the
  // payload of each. Only what is on disk is there to be leased.
  virtual void lease(size_t count_max, std::vector<CycleTask>& tasks_out) = 0;
  // The task is over; `done` when that is on disk.
  virtual void ack(const CycleTask& task, Done done) = 0;
  // Waits until at least one call is answered, then runs all that are: a turn of the loop.
  virtual void wait() = 0;
  // Synced transactions so far.
  [[nodiscard]] virtual uint64_t commits() const = 0;
};

struct CycleOptions {
  std::string directory;
  uint64_t max_bytes = 0;
  unsigned payload = 0;
  unsigned window = 0;
};

struct CycleSubjectEntry {
  const char* name;
  const char* sync;  // what is on disk before an answer
  std::unique_ptr<CycleSubject> (*make)(const CycleOptions& options);
  bool on_lmdb = true;  // decides how the bytes written are counted: see lmdb_written
};
// In the order in which they are measured: the limits first, Limpet last.
[[nodiscard]] const std::vector<CycleSubjectEntry>& cycle_subjects();
inline constexpr const char* limpet_subject = "limpet";

// The smallest queue on LMDB: one row put, the row erased.
[[nodiscard]] std::unique_ptr<CycleSubject> make_minimal_cycle(const CycleOptions& options);
// LMDB with the keys and bytes of Limpet's cycle: log record and ready row put, the hot record with
// each commit, the ready row erased.
[[nodiscard]] std::unique_ptr<CycleSubject> make_same_writes_cycle(const CycleOptions& options);
// Limpet's store and queues, without the API.
[[nodiscard]] std::unique_ptr<CycleSubject> make_limpet_cycle(const CycleOptions& options);

}  // namespace limpet::bench
