#pragma once

// Clock: the only way to the time. Owner: the daemon, or a test that moves it by hand.
// Thread: [any, no-alloc]. Never fails: a board without a clock answers 1970 and says so by `wall`
// being before `plausible_wall_time`.

#include "base/time.hpp"

namespace limpet::platform {

// An earlier wall clock has not been set yet.
inline constexpr WallTime plausible_wall_time = plausible_since;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;  // CLOCK_REALTIME; may jump both ways
  [[nodiscard]] virtual BootTime boot() const = 0;  // CLOCK_BOOTTIME; monotone, counts suspend
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] BootTime boot() const override;
};

}  // namespace limpet::platform
