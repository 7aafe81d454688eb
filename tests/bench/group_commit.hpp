#pragma once

// GroupCommit: changes from one thread, written by another in groups, answered in order: the
// thread hand-over of the store, and nothing else of it. It waits for company as the store's writer
// does: without that a limit would be beaten by what it is to limit.
// Owner: a raw subject. Thread: [main]; writes in a thread of its own. Failures end the program.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "tests/bench/row_store.hpp"
#include "tests/bench/signal.hpp"

namespace limpet::bench {

class GroupCommit {
 public:
  // `rows` outlives this. `hot_key` and `hot_value` are put in every commit, unless empty.
  GroupCommit(RowStore& rows, ByteSpan hot_key, ByteSpan hot_value);
  ~GroupCommit();  // commits what waits
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // A change is what is added between two calls of submit.
  void append(ByteSpan key, ByteSpan value) { add('a', key, value); }
  void put(ByteSpan key, ByteSpan value) { add('p', key, value); }
  void erase(ByteSpan key) { add('e', key, {}); }
  void submit();

  // Waits until at least one change is on disk; answers how many since the last call.
  [[nodiscard]] uint64_t wait_answers();
  [[nodiscard]] uint64_t commits() const { return commits_.load(); }

 private:
  void add(char kind, ByteSpan key, ByteSpan value);
  void run();
  [[nodiscard]] uint64_t gather(ByteVector& batch_out);
  void write(ByteSpan batch);

  RowStore& rows_;
  const ByteVector hot_key_;
  const ByteVector hot_value_;
  Signal answers_;
  std::atomic<uint64_t> commits_{0};

  // Owned by main.
  ByteVector change_;
  uint64_t answered_ = 0;

  // Owned by the writing thread.
  uint64_t batch_last_ = 1;
  std::chrono::nanoseconds commit_last_{0};

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wanted_;
  ByteVector waiting_;
  uint64_t waiting_changes_ = 0;
  uint64_t enough_ = 1;
  uint64_t committed_ = 0;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace limpet::bench
