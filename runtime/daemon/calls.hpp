#pragma once

// Calls: carries out the tool calls that turns have queued, and brings their results back.
// Owner: the daemon. Thread: [main].
//
// Promise 3 lives here. A call to a tool that is neither read_only nor idempotent begins only after
// its `started` record is on disk. Such a record without a result, after a crash, a deadline or a
// lost reply, is an unknown outcome: the tool's lookup is asked, and without an answer the step is
// parked for a person. It is never run again in silence.
// Limits: calls_open_max at once; attempts_max attempts of one step, with a growing delay.

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/services.hpp"
#include "daemon/commit.hpp"
#include "daemon/house.hpp"
#include "daemon/queue_house.hpp"
#include "dispatch/ready_queue.hpp"
#include "host/host.hpp"

namespace limpet::daemon {

inline constexpr size_t calls_open_max = 64;
inline constexpr uint32_t call_attempts_max = 5;

struct CallCounters {
  uint64_t begun = 0;
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;
  uint64_t looked_up = 0;
  uint64_t parked = 0;
  uint64_t waited_busy = 0;  // the tool's concurrency or the store had no room at that moment
  uint64_t limited = 0;      // put back for a while: a rate, a breaker, a full queue
};

class Calls {
 public:
  // `queues` may be null, as House::queues.
  Calls(House& house, host::Host& host, QueueHouse* queues);

  // Begins what is ready. Call it after commits, after results and when `next_due` has come.
  void pump();
  // The process died while only this call was under way. A repeatable one has failed an attempt; of
  // any other nobody knows the fate, which begin() finds out.
  void blame(const UnderWay& culprit);
  // Begins nothing more; open calls still bring their results.
  void close() { closed_ = true; }
  [[nodiscard]] std::optional<store::StoreMs> next_due() const { return next_due_; }

  // A wish that the open calls of a run that was cancelled end early.
  void cancel_run(RunId run);

  // A person settles a parked step. See api::Services::resolve_step.
  void resolve(const api::Resolution& resolution, api::Done<std::monostate> done);

  [[nodiscard]] const CallCounters& counters() const { return counters_; }
  [[nodiscard]] size_t open() const { return open_.size(); }

 private:
  // One step in somebody's hands, from taking its task to the commit of its result.
  struct Open {
    RunId run;
    Step step;
    bool repeatable = false;
    bool has_lookup = false;
    BootTime begun;
    Suspects::Slot slot = Suspects::no_slot;
    bool limited = false;     // ToolRules::begin let it go and waits for its report
    host::ToolResult result;  // once there is one
  };
  using Id = uint64_t;

  void take(const dispatch::ReadyTask& task);
  Id open_step(RunId run, Step step);
  void leave_watch(Open& open);
  void begin(Id id);
  void record_start(Id id);
  // Workers carry it out: from here on its task has it.
  void delegate(Id id, std::string_view queue);
  [[nodiscard]] Result<void> try_delegate(Id id, std::string_view queue);
  // Back among the ready ones, after `delay`, with nothing else changed.
  void put_back(Id id, Duration delay);
  [[nodiscard]] Result<void> try_put_back(Id id, Duration delay);
  void call(Id id);
  void finished(Id id, host::ToolResult result);
  void settle(Id id);
  void recover(Id id, std::string_view why);
  void looked_up(Id id, const Result<host::ToolResult>& answer, std::string_view why);
  void try_again(Id id, const host::ToolResult& result);
  void postpone(Id id, const std::string& error, uint32_t delay_ms);
  void park(Id id, std::string_view why);
  void fail(Id id, std::string error);
  // What to store of a step's fate; asked again when the store was busy.
  using MakeEffects = std::function<run::Effects(const Run&, const Step&, const run::Moment&)>;
  void save(Id id, MakeEffects make, uint32_t call_delay_ms);
  [[nodiscard]] Result<void> try_save(Id id, const MakeEffects& make, uint32_t call_delay_ms);
  [[nodiscard]] Result<void> try_record_start(Id id);
  [[nodiscard]] Result<void> try_resolve(const api::Resolution& resolution,
                                         const api::Done<std::monostate>& done);
  void drop(Id id);
  [[nodiscard]] const Run* run_of(Id id);
  [[nodiscard]] host::ToolCall make_call(Id id) const;

  void report(Open& open, bool success);

  House& house_;
  host::Host& host_;
  QueueHouse* const queues_;
  dispatch::ReadyQueue queue_;
  std::unordered_map<Id, Open> open_;
  std::deque<std::function<void()>> again_;  // at most one for each open call
  // Their resolution is on its way to the disk; as many as there are requests.
  std::vector<std::pair<RunId, Ordinal>> resolving_;
  std::optional<store::StoreMs> next_due_;
  uint64_t next_id_ = 1;
  bool closed_ = false;
  CallCounters counters_;
};

}  // namespace limpet::daemon
