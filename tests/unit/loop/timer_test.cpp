#include "loop/timer.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

TEST_CASE("timer: timers fire in the order of their times, equal ones in the order of arming") {
  const auto loop = make_loop();
  constexpr uint32_t seed = 7;
  CAPTURE(seed);
  std::minstd_rand random(seed);
  const BootTime start = loop::Loop::now();
  std::vector<std::unique_ptr<loop::Timer>> timers;
  std::vector<std::pair<uint64_t, size_t>> expected;
  std::vector<size_t> fired;
  for (size_t index = 0; index < 200; ++index) {
    timers.push_back(
        std::make_unique<loop::Timer>(*loop, [&fired, index] { fired.push_back(index); }));
    const BootTime due = start + microseconds(static_cast<int64_t>(random() % 50) * 100);
    timers.back()->arm_at(due);
    expected.emplace_back(due.ns, index);
  }
  for (size_t index = 0; index < 200; index += 3) {
    timers[index]->cancel();
    CHECK_FALSE(timers[index]->armed());
  }
  std::erase_if(expected, [](const auto& item) { return item.second % 3 == 0; });
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  REQUIRE(loop->run_until([&] { return fired.size() == expected.size(); }, patience));
  // Those that were already due when the first fired come together; order holds all the same.
  for (size_t index = 0; index < fired.size(); ++index) {
    CHECK(fired[index] == expected[index].second);
  }
}

TEST_CASE("timer: never fires before its time") {
  const auto loop = make_loop();
  BootTime fired;
  loop::Timer timer(*loop, [&] { fired = loop::Loop::now(); });
  const BootTime due = loop::Loop::now() + milliseconds(3);
  timer.arm_at(due);
  REQUIRE(loop->run_until([&] { return fired.ns != 0; }, patience));
  CHECK(fired >= due);
}

TEST_CASE("timer: armed again it forgets the earlier time; a time that has passed comes at once") {
  const auto loop = make_loop();
  int fired = 0;
  loop::Timer timer(*loop, [&] { ++fired; });
  timer.arm_after(seconds(3600));
  timer.arm_at(BootTime{});
  CHECK(loop->run_until([&] { return fired == 1; }, patience));
  CHECK_FALSE(timer.armed());
  CHECK_FALSE(loop->run_until([&] { return fired == 2; }, milliseconds(2)));
}

TEST_CASE("timer: one that re-arms itself with no delay does not keep others from running") {
  const auto loop = make_loop();
  int fired = 0;
  bool posted = false;
  loop::Timer timer(*loop, [&] {});
  loop::Timer greedy(*loop, [&] {
    ++fired;
    greedy.arm_after({});
  });
  greedy.arm_after({});
  CHECK(loop->post([&] { posted = true; }));
  CHECK(loop->run_until([&] { return fired > 10 && posted; }, patience));
}

TEST_CASE("timer: may be destroyed in its own callback") {
  const auto loop = make_loop();
  const auto owned = std::make_shared<int>(0);
  std::optional<loop::Timer> timer;
  timer.emplace(*loop, [&timer, owned] {
    timer.reset();
    ++*owned;  // what it captured lives until it returns
  });
  timer->arm_after({});
  CHECK(loop->run_until([&] { return *owned == 1; }, patience));
  CHECK(owned.use_count() == 1);
}
