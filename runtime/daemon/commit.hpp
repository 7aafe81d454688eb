#pragma once

// Commit: one transaction of the house in the making: events, the deliveries they cause, run
// headers, steps, tasks and timers, in one store change. Either submit() hands all of it to the
// writer, or the Commit is dropped and memory is as it was before.
// Owner: a function's stack. Thread: [main]; at most one at a time.
// Fails with: full (an inbox is at its limit), busy, closed, io, corrupt. After an error: drop it.
// Limits: limits::batch_bytes_max in all; a chain of triggers is followed trigger_depth_max deep.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "daemon/house.hpp"
#include "run/effects.hpp"
#include "run/engine.hpp"

namespace limpet::daemon {

inline constexpr int trigger_depth_max = 4;

class Commit {
 public:
  explicit Commit(House& house);
  ~Commit();  // takes everything back unless submitted
  Commit(const Commit&) = delete;
  Commit& operator=(const Commit&) = delete;

  // Appends one event of the outside. Its triggers follow with deliver_triggered, so that the
  // events of one request get neighbouring sequences.
  [[nodiscard]] Result<Sequence> append(const Event& event);
  // Delivers an appended event to the runs that triggers choose, and starts those that are missing.
  // Errors: full, when one of their inboxes is: its producer is told. What follows from that (the
  // events of runs) is never refused: where it does not fit it is dropped, with limpet.drop.
  [[nodiscard]] Result<void> deliver_triggered(const EventView& event);
  // The same for an event that follows from what is done here: it is never refused.
  [[nodiscard]] Result<void> deliver_consequence(const EventView& event);

  // A new run by request. `request.id` is filled in here.
  [[nodiscard]] Result<RunId> begin_run(const run::AgentPolicy& policy, run::RunRequest request);
  // All that follows from an event of a run that exists. Fills in the sequences and the places in
  // the queue of effects.steps.
  [[nodiscard]] Result<void> apply(run::Effects& effects);

  // The run has decided on this delivery; its turn is over.
  void acknowledge(ActiveRun& active, const Delivery& delivery);
  // The run's turn is to be tried again after a while; nothing else changes.
  void postpone_turn(ActiveRun& active, uint32_t delay_ms);
  // How long the calls of the next apply() wait before they are ready. Default 0.
  void delay_calls(uint32_t delay_ms) { call_delay_ms_ = delay_ms; }

  // The call of a step leaves the ready ones: somebody else carries it out. Before its apply().
  void leave_queue(const Run& run, Step& step);

  // No run is touched: nothing becomes ready with this commit.
  [[nodiscard]] bool only_stores() const { return touched_.empty(); }
  // Hands the change to the writer, which may let it wait for company: its events have been
  // acknowledged. Errors as submit. REQUIRES: only_stores().
  [[nodiscard]] Result<void> submit_relaxed();

  [[nodiscard]] store::Change& change() { return change_; }
  [[nodiscard]] run::Moment moment() const;

  // Hands the change to the writer; `done` is called on main when it is on disk or has failed.
  // Errors: busy, closed; everything is taken back then.
  [[nodiscard]] Result<void> submit(std::function<void(const Result<void>&)> done);

 private:
  struct Touched {
    RunId run;
    std::optional<Run> before;  // nullopt: the run is new
    Sequence acknowledged;      // as it was before
  };
  // Everything that is appended here passes this: it gives the event its class.
  [[nodiscard]] Result<Sequence> append_classed(EventView event);
  enum class WhenFull : uint8_t { refuse, drop };

  ActiveRun& touch(ActiveRun& active, bool is_new);
  [[nodiscard]] Result<void> route(const EventView& event, WhenFull when_full);
  [[nodiscard]] Result<ActiveRun*> choose_run(const EventView& event, const admit::Match& match);
  [[nodiscard]] Result<void> apply_events(ActiveRun& active, run::Effects& effects);
  [[nodiscard]] Result<void> apply_steps(ActiveRun& active, run::Effects& effects);
  void queue_call(const Run& run, Step& step);
  void write_state(Run& run, ByteSpan state);
  [[nodiscard]] Result<void> deliver(ActiveRun& active, const Delivery& delivery);
  void drop_delivery(const EventView& event, const admit::Match& match);
  [[nodiscard]] Result<void> end(ActiveRun& active);
  [[nodiscard]] Result<std::vector<Delivery>> remaining_inbox(const ActiveRun& active);
  void sync_ready(Run& run);
  [[nodiscard]] Result<void> write_headers();
  void take_back();

  House& house_;
  store::Change change_;
  const Sequence first_;  // what the first appended event gets
  std::vector<Touched> touched_;
  uint32_t call_delay_ms_ = 0;
  int trigger_depth_ = 0;
  bool submitted_ = false;
};

}  // namespace limpet::daemon
