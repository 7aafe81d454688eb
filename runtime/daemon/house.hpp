#pragma once

// House: what the daemon's workers (intake, turns, calls, timers) share. It owns nothing; the
// daemon owns all of it and it outlives them. [main]

#include <cstdint>
#include <string>
#include <string_view>

#include "admit/dedup.hpp"
#include "admit/triggers.hpp"
#include "base/log.hpp"
#include "daemon/agents.hpp"
#include "daemon/measures.hpp"
#include "daemon/runs.hpp"
#include "daemon/suspects.hpp"
#include "daemon/tool_rules.hpp"
#include "dispatch/queues.hpp"
#include "platform/clock.hpp"
#include "store/store.hpp"

namespace limpet::daemon {

// What was refused or dropped, by reason; for status and metrics.
struct DropCounters {
  uint64_t inbox_full = 0;     // an agent's event that did not fit into another run's inbox
  uint64_t trigger_depth = 0;  // events at the end of a chain of triggers that was too long
  uint64_t refused = 0;        // events from outside that were answered with an error
  uint64_t class_full = 0;     // of them, requests for whose class there was no room
  uint64_t unread = 0;         // events that left before some consumer had read them
};

class Commit;
class Retention;

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
  Measures measures{};
  bool memory_pressed = false;         // the process is above limits.memory: no new work
  bool turns_paused = false;           // an operator said so, or too many crashes in a row did
  bool calls_paused = false;           // likewise
  dispatch::Queues* queues = nullptr;  // null in houses without queues, such as a test's
  ToolRules* tools = nullptr;          // likewise
  Retention* retention = nullptr;      // null: all events are of one class and stay
  Suspects* suspects = nullptr;        // likewise
  // The commit whose change queues add to just now, and how their events fared with triggers:
  // daemon/queue_commit.hpp.
  Commit* open_commit = nullptr;
  Result<void> trigger_result{};
};

// Is there room for `bytes` of new work, in the store, in memory and in its class of events? What
// is under way never asks. Errors: busy, full, closed; nothing was changed.
[[nodiscard]] Result<void> admit_new_work(House& house, size_t bytes);
// The same for events of one type.
[[nodiscard]] Result<void> admit_new_events(House& house, std::string_view type, size_t bytes);
// In the store only: for who has asked the classes.
[[nodiscard]] Result<void> admit_into_store(House& house, size_t bytes);

// One inbox, so that a stalled agent cannot fill the store.
inline constexpr uint32_t inbox_events_max = 1024;
inline constexpr uint64_t inbox_bytes_max = uint64_t{1} << 20;

}  // namespace limpet::daemon
