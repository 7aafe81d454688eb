#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

struct SchedulesFixture : HouseFixture {
  explicit SchedulesFixture(daemon::CatchUp catch_up) {
    daemon::Schedule schedule;
    schedule.name = "every-ten";
    schedule.every = seconds(600);
    schedule.event = "tick.ten";
    schedule.payload = codec::cbor_map({{"check", "valves"}});
    schedule.catch_up = catch_up;
    wanted_queues.schedules.push_back(schedule);
  }
  // Time passes while nobody runs.
  void sleep_through(Duration duration) {
    crash();
    advance(duration);
    REQUIRE(open());
    REQUIRE(settle());
  }
  size_t ticks() { return log("tick.ten").size(); }
};

}  // namespace

TEST_CASE("schedules: a new one begins now and has missed nothing") {
  SchedulesFixture fixture(daemon::CatchUp::all);
  REQUIRE(fixture.open());
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 0);
  fixture.advance(seconds(599));
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 0);
  fixture.advance(seconds(1));
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 1);
  CHECK(member(fixture.log("tick.ten").at(0), "check") == "valves");
}

TEST_CASE("schedules: what was missed comes once, or all, or not at all, as the owner says") {
  struct Case {
    daemon::CatchUp catch_up;
    size_t ticks;
  };
  for (const Case& one : {Case{daemon::CatchUp::skip, 0}, Case{daemon::CatchUp::once, 1},
                          Case{daemon::CatchUp::all, 5}}) {
    SchedulesFixture fixture(one.catch_up);
    REQUIRE(fixture.open());
    REQUIRE(fixture.settle());
    fixture.sleep_through(seconds(5 * 600 + 30));
    CHECK(fixture.ticks() == one.ticks);
    fixture.advance(seconds(600));
    REQUIRE(fixture.settle());
    CHECK(fixture.ticks() == one.ticks + 1);
  }
}

TEST_CASE("schedules: after a year without power at most a hundred ticks come") {
  SchedulesFixture fixture(daemon::CatchUp::all);
  REQUIRE(fixture.open());
  REQUIRE(fixture.settle());
  fixture.sleep_through(seconds(365 * 86400));
  CHECK(fixture.ticks() == daemon::catch_up_max);
}

TEST_CASE("schedules: a restart right after a tick does not repeat it") {
  SchedulesFixture fixture(daemon::CatchUp::once);
  REQUIRE(fixture.open());
  REQUIRE(fixture.settle());
  fixture.advance(seconds(600));
  REQUIRE(fixture.settle());
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 1);
}

TEST_CASE("schedules: a board whose clock is not set waits, and does not take 1970 for a tick") {
  SchedulesFixture fixture(daemon::CatchUp::all);
  fixture.clock.set_wall(WallTime{3'600'000'000'000});
  REQUIRE(fixture.open());
  REQUIRE(fixture.settle());
  fixture.advance(seconds(6000));
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 0);
  fixture.clock.set_wall(WallTime{1'795'178'096'000'000'000});
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 0);
  fixture.advance(seconds(600));
  REQUIRE(fixture.settle());
  CHECK(fixture.ticks() == 1);
}

TEST_CASE("schedules: a tick can be a task, and a full queue delays it without losing it") {
  SchedulesFixture fixture(daemon::CatchUp::all);
  fixture.wanted_queues.schedules[0].event.clear();
  fixture.wanted_queues.schedules[0].queue = "jobs";
  dispatch::QueueSettings queue;
  queue.name = "jobs";
  queue.tasks_max = 1;
  fixture.wanted_queues.queues.push_back(queue);
  REQUIRE(fixture.open());
  REQUIRE(fixture.settle());
  fixture.advance(seconds(600));
  REQUIRE(fixture.settle());
  CHECK(fixture.life->queues.stats("jobs")->tasks == 1);
  fixture.advance(seconds(600));
  REQUIRE(fixture.settle());
  CHECK(fixture.life->queues.stats("jobs")->tasks == 1);
  CHECK(fixture.life->schedules.ticks() == 1);
  api::LeaseRequest wanted;
  wanted.queue = "jobs";
  fixture.life->queue_house.lease(wanted, [&](auto answer) {
    auto& tasks = std::get<std::vector<api::TaskView>>(answer);
    REQUIRE(tasks.size() == 1);
    fixture.life->queue_house.settle(
        {{api::Verdict::ack, tasks[0].task, tasks[0].token, {}, {}, false, false, {}}},
        [](auto) {});
  });
  REQUIRE(fixture.settle());
  fixture.advance(seconds(2));
  REQUIRE(fixture.settle());
  CHECK(fixture.life->schedules.ticks() == 2);
}
