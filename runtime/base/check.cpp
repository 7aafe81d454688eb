#include "base/check.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace limpet {

namespace {

// A process-wide count is the point of it: whoever fails, the metric shows it.
std::atomic<uint64_t> expect_failure_count{0};

}  // namespace

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "limpet: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

void expect_failed(const char* expression, const char* file, int line) {
  expect_failure_count.fetch_add(1, std::memory_order_relaxed);
  std::fprintf(stderr, "limpet: unexpected: not (%s) at %s:%d\n", expression, file, line);
#ifndef NDEBUG
  std::abort();
#endif
}

uint64_t expect_failures() { return expect_failure_count.load(std::memory_order_relaxed); }

void crash_point(const char* name) {
  static std::atomic<uint32_t> passes{0};
  const char* wanted = std::getenv("LIMPET_CRASH_POINT");
  if (wanted == nullptr) return;
  const char* colon = std::strchr(wanted, ':');
  const size_t name_size = colon != nullptr ? static_cast<size_t>(colon - wanted) : strlen(wanted);
  if (std::strlen(name) != name_size || std::memcmp(name, wanted, name_size) != 0) return;
  const uint32_t pass_wanted =
      colon != nullptr ? static_cast<uint32_t>(std::strtoul(colon + 1, nullptr, 10)) : 1;
  if (passes.fetch_add(1) + 1 == pass_wanted) kill(getpid(), SIGKILL);
}

}  // namespace limpet
