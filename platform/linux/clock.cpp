#include "platform/clock.hpp"

#include <time.h>

namespace limpet::platform {

namespace {

uint64_t read_clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

WallTime SystemClock::wall() const { return {read_clock_ns(CLOCK_REALTIME)}; }
BootTime SystemClock::boot() const { return {read_clock_ns(CLOCK_BOOTTIME)}; }

}  // namespace limpet::platform
