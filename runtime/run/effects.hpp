#pragma once

// Effects: everything that follows from one event of a run, as plain data. Whoever holds the store
// writes all of it in one change, together with the acknowledgement of the event that caused it;
// the engine itself touches nothing. [any]

#include <cstdint>
#include <optional>
#include <vector>

#include "model/event.hpp"
#include "model/run.hpp"

namespace limpet::run {

struct NewEvent {
  Event event;           // without sequence; time, source and run are filled in by the engine
  bool deliver = false;  // also into this run's inbox
  Ordinal step;          // the step that starts or finishes with it; none: neither
};

struct Effects {
  Run run;                          // the header afterwards
  std::optional<ByteVector> state;  // the agent's new state; nullopt: unchanged
  std::vector<NewEvent> events;     // to append, in this order
  std::vector<Step> steps;          // rows to write
  std::vector<Ordinal> calls;       // of them, calls to queue
  std::vector<Ordinal> timers;      // of them, timers to set at Step::due
  bool ended = false;               // the run is final: its key is free, its timers are void
};

}  // namespace limpet::run
