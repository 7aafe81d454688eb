#pragma once

// Pacer: replays events at the distances of their times, faster or slower by a factor. A reader
// that keeps up sees every distance kept to the clock's grain; one that falls behind is not flooded
// with what it missed: the distances begin anew from where it is. [no-alloc]
//
// A time before 2025 is that of a clock that had not been set: the distance to it is nothing, and a
// clock that ran back counts as no time at all.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace limpet::dispatch {

class Pacer {
 public:
  // 200: twice as fast. REQUIRES: speed_percent > 0.
  explicit Pacer(uint32_t speed_percent) : speed_percent_(speed_percent) {}

  // When an event of `time` is due after those that were given.
  [[nodiscard]] BootTime due(WallTime time, BootTime now) const {
    if (!last_) return now;
    return *last_due_ + distance(*last_, time);
  }
  void given(WallTime time, BootTime now) {
    const BootTime scheduled = due(time, now);
    last_due_ = std::max(scheduled, BootTime{now.ns - std::min(now.ns, slack_ns)});
    last_ = time;
  }
  // What was given is forgotten: the next event is due at once.
  void restart() { last_.reset(); }

 private:
  static constexpr uint64_t slack_ns = 1000000000;  // behind by more than this: begin anew
  static constexpr WallTime clock_set{1735689600ull * 1000000000ull};
  static constexpr double distance_ns_max = 3e17;  // ten years

  [[nodiscard]] Duration distance(WallTime from, WallTime to) const {
    if (from < clock_set || to <= from) return {};
    const double ns = static_cast<double>(to.ns - from.ns) * 100.0 / speed_percent_;
    return Duration{static_cast<int64_t>(std::min(ns, distance_ns_max))};
  }

  const uint32_t speed_percent_;
  std::optional<WallTime> last_;
  std::optional<BootTime> last_due_;
};

}  // namespace limpet::dispatch
