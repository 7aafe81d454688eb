#pragma once

// The two checks for our own bugs. What input, disk, network or a plugin can cause is never checked
// with these: it is an Error value. [any, no-alloc until they fire]
//
//   LIMPET_ASSERT(x)  going on would be unsafe: prints and aborts, in every build.
//   LIMPET_EXPECT(x)  going on is safe: aborts in debug builds; in release counts and goes on.
//   LIMPET_CRASH_POINT("store.before_commit")
//       a named instant at which a test may kill the process (SIGKILL, as a power cut would); it is
//       nothing in release builds. The test sets LIMPET_CRASH_POINT=name or name:N (the Nth pass).

#include <cstdint>

namespace limpet {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

// Counts in release, aborts in debug.
void expect_failed(const char* expression, const char* file, int line);

// How often LIMPET_EXPECT failed since the start; a metric.
[[nodiscard]] uint64_t expect_failures();

// Kills the process when the environment names this point. Only in builds with LIMPET_CRASH_POINTS.
void crash_point(const char* name);

}  // namespace limpet

#define LIMPET_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::limpet::check_failed(#expression, __FILE__, __LINE__))
#define LIMPET_EXPECT(expression) \
  ((expression) ? static_cast<void>(0) : ::limpet::expect_failed(#expression, __FILE__, __LINE__))

#ifdef LIMPET_CRASH_POINTS
#define LIMPET_CRASH_POINT(name) ::limpet::crash_point(name)
#else
#define LIMPET_CRASH_POINT(name) static_cast<void>(0)
#endif
