#pragma once

// Imports: takes in history: events of another log, or of an earlier life of this one. They keep
// their type (also those that begin with "limpet."), source, id and time, and carry where they were
// stored as `originepoch` and `originsequence`. Nothing follows from them: no run begins or goes
// on, no task is made.
// Owner: the daemon. Thread: [main]. Fails as api::Services::import_events says.
// Limits: one request at a time waits for the disk, the next one is told to come back.
//
// A repeat is known for ever: for each origin one bit an event, 8,192 of them a row, in the same
// change as the events. So an import that broke off is begun again from the top, and exports that
// overlap can be imported in any order. Events without an origin are known by source and id as far
// back as any others (admit/dedup.hpp).

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/services.hpp"
#include "daemon/house.hpp"

namespace limpet::daemon {

class Imports {
 public:
  explicit Imports(House& house) : house_(house) {}

  // All of `events` or none; `done` on main, after the commit.
  void ingest(std::vector<Event> events, const std::string& principal,
              api::Done<api::Ingested> done);

 private:
  struct Block {
    Epoch epoch;
    uint64_t number = 0;
    friend auto operator<=>(const Block&, const Block&) = default;
  };
  struct Batch;
  [[nodiscard]] Result<void> prepare(Batch& batch, const std::string& principal) const;
  [[nodiscard]] Result<bool> is_known(Batch& batch, const Event& event) const;
  [[nodiscard]] Result<void> admit(const Batch& batch) const;
  [[nodiscard]] Result<void> store(Batch& batch, const api::Done<api::Ingested>& done);

  House& house_;
  bool under_way_ = false;
};

}  // namespace limpet::daemon
