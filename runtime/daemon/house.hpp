#pragma once

// House: what the daemon's workers (intake, turns, calls, timers) share. It owns nothing; the
// daemon owns all of it and it outlives them. [main]

#include <cstdint>
#include <string>

#include "admit/dedup.hpp"
#include "admit/triggers.hpp"
#include "base/log.hpp"
#include "daemon/agents.hpp"
#include "daemon/runs.hpp"
#include "platform/clock.hpp"
#include "store/store.hpp"

namespace limpet::daemon {

// What was refused or dropped, by reason; for status and metrics.
struct DropCounters {
  uint64_t inbox_full = 0;     // an agent's event that did not fit into another run's inbox
  uint64_t trigger_depth = 0;  // events at the end of a chain of triggers that was too long
  uint64_t refused = 0;        // events from outside that were answered with an error
};

struct House {
  store::Store& store;
  Runs& runs;
  admit::Dedup& dedup;
  const admit::Triggers& triggers;
  const Agents& agents;
  platform::Clock& clock;
  Logger& logger;
  std::string source;  // "limpet/<name>", the CloudEvents source of our own events
  DropCounters drops{};
  bool memory_pressed = false;  // the process is above limits.memory: no new work
};

// Is there room for `bytes` of new work, in the store and in memory? What is under way never asks.
// Errors: busy, full, closed; nothing was changed.
[[nodiscard]] inline Result<void> admit_new_work(House& house, size_t bytes) {
  if (house.memory_pressed) return Error{ErrorCode::busy, "the process is above limits.memory"};
  return house.store.admit(bytes, store::Urgency::ingest);
}

// One inbox, so that a stalled agent cannot fill the store.
inline constexpr uint32_t inbox_events_max = 1024;
inline constexpr uint64_t inbox_bytes_max = uint64_t{1} << 20;

}  // namespace limpet::daemon
