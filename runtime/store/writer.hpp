#pragma once

// Writer: the one thread that writes. It takes whatever changes wait, commits them as one LMDB
// transaction with a full sync, and answers each. That is the group commit: while one batch is on
// its way to the device, the next one gathers. Who was answered often comes back at once: after a
// batch of many the writer waits for as many again, at most half a commit's time. Without that, 64
// callers come in turns of 1 and 63 and pay two syncs where one would do.
// Owner: Store. Thread: `limpet-store`; give() and take_done() are [any].
// Fails with: the first commit that fails closes the writer for good. Nothing outstanding is
// acknowledged and no sync is tried again: a second fdatasync may report success for pages the
// kernel has already dropped.
// Changes that nobody waits for (Change::relaxed) do not begin a commit by themselves: they go
// along with the next one that does, or when they have waited relaxed_linger, or are many. A lone
// event costs 18.5 kB of writes to the flash; a second's events together cost hardly more.
// Limits: limits::store_pending_changes_max and _bytes_max; over them give() says busy, and to what
// adds rows also when only the room that erasing needs is left. Near the end of the map a batch is
// small: it may touch no more pages than a third of the room, so that a commit cannot fail for want
// of pages while no snapshot is held over several commits.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/change.hpp"

struct MDB_env;
struct MDB_txn;

namespace limpet::store {

// What a power cut may take of relaxed events. The linger leaves the rest of it to the commit.
inline constexpr Duration relaxed_window = seconds(1);
inline constexpr Duration relaxed_linger = milliseconds(750);
inline constexpr size_t relaxed_bytes_max = 256 * 1024;  // then they linger no longer
inline constexpr size_t relaxed_changes_max = 512;       // likewise

struct Finished {
  Change change;
  Result<void> result;
};

struct WriterStats {
  uint64_t commits = 0;
  uint64_t changes = 0;
  uint64_t busy = 0;           // changes refused because too much was waiting
  size_t pending_changes = 0;  // waiting, or being written
  size_t pending_bytes = 0;
  Duration pending_for;     // since the writer last took or answered one; zero: nothing waits
  uint64_t used_bytes = 0;  // pages of the tree, after the last commit
  uint64_t commit_ns_last = 0;
  uint64_t commit_ns_max = 0;
};

class Writer {
 public:
  struct Options {
    Duration linger;             // wait that long for company before a commit
    std::function<void()> wake;  // called on [store] when take_done() has something
  };
  Writer(MDB_env* environment, unsigned tree, Options options);
  ~Writer();  // REQUIRES: stopped.
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Queues the change. Errors, with the change untouched: busy, closed.
  [[nodiscard]] Result<void> give(Change& change);

  // Swaps into `finished_out`, which is empty, the changes answered since the last call, in order
  // of submission. [any]
  void take_done(std::vector<Finished>& finished_out);
  // What lingers is committed now. [any]
  void hasten();
  // Waits until there is something to take, or nothing is outstanding. [any, blocking]
  void wait_done();

  // Commits what waits, then ends the thread. [main, blocking]
  void stop();

  [[nodiscard]] WriterStats stats() const;
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  void run();
  // Fills `batch_out`, which is empty; it stays empty when the writer is to end.
  void gather(std::vector<Change>& batch_out);
  [[nodiscard]] size_t batch_rows_max() const;
  [[nodiscard]] bool work_due() const;
  [[nodiscard]] size_t durable_waiting() const { return waiting_.size() - relaxed_waiting_; }
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void count_relaxed();
  void wait_for_company(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Result<void> commit(const std::vector<Change>& batch);
  [[nodiscard]] Result<void> write(MDB_txn* transaction, const std::vector<Change>& batch);
  void answer(std::vector<Change>& batch, const Result<void>& result);

  // Constant after construction.
  MDB_env* const environment_;
  const unsigned tree_;
  const Options options_;
  const uint64_t map_bytes_;
  const uint64_t page_bytes_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable wanted_;  // something to write, or stop
  std::condition_variable done_;    // something to take
  std::vector<Change> waiting_;
  size_t relaxed_waiting_ = 0;  // of waiting_
  size_t relaxed_bytes_ = 0;
  std::chrono::steady_clock::time_point relaxed_since_;  // since the first of them waits
  bool hasten_ = false;
  size_t enough_ = 1;      // so many changes that somebody waits for wake the writer
  size_t batch_last_ = 1;  // such changes in the last batch
  std::vector<Finished> finished_;
  bool stopping_ = false;
  std::optional<Error> failure_;
  WriterStats stats_;
  std::chrono::steady_clock::time_point progress_at_;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace limpet::store
