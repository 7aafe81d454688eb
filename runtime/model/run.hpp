#pragma once

// Run and Step: one piece of an agent's work, and one command of it, as they are stored. [any]
// These are values; who may change them is said in runtime/run.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"

namespace limpet {

enum class RunState : uint8_t { queued, running, waiting, paused, completed, failed, cancelled };
[[nodiscard]] std::string_view to_string(RunState state);
[[nodiscard]] constexpr bool is_final(RunState state) { return state >= RunState::completed; }

// Why a run ended or waits, beyond its state. Stable names: scripts and auditors read them.
namespace run_reason {
inline constexpr std::string_view agent_error = "agent_error";
inline constexpr std::string_view budget_turns = "budget_turns";
inline constexpr std::string_view budget_steps = "budget_steps";
inline constexpr std::string_view deadline = "deadline";
inline constexpr std::string_view unknown_outcome = "unknown_outcome";
inline constexpr std::string_view event_unreadable = "event_unreadable";
}  // namespace run_reason

// The header of a run: small, rewritten at every turn. Its state (up to 64 KiB) is kept apart and
// is written only when it changed.
struct Run {
  RunId id;
  std::string agent;
  std::string key;  // empty: the run has no key
  RunState state = RunState::queued;
  std::string reason;          // of a final state, or of `paused`
  uint32_t state_version = 0;  // of the agent's state; 0: the agent has not yet written one
  uint32_t state_parts = 0;    // rows that hold the state; 0: none
  WallTime created;
  WallTime updated;
  uint32_t turns = 0;
  uint32_t steps = 0;          // opened so far; the last ordinal given out
  uint32_t steps_open = 0;     // of them, not finished
  uint32_t steps_unknown = 0;  // of them, parked for a person; while there is one the run is paused
  uint32_t turn_attempts = 0;  // of the turn at the head of the inbox, failed so far
  WallTime deadline;           // zero: none
  std::string correlation;
  std::string tenant;
  std::string principal;
  uint8_t priority = 5;
  Sequence input;             // the event that began it
  Sequence output;            // the event that ended it; none while it lives
  Epoch epoch;                // in which it began: its id outside the process never changes
  uint32_t inbox_events = 0;  // delivered and not yet decided on
  uint64_t inbox_bytes = 0;   // of their records
  // Where its turn stands among the ready ones; ticket 0: nowhere, it waits.
  uint64_t ready_at_ms = 0;
  uint64_t ready_ticket = 0;
};

enum class StepKind : uint8_t { call, timer };
enum class StepState : uint8_t {
  scheduled,  // its task is in the queue
  started,    // a tool that is neither read_only nor idempotent may have acted: see promise 3
  finished,
  unknown,  // parked for a person
};
[[nodiscard]] std::string_view to_string(StepState state);

enum class Outcome : uint8_t { done, failed, retry, unknown };
[[nodiscard]] std::string_view to_string(Outcome outcome);

struct ToolHints {
  bool read_only = false;
  bool destructive = true;
  bool idempotent = false;
  bool open_world = true;
  friend bool operator==(const ToolHints&, const ToolHints&) = default;
};
// May a call whose outcome is not known simply run again?
[[nodiscard]] constexpr bool is_repeatable(const ToolHints& hints) {
  return hints.read_only || hints.idempotent;
}

struct Step {
  Ordinal ordinal;
  std::string name;  // the command's `as`
  StepKind kind = StepKind::call;
  StepState state = StepState::scheduled;
  std::string tool;      // of a call
  ByteVector arguments;  // of a call, CBOR; emptied once finished (the started event keeps them)
  WallTime due;          // of a timer
  uint32_t attempt = 0;  // the last one begun
  Outcome outcome = Outcome::done;  // once finished
  std::string error;                // once finished, cut to 512 bytes
  Sequence started;                 // the `limpet.step.started` event of the last attempt
  Sequence finished;                // the event that carries the result
  // Where its call stands in the queue; ticket 0: nowhere.
  uint64_t ready_at_ms = 0;
  uint64_t ready_ticket = 0;
};

}  // namespace limpet
