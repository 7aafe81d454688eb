#pragma once

// StallWatch: notices when one callback of main has run for longer than `limit`, and says what ran.
// Owner: the daemon. Thread: its own, limpet-watch, which wakes once per `limit`; create and
// destroy on [main]. Fails with: io (no thread). A stall is reported once, between one and two
// limits after it began, and its length is known to the same precision.

#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "base/time.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"

namespace limpet::loop {

struct Stall {
  Duration so_far;
  const char* activity;  // the innermost Activity, "" for none; valid during the callback
};

struct StallStats {
  uint64_t stalls = 0;
  int64_t longest_ms = 0;
};

class StallWatch {
 public:
  // `on_stall` runs on the watch thread and may use what is [any] only.
  [[nodiscard]] static Result<std::unique_ptr<StallWatch>> create(
      const Loop& loop, Duration limit, UniqueFunction<void(const Stall&)> on_stall);
  // Waits for the watch thread, which sleeps interruptibly.
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  [[nodiscard]] StallStats stats() const;  // [any]

 private:
  struct Impl;
  explicit StallWatch(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::loop
