#pragma once

// RawQueue: the frame of a raw CycleSubject: changes through a GroupCommit, their answers in order,
// and the count of what may be leased. How a task is written and read is its heirs' affair.
// Thread: [main]. Failures end the program.

#include <deque>
#include <memory>

#include "tests/bench/cycle_subject.hpp"
#include "tests/bench/group_commit.hpp"

namespace limpet::bench {

class RawQueue : public CycleSubject {
 public:
  void enqueue(ByteSpan payload, Done done) final;
  void lease(size_t count_max, std::vector<CycleTask>& tasks_out) final;
  void ack(const CycleTask& task, Done done) final;
  void wait() final;
  [[nodiscard]] uint64_t commits() const final { return writer_->commits(); }

 protected:
  // An empty hot key: there is no such row.
  RawQueue(std::unique_ptr<RowStore> rows, ByteSpan hot_key, ByteSpan hot_value);

  virtual void write_task(GroupCommit& writer, uint64_t id, ByteSpan payload) = 0;
  virtual void erase_task(GroupCommit& writer, uint64_t id) = 0;
  // Reads the payloads of `count` tasks from `first` on; they are there.
  virtual void read_tasks(RowStore& rows, uint64_t first, size_t count) = 0;

 private:
  struct Waiting {
    Done done;
    bool task;  // enqueued, so that it may be leased when this is answered
  };
  std::unique_ptr<RowStore> rows_;
  std::deque<Waiting> waiting_;
  uint64_t next_id_ = 1;
  uint64_t leased_end_ = 1;
  uint64_t ready_ = 0;                   // on disk and not leased
  std::unique_ptr<GroupCommit> writer_;  // last: it uses the rows
};

// The smallest queue on any rows: see make_minimal_cycle.
[[nodiscard]] std::unique_ptr<CycleSubject> make_minimal_queue(std::unique_ptr<RowStore> rows);

}  // namespace limpet::bench
