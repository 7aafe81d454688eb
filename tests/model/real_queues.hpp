#pragma once

// RealQueues: the real side of the model test: a store on a fast disk with its queues, a clock that
// stands still, and a writer that can be held between two commits, so that what is on disk and what
// is only on its way is known at every moment. Owner: the driver of a test. Thread: [main].

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "dispatch/queues.hpp"
#include "tests/crash/fast_directory.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/quiet_logger.hpp"

namespace limpet::testing {

class RealQueues {
 public:
  RealQueues() = default;
  ~RealQueues() { close(); }
  RealQueues(const RealQueues&) = delete;
  RealQueues& operator=(const RealQueues&) = delete;

  // Opens the newest directory. What went wrong; empty: nothing.
  [[nodiscard]] std::string open(const std::vector<dispatch::QueueSettings>& settings);
  // As a daemon does that is told to end.
  void close();

  // Closes it and has every row checked as `limpet doctor` does. What is wrong; empty: nothing.
  [[nodiscard]] std::string close_and_verify();

  // From now on nothing more reaches the disk, until release().
  void hold();
  void release();
  [[nodiscard]] bool held() const { return held_; }
  // All that was submitted is on disk; main is not told. REQUIRES: held.
  void commit_untold();

  // The process is gone: what is found is the files as they are now.
  [[nodiscard]] std::string crash(const std::vector<dispatch::QueueSettings>& settings);

  // Delivers and pumps until nothing moves any more. What went wrong; empty: nothing.
  [[nodiscard]] std::string settle();
  // Once, with what is known to be on disk. What went wrong; empty: nothing.
  [[nodiscard]] std::string pump();
  // Builds what is due and drops it, as when the store takes no change just now.
  void build_due_in_vain();

  ManualClock clock;
  QuietLogger logger;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<dispatch::Queues> queues;
  std::vector<dispatch::Settled> settled;  // what pump() showed
  std::vector<uint64_t> buried;            // dead letters that left meanwhile
  std::set<std::string> woken;             // queues that on_ready named

 private:
  void pass_gate();  // [store]
  [[nodiscard]] std::string directory(unsigned number) const;
  [[nodiscard]] uint64_t changes_given() const;

  FastDirectory parent_;
  unsigned number_ = 0;  // of the directory in use
  bool held_ = false;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable moved_;
  bool gate_closed_ = false;
  bool writer_waits_ = false;
  uint64_t commits_passed_ = 0;  // of this opening
};

}  // namespace limpet::testing
