#pragma once

// Intake: the door for events from outside: the API and the plugins' sources.
// Owner: the daemon. Thread: [main]. Refusals are answers: nothing is dropped here.
// Events of relaxed classes are answered at admission, unless a run begins or goes on with them.
// Limits: limits::batch_events_max and batch_bytes_max a request; the store says full or busy.

#include <functional>
#include <string>
#include <vector>

#include "api/services.hpp"
#include "daemon/house.hpp"
#include "host/observer.hpp"

namespace limpet::daemon {

struct IntakeCounters {
  uint64_t events = 0;
  uint64_t duplicates = 0;
};

class Intake {
 public:
  explicit Intake(House& house) : house_(house) {}

  // All of `events` or none; `done` on main, after the commit. See api::Services::ingest.
  void ingest(std::vector<Event> events, const std::string& principal,
              api::Done<api::Ingested> done);

  // One event of a source, with the source's position in the same change. `done` is called once
  // when Taken::taken was answered.
  [[nodiscard]] host::Taken emit(const host::Emission& emission,
                                 std::function<void(Result<void>)> done);

  [[nodiscard]] const IntakeCounters& counters() const { return counters_; }

 private:
  struct Batch;
  [[nodiscard]] Result<void> prepare(Batch& batch, const std::string& principal);
  [[nodiscard]] Result<void> admit(Batch& batch);
  [[nodiscard]] Result<void> store(Batch& batch, std::function<void(const Result<void>&)> done);

  House& house_;
  IntakeCounters counters_;
};

}  // namespace limpet::daemon
