#pragma once

// Breaker: keeps work from what fails again and again. Closed it lets everything through; after
// `failures` in a row it opens and nothing goes; after `open_for` it lets one through at a time to
// see: a success closes it, a failure opens it again. Time is given in. [any, no-alloc]

#include <cstdint>
#include <string_view>

#include "base/time.hpp"

namespace limpet::dispatch {

struct BreakerSettings {
  uint32_t failures = 0;  // 0: it never opens
  Duration open_for = seconds(30);
};

class Breaker {
 public:
  enum class State : uint8_t { closed, open, half_open };

  Breaker() = default;
  explicit Breaker(const BreakerSettings& settings) : settings_(settings) {}

  // Zero: it may go, and begin() is to be called if it does. Else how long to wait.
  [[nodiscard]] Duration wait(BootTime now) const;
  // One goes. In half-open it is the probe, and nothing else goes until its report.
  void begin(BootTime now);
  // What became of one. True: this changed the state.
  bool report(bool success, BootTime now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] uint64_t opened() const { return opened_; }

 private:
  BreakerSettings settings_;
  State state_ = State::closed;
  uint32_t failures_ = 0;  // in a row
  BootTime next_probe_;
  bool probing_ = false;
  uint64_t opened_ = 0;
};

[[nodiscard]] std::string_view to_string(Breaker::State state);

}  // namespace limpet::dispatch
