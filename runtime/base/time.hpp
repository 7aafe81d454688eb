#pragma once

// The two times of the house, as types, so that one is never compared with the other.
// [any, no-alloc]
//
//   WallTime   nanoseconds since 1970; what events carry; may jump; 1970 on a clockless board
//   BootTime   nanoseconds since boot, suspend included (CLOCK_BOOTTIME); for leases, deadlines

#include <compare>
#include <cstdint>

namespace limpet {

struct Duration {
  int64_t ns = 0;
  friend constexpr auto operator<=>(Duration, Duration) = default;
};

constexpr Duration nanoseconds(int64_t count) { return Duration{count}; }
constexpr Duration microseconds(int64_t count) { return Duration{count * 1000}; }
constexpr Duration milliseconds(int64_t count) { return Duration{count * 1000000}; }
constexpr Duration seconds(int64_t count) { return Duration{count * 1000000000}; }
constexpr int64_t to_ms(Duration duration) { return duration.ns / 1000000; }

struct WallTime {
  uint64_t ns = 0;
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
};

struct BootTime {
  uint64_t ns = 0;
  friend constexpr auto operator<=>(BootTime, BootTime) = default;
};

constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
constexpr WallTime operator+(WallTime time, Duration d) {
  return {time.ns + static_cast<uint64_t>(d.ns)};
}
constexpr BootTime operator+(BootTime time, Duration d) {
  return {time.ns + static_cast<uint64_t>(d.ns)};
}
constexpr Duration operator-(WallTime a, WallTime b) { return {static_cast<int64_t>(a.ns - b.ns)}; }
constexpr Duration operator-(BootTime a, BootTime b) { return {static_cast<int64_t>(a.ns - b.ns)}; }

// Can this be the time? A board without a battery for its clock begins in 1970, or at its image's
// day, until the network tells it better. Nothing that Limpet runs on was set to a day before
// 2024 by somebody who knew it. Until the wall clock is plausible nothing is judged by its age.
inline constexpr WallTime plausible_since{1704067200ull * 1000000000ull};  // 2024-01-01
constexpr bool plausible(WallTime time) { return time >= plausible_since; }

}  // namespace limpet
