#include "dispatch/in_flight.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace limpet;
using namespace limpet::dispatch;

TEST_CASE("in flight: what is added is found until it is removed, whatever the order") {
  InFlight table;
  std::map<uint64_t, uint64_t> expected;  // task -> deadline
  uint64_t state = 5;
  const auto random = [&state](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  for (int step = 0; step < 20000; ++step) {
    const uint64_t task = 1 + random(500);
    const bool known = expected.contains(task);
    CHECK(table.contains(Sequence(task)) == known);
    if (!known) {
      const uint64_t deadline = random(1000);
      table.schedule(table.add(Sequence(task)), BootTime{deadline});
      expected[task] = deadline;
    } else if (random(3) == 0) {
      const uint64_t deadline = random(1000);
      table.schedule(*table.find(Sequence(task)), BootTime{deadline});
      expected[task] = deadline;
    } else {
      table.remove(Sequence(task));
      expected.erase(task);
    }
    REQUIRE(table.count() == expected.size());
    std::optional<uint64_t> first;
    for (const auto& [id, deadline] : expected)
      first = std::min(first.value_or(deadline), deadline);
    REQUIRE(table.next_deadline().has_value() == first.has_value());
    if (first) CHECK(table.next_deadline()->ns == *first);
    if (first) CHECK(expected.at(table.first_deadline()->task.value()) == *first);
  }
}

TEST_CASE("in flight: slots are used again") {
  InFlight table;
  for (int round = 0; round < 100; ++round) {
    for (uint64_t task = 1; task <= 50; ++task) {
      table.add(Sequence(task + static_cast<uint64_t>(round) * 50));
    }
    for (uint64_t task = 1; task <= 50; ++task) {
      table.remove(Sequence(task + static_cast<uint64_t>(round) * 50));
    }
  }
  CHECK(table.slot_count() == 50);
}

TEST_CASE("in flight: what is unscheduled has no deadline") {
  InFlight table;
  table.schedule(table.add(Sequence(1)), BootTime{10});
  table.schedule(table.add(Sequence(2)), BootTime{20});
  table.unschedule(*table.find(Sequence(1)));
  CHECK(table.first_deadline()->task == Sequence(2));
  table.remove(Sequence(2));
  CHECK(table.first_deadline() == nullptr);
  CHECK(table.contains(Sequence(1)));
}
