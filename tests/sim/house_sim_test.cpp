#include "tests/sim/house_sim.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <random>

using limpet::testing::HouseSim;
using limpet::testing::SimCounts;

namespace {

constexpr int ticks = 800;

std::optional<uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

uint64_t rounds_default() { return std::getenv("LIMPET_TEST_LONG") != nullptr ? 100 : 1; }

SimCounts simulate(uint64_t seed) {
  CAPTURE(seed);
  HouseSim sim(seed);
  const std::string fault = sim.run(ticks);
  CHECK_MESSAGE(fault.empty(), "LIMPET_SIM_SEED=", seed, ": ", fault);
  return sim.counts();
}

}  // namespace

TEST_CASE("sim: nothing acknowledged is lost, nothing acts twice, whatever happens when") {
  if (const auto seed = number_from("LIMPET_SIM_SEED")) {
    simulate(*seed);
    return;
  }
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const SimCounts counts = simulate(seed);
    // A simulation in which nothing happens proves nothing.
    CHECK(counts.acknowledged > 50);
    CHECK(counts.repeats > 5);
    CHECK(counts.crashes > 3);
    CHECK(counts.acts > 10);
    CHECK(counts.runs > 20);
  }
}

TEST_CASE("sim: the same for seeds that nobody chose") {
  if (number_from("LIMPET_SIM_SEED")) return;
  const uint64_t rounds = number_from("LIMPET_SIM_ROUNDS").value_or(rounds_default());
  std::random_device device;
  for (uint64_t round = 0; round < rounds; ++round) {
    const uint64_t seed = (uint64_t{device()} << 32) | device();
    MESSAGE("LIMPET_SIM_SEED=", seed);
    simulate(seed);
  }
}
