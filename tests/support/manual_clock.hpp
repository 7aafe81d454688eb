#pragma once

// A clock that only the test moves.

#include "platform/clock.hpp"

namespace limpet::testing {

class ManualClock final : public platform::Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return wall_; }
  [[nodiscard]] BootTime boot() const override { return boot_; }

  // Both clocks, as time does.
  void advance(Duration duration) {
    wall_ = wall_ + duration;
    boot_ = boot_ + duration;
  }
  // Only the wall clock, as a person or a time server does.
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  WallTime wall_{1767225600ull * 1000000000ull};  // 2026-01-01
  BootTime boot_{1000000000ull};
};

}  // namespace limpet::testing
