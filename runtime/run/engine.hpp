#pragma once

// Engine: the rules of runs, turns and steps, as functions from what is stored and what happened to
// what must be stored next. Pure: no clock, no I/O, no memory between calls; equal arguments, equal
// effects. That is what makes a crashed turn repeatable and a recorded one replayable. [any]
//
//   begin_run        an event, a person or a caller starts a piece of work
//   apply_decision   the agent answered an event
//   start_step       a call is about to begin: the record that promise 3 rests on
//   finish_step      a call, a timer or a person brought a result
//   park_step        nobody knows what became of a call
//   end_run          budgets, deadlines, cancellation

#include <functional>
#include <string>
#include <string_view>

#include "model/event.hpp"
#include "model/run.hpp"
#include "run/decision.hpp"
#include "run/effects.hpp"
#include "run/policy.hpp"

namespace limpet::run {

// The hints of a tool, or null when no loaded plugin has it.
using FindTool = std::function<const ToolHints*(std::string_view tool)>;

// What is true of the moment, given in so that the engine needs no clock.
struct Moment {
  WallTime now;
  Epoch epoch;
};

struct RunRequest {
  RunId id;  // the sequence that its `limpet.run.created` event will get
  std::string key;
  std::string correlation;
  std::string tenant;
  std::string principal;
  uint8_t priority = 5;
  Duration deadline;  // from now; zero: the agent's own
  ByteVector input;   // one CBOR item, or empty
  Sequence cause;     // the event that triggered it; none: a caller did
};

// A run that does not exist yet. The created event comes first in Effects::events and is delivered
// only when no other event caused the run.
[[nodiscard]] Effects begin_run(const AgentPolicy& policy, const RunRequest& request,
                                const Moment& moment);

struct TurnInput {
  const AgentPolicy& policy;
  const FindTool& find_tool;
  Moment moment;
  Sequence event;  // the one that was decided on: the cause of all that follows
};
// One turn has been decided. Denied calls finish at once as failed, with a `limpet.policy.denied`
// event; over the budget of open steps the run fails with that reason.
[[nodiscard]] Effects apply_decision(const Run& run, const Decision& decision,
                                     const TurnInput& input);

// The call of `step` begins now: the record and the `limpet.step.started` event. Written with the
// turn for repeatable tools; before the call, and awaited, for all others.
[[nodiscard]] Effects start_step(const Run& run, const Step& step, const Moment& moment);

struct StepResult {
  Outcome outcome = Outcome::done;
  std::string error;
  ByteVector value;       // one CBOR item, or empty
  std::string principal;  // who settled it by hand; empty: the tool itself
};
// The result of `step` is known. A final run takes note of it and is not woken.
[[nodiscard]] Effects finish_step(const Run& run, const Step& step, const StepResult& result,
                                  const Moment& moment);

struct Postponement {
  std::string error;
  uint32_t delay_ms = 0;
  bool repeatable = false;  // its next start is recorded now; others record it when they begin
};
// The tool said that nothing happened and that trying again may help.
[[nodiscard]] Effects postpone_step(const Run& run, const Step& step,
                                    const Postponement& postponement, const Moment& moment);

// `step` may or may not have happened: the run waits for a person, with
// run_reason::unknown_outcome.
[[nodiscard]] Effects park_step(const Run& run, const Step& step, std::string_view why,
                                const Moment& moment);

// A person says that a parked step did not happen: it goes back into the queue.
[[nodiscard]] Effects retry_step(const Run& run, const Step& step, std::string_view principal,
                                 const Moment& moment);

struct Ending {
  RunState state = RunState::failed;  // REQUIRES: final
  std::string reason;
  ByteVector output;
  std::string principal;
};
[[nodiscard]] Effects end_run(const Run& run, const Ending& ending, const Moment& moment);

// Makes the state say what the inbox says: queued or waiting; final and paused stay.
void settle(Run& run);

// The reason why `run` may not take another turn; empty: it may.
[[nodiscard]] std::string_view turn_refusal(const Run& run, const AgentPolicy& policy);

}  // namespace limpet::run
