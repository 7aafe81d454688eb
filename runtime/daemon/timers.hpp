#pragma once

// Timers: what the store holds for later: the timers of steps and the deadlines of runs.
// Owner: the daemon. Thread: [main]. All of them are rows; only the due time of the next one is in
// memory. Limits: timers_fired_max a round, so that a board that was off for a week does not stall.

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/commit.hpp"
#include "daemon/house.hpp"

namespace limpet::daemon {

inline constexpr size_t timers_fired_max = 64;

class Timers {
 public:
  explicit Timers(House& house) : house_(house) {}

  // Fires what is due. Call it after commits and when `next_due` has come.
  void pump();
  [[nodiscard]] std::optional<store::StoreMs> next_due() const { return next_due_; }
  [[nodiscard]] uint64_t fired() const { return fired_; }

 private:
  [[nodiscard]] Result<void> fire(const store::TimerPlace& place);
  [[nodiscard]] Result<void> fire_step(Commit& commit, const store::TimerPlace& place,
                                       const Run& run);
  [[nodiscard]] bool firing(const store::TimerPlace& place) const;

  House& house_;
  std::vector<store::TimerPlace> firing_;  // their change is on its way; at most timers_fired_max
  std::optional<store::StoreMs> next_due_;
  uint64_t fired_ = 0;
};

}  // namespace limpet::daemon
