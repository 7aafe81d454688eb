// The queues and a plain model of them go the same random way, and are compared after every step.

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/crash/seed.hpp"
#include "tests/model/queue_driver.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr size_t operations_in_world = 250;
constexpr uint32_t worlds_default = 80;
constexpr uint32_t worlds_long = 8000;
constexpr Duration shrink_limit = seconds(20);

Operations operations_of(uint32_t world, size_t count) {
  std::mt19937 engine(world * 2654435761u + 1);
  return random_operations(engine, count);
}

// A fault without its numbers: the same one, wherever it happens.
std::string kind_of(std::string fault) {
  std::erase_if(fault, [](char letter) { return letter >= '0' && letter <= '9'; });
  return fault;
}

// The smallest list that still fails in this way, ready to become a test, and what happens in it.
std::string explain(uint32_t world, const Operations& operations, Mistake mistake) {
  const std::string kind = kind_of(run_operations(world, operations, mistake));
  if (kind.empty()) return " (once: it does not come again)";
  const auto fails = [&](const Operations& fewer) {
    return kind_of(run_operations(world, fewer, mistake)) == kind;
  };
  const Operations small = shrink(operations, fails, shrink_limit);
  QueueDriver driver({world, mistake, true});
  const std::string fault = driver.run(small);
  return "\n" + driver.story() + "=> " + fault + "\n\n  CHECK(run_operations(" +
         std::to_string(world) + "u, {\n" + to_code(small) + "      }, Mistake::none) == \"\");\n";
}

void add(DriverCounts& sum, const DriverCounts& counts) {
  sum.operations += counts.operations;
  sum.enqueued += counts.enqueued;
  sum.refused += counts.refused;
  sum.repeats += counts.repeats;
  sum.leased += counts.leased;
  sum.settled += counts.settled;
  sum.stale += counts.stale;
  sum.deaths += counts.deaths;
  sum.redriven += counts.redriven;
  sum.overflowed += counts.overflowed;
  sum.dropped_changes += counts.dropped_changes;
  sum.crashes += counts.crashes;
  sum.lost_changes += counts.lost_changes;
}

void print(const DriverCounts& sum) {
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "queue model test: %llu operations; %llu enqueued, %llu refused, %llu repeats, "
      "%llu leased, %llu settled, %llu stale, %llu died, %llu redriven, %llu overflowed, "
      "%llu changes dropped, %llu crashes, %llu of them lost changes\n",
      number(sum.operations), number(sum.enqueued), number(sum.refused), number(sum.repeats),
      number(sum.leased), number(sum.settled), number(sum.stale), number(sum.deaths),
      number(sum.redriven), number(sum.overflowed), number(sum.dropped_changes),
      number(sum.crashes), number(sum.lost_changes));
}

