#pragma once

// Runs: the runs that something is happening to right now. All others are rows in the store and
// cost no memory; a run is loaded when an event, a result or a person needs it, and leaves when its
// last change is on disk and nobody holds it.
// Owner: the daemon. Thread: [main]. Fails with: io, corrupt.
// Limits: one entry for each run with a change on its way (limits::store_pending_changes_max), an
// open turn or an open call; all three are bounded by their own limits.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "model/run.hpp"
#include "store/store.hpp"

namespace limpet::daemon {

// An event in a run's inbox that may not be on disk yet.
struct Delivery {
  Sequence event;
  store::StoreMs at = 0;
  uint32_t bytes = 0;
  bool own = false;  // a result of the run's own steps; else an event that could go to another run
};

struct ActiveRun {
  Run run;               // the newest header, including changes on their way
  uint32_t changes = 0;  // not yet on disk
  uint32_t holders = 0;  // an open turn, open calls
  // The newest delivery that was decided on; its inbox row may still be on disk. Deliveries are
  // decided on in the order of their sequences, so all up to it are done with.
  Sequence acknowledged;
  std::vector<Delivery> recent;  // deliveries of changes that may still be on their way
};

class Runs {
 public:
  explicit Runs(store::Store& store) : store_(store) {}

  // The run, loaded if need be; null: there is none. The pointer lives until main returns to the
  // loop, or longer while someone holds the run.
  [[nodiscard]] Result<ActiveRun*> find(RunId run);
  // The live run of an agent and a key; null: there is none.
  [[nodiscard]] Result<ActiveRun*> find_live(std::string_view agent, std::string_view key);

  ActiveRun& add(Run run);
  // Takes back an add whose change was refused.
  void remove(RunId run);
  // The run's key leads to it from now on / no longer.
  void bind_key(const Run& run);
  void unbind_key(const Run& run);

  // Is it in memory, perhaps newer than on disk?
  [[nodiscard]] bool holds(RunId run) const { return active_.contains(run); }
  void hold(RunId run);
  void release(RunId run);
  // One change of the run is on disk, or never will be.
  void change_done(RunId run);
  // Lets go of runs that were loaded only to be looked at. Call it once a round.
  void sweep();

  [[nodiscard]] size_t count() const { return active_.size(); }

 private:
  void forget_if_idle(RunId run);

  store::Store& store_;
  std::unordered_map<RunId, std::unique_ptr<ActiveRun>> active_;
  std::unordered_map<std::string, RunId> live_;  // agent, a zero byte, key
  std::vector<RunId> loaded_;  // since the last sweep; a round looks at a bounded number of runs
};

// The step's row. not_found: there is none. [main]
[[nodiscard]] Result<Step> load_step(store::Store& store, RunId run, Ordinal ordinal);

}  // namespace limpet::daemon
