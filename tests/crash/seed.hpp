#pragma once

// Chance for crash tests: printed, and repeated with LIMPET_TEST_SEED. Owner: one test.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace limpet::testing {

class Chance {
 public:
  explicit Chance(const char* test) : seed_(choose_seed()), engine_(seed_) {
    std::printf("%s: LIMPET_TEST_SEED=%u repeats it\n", test, seed_);
    std::fflush(stdout);
  }
  // From 0 to `max`, both included.
  uint32_t up_to(uint32_t max) { return static_cast<uint32_t>(engine_() % (uint64_t{max} + 1)); }

 private:
  static uint32_t choose_seed() {
    const char* given = std::getenv("LIMPET_TEST_SEED");
    if (given != nullptr) return static_cast<uint32_t>(std::strtoul(given, nullptr, 10));
    return std::random_device()();
  }

  const uint32_t seed_;
  std::mt19937 engine_;
};

// `kills`, or ten times as many where a long test is asked for.
inline unsigned kills_wanted(unsigned kills) {
  return std::getenv("LIMPET_TEST_LONG") != nullptr ? kills * 10 : kills;
}

}  // namespace limpet::testing