// The first world from `first` on in which the rule is noticed; nullopt: in none of `count`.
std::optional<uint32_t> notice(Mistake mistake, uint32_t count) {
  for (uint32_t world = 1; world <= count; ++world) {
    const Operations operations = operations_of(world, operations_in_world);
    if (!run_operations(world, operations, mistake).empty()) return world;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("queues: whatever happens in which order, they do what their contract says") {
  Chance chance("queue model test");
  const uint32_t first = chance.up_to(1u << 30);
  const bool is_long = std::getenv("LIMPET_TEST_LONG") != nullptr;
  DriverCounts sum;
  for (uint32_t index = 0; index < (is_long ? worlds_long : worlds_default); ++index) {
    const uint32_t world = first + index;
    const Operations operations = operations_of(world, operations_in_world);
    QueueDriver driver({world, Mistake::none, false});
    const std::string fault = driver.run(operations);
    if (!fault.empty()) FAIL(fault << explain(world, operations, Mistake::none));
    add(sum, driver.counts());
  }
  print(sum);
  // A walk on which nothing happens proves nothing.
  CHECK(sum.enqueued > sum.operations / 10);
  CHECK(sum.leased > sum.operations / 20);
  CHECK(sum.settled > sum.operations / 20);
  for (const uint64_t count :
       {sum.refused, sum.repeats, sum.stale, sum.deaths, sum.redriven, sum.overflowed,
        sum.dropped_changes, sum.crashes, sum.lost_changes}) {
    CHECK(count > 10);
  }
}

// What a walk has found once, as it was printed.
TEST_CASE("queues: more room in flight after a reload calls the workers who wait for it") {
  CHECK(run_operations(252041693u,
                       {
                           {Act::enqueue, 719449771u, 576714766u, Then::submit},
                           {Act::enqueue, 1550261218u, 1383729912u, Then::submit},
                           {Act::lease, 3133270230u, 1441051131u, Then::keep},
                           {Act::enqueue, 3020116069u, 4145018705u, Then::submit},
                           {Act::lease, 1724077538u, 2359242263u, Then::drop},
                           {Act::enqueue, 998197664u, 2147543841u, Then::submit},
                           {Act::lease, 2834003419u, 2494006574u, Then::submit},
                           {Act::reload, 2407677529u, 2318593512u, Then::submit},
                       },
                       Mistake::none) == "");
}

TEST_CASE("queues: a tenant over its quota does not push out the tasks of others") {
  CHECK(run_operations(473132146u,
                       {
                           {Act::enqueue, 3171750372u, 2275181352u, Then::submit},
                           {Act::enqueue, 237724140u, 2524144552u, Then::submit},
                           {Act::enqueue, 3900495749u, 1547380877u, Then::submit},
                           {Act::enqueue, 3943269491u, 3079800349u, Then::submit},
                           {Act::enqueue, 3427526151u, 2884097992u, Then::submit},
                       },
                       Mistake::none) == "");
}

TEST_CASE("queues: a task that is dropped while it waits after a failure is delayed no more") {
  CHECK(run_operations(274659622u,
                       {
                           {Act::enqueue, 422659089u, 102492211u, Then::submit},
                           {Act::enqueue, 3630370914u, 2442797521u, Then::submit},
                           {Act::enqueue, 296363461u, 776016006u, Then::submit},
                           {Act::enqueue, 2998937945u, 1566459077u, Then::submit},
                           {Act::enqueue, 394126159u, 2993319137u, Then::submit},
                           {Act::lease, 440226026u, 3590867847u, Then::submit},
                           {Act::nack, 3230142024u, 3493903839u, Then::submit},
                           {Act::enqueue, 579554466u, 382023142u, Then::submit},
                           {Act::enqueue, 2288400794u, 3998701833u, Then::submit},
                       },
                       Mistake::none) == "");
}

TEST_CASE("queues: a lease that ends in death has ended") {
  CHECK(run_operations(489594564u,
                       {
                           {Act::enqueue, 4275766527u, 3494056646u, Then::submit},
                           {Act::lease, 2908886863u, 3755592629u, Then::keep},
                           {Act::time, 3571640992u, 1200344844u, Then::submit},
                       },
                       Mistake::none) == "");
}

TEST_CASE("queues: a model with a wrong rule is noticed") {
  constexpr uint32_t worlds_max = 60;
  for (auto mistake = uint8_t{1}; mistake <= static_cast<uint8_t>(mistake_last); ++mistake) {
    CAPTURE(mistake);
    CHECK(notice(static_cast<Mistake>(mistake), worlds_max));
  }
}

TEST_CASE("queues: of the way to a fault only what is needed for it is shown") {
  const auto world = notice(Mistake::pause_forgotten, 60);
  REQUIRE(world);
  const auto fails = [&](const Operations& fewer) {
    return !run_operations(*world, fewer, Mistake::pause_forgotten).empty();
  };
  const Operations small = shrink(operations_of(*world, operations_in_world), fails, shrink_limit);
  CHECK(fails(small));
  CHECK(small.size() <= 6);
  CHECK_FALSE(to_code(small).empty());
}
