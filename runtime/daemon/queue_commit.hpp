#pragma once

// QueueCommit: a Commit with queue operations in it. The queues' memory follows exactly when the
// change was handed to the writer, and what a queue appends to the log goes to triggers like any
// other event. Owner: a function's stack. Thread: [main]; at most one at a time.
// Fails as Commit does.

#include <functional>
#include <utility>

#include "daemon/commit.hpp"
#include "daemon/house.hpp"
#include "dispatch/queues.hpp"

namespace limpet::daemon {

class QueueCommit {
 public:
  explicit QueueCommit(House& house) : house_(house), commit_(house) {
    house_.open_commit = &commit_;
    house_.trigger_result = {};
  }
  ~QueueCommit() {
    house_.open_commit = nullptr;
    if (!submitted_) house_.queues->dropped();
  }
  QueueCommit(const QueueCommit&) = delete;
  QueueCommit& operator=(const QueueCommit&) = delete;

  [[nodiscard]] Commit& commit() { return commit_; }
  [[nodiscard]] store::Change& change() { return commit_.change(); }
  // Errors: also full, when a run that a trigger chose could not take an event of this change.
  [[nodiscard]] Result<void> submit(std::function<void(const Result<void>&)> done) {
    LIMPET_CHECK(house_.trigger_result);
    LIMPET_CHECK(commit_.submit(std::move(done)));
    submitted_ = true;
    house_.queues->submitted();
    return {};
  }

 private:
  House& house_;
  Commit commit_;
  bool submitted_ = false;
};

// For dispatch::Queues::Wiring::appended.
inline void follow_event(House& house, const EventView& event) {
  if (house.open_commit == nullptr || !house.trigger_result.ok()) return;
  // A producer is told that its task cannot be taken; what dies, dies all the same.
  house.trigger_result = event.type == event_type::task_queued
                             ? house.open_commit->deliver_triggered(event)
                             : house.open_commit->deliver_consequence(event);
}

}  // namespace limpet::daemon
