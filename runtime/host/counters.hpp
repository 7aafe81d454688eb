#pragma once

// LiveCounters: what an instance did, counted on whatever thread it did it. [any, no-alloc]

#include <atomic>
#include <cstdint>

#include "host/host.hpp"

namespace limpet::host {

class Counter {
 public:
  void add() { value_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct LiveCounters {
  Counter calls, turns, events, errors, timeouts, busy, emits_full;
  Counter double_finishes, late_finishes, garbage, violations, log_drops;

  [[nodiscard]] InstanceCounters get() const {
    return {calls.get(),         turns.get(),   events.get(),     errors.get(),
            timeouts.get(),      busy.get(),    emits_full.get(), double_finishes.get(),
            late_finishes.get(), garbage.get(), violations.get(), log_drops.get()};
  }
  // What a plugin did that no correct plugin does.
  [[nodiscard]] uint64_t faults() const {
    return double_finishes.get() + garbage.get() + violations.get();
  }
};

}  // namespace limpet::host
