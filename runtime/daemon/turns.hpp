#pragma once

// Turns: lets agents decide, one event of a run at a time, and commits each decision together with
// the acknowledgement of its event. A crash repeats the turn and nothing else.
// Owner: the daemon. Thread: [main]; the agent's code runs inline.
// Fails with: a turn that fails is tried again with a growing delay; the third time the run fails
// with run_reason::agent_error. When the store is busy the turn is repeated: it had no effect.
// Limits: turns_open_max decisions on their way to the disk.

#include <cstdint>
#include <deque>
#include <string>

#include "daemon/commit.hpp"
#include "daemon/house.hpp"
#include "dispatch/ready_queue.hpp"
#include "host/host.hpp"

namespace limpet::daemon {

inline constexpr size_t turns_open_max = 32;

struct TurnCounters {
  uint64_t turns = 0;
  uint64_t failed = 0;
  uint64_t repeated_busy = 0;
  uint64_t orphaned = 0;  // ready runs whose agent is not configured any more; they stay stored
};

class Turns {
 public:
  Turns(House& house, host::Host& host);

  // Takes what is ready and decides. Call it after commits and when `next_due` has come.
  void pump();
  // The process died in this turn, and nothing else was under way: an attempt that failed. After
  // limits::turn_attempts_max of them its run fails with agent_error.
  void blame(const UnderWay& culprit);
  // When a delayed turn becomes ready; nullopt: none is known.
  [[nodiscard]] std::optional<store::StoreMs> next_due() const { return next_due_; }

  [[nodiscard]] const TurnCounters& counters() const { return counters_; }
  [[nodiscard]] size_t open() const { return open_; }

 private:
  struct Subject;  // what one turn is about
  void take(const dispatch::ReadyTask& task);
  [[nodiscard]] Result<void> read_subject(Subject& subject);
  [[nodiscard]] host::Decision decide(const Subject& subject);
  [[nodiscard]] Result<void> commit(const Subject& subject, const run::Decision& decision);
  [[nodiscard]] Result<void> commit_failure(const Subject& subject, const std::string& why);
  [[nodiscard]] Result<void> commit_ending(const Subject& subject, std::string_view reason,
                                           const std::string& error);
  [[nodiscard]] Result<void> submit(Commit& commit, RunId run);

  House& house_;
  host::Host& host_;
  dispatch::ReadyQueue queue_;
  std::deque<dispatch::ReadyTask> again_;  // at most turns_open_max: taken, and the store was busy
  std::optional<store::StoreMs> next_due_;
  size_t open_ = 0;
  TurnCounters counters_;
};

}  // namespace limpet::daemon
