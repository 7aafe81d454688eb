#include "loop/stall_watch.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

TEST_CASE("stall_watch: a callback that blocks is noticed once, with its name") {
  const auto loop = make_loop();
  std::mutex mutex;
  std::string activity;
  std::atomic<int> reports{0};
  const auto watch =
      loop::StallWatch::create(*loop, milliseconds(5), [&](const loop::Stall& stall) {
        const std::lock_guard lock(mutex);
        activity = stall.activity;
        CHECK(stall.so_far >= milliseconds(5));
        ++reports;
      });
  REQUIRE(watch);
  bool over = false;
  CHECK(loop->post([&] {
    const loop::Activity outer(*loop, "turn");
    const loop::Activity inner(*loop,
                               "turn of the agent with the very long name, cut here and there");
    while ((*watch)->stats().longest_ms < 15) std::this_thread::yield();
    over = true;
  }));
  REQUIRE(loop->run_until([&] { return over; }, patience));
  CHECK(reports == 1);
  CHECK((*watch)->stats().stalls == 1);
  const std::lock_guard lock(mutex);
  CHECK(activity == "turn of the agent with the very long name, cut ");
}

TEST_CASE("stall_watch: a main that waits is not a stall, and names are taken back") {
  const auto loop = make_loop();
  const auto watch = loop::StallWatch::create(*loop, milliseconds(1), [](const loop::Stall&) {});
  REQUIRE(watch);
  CHECK_FALSE(loop->run_until([] { return false; }, milliseconds(10)));
  CHECK((*watch)->stats().stalls == 0);
  CHECK(loop->busy().since == BootTime{});
  {
    const loop::Activity outer(*loop, "outer");
    { const loop::Activity inner(*loop, "inner"); }
    CHECK(std::string(loop->busy().activity) == "outer");
  }
  CHECK(std::string(loop->busy().activity).empty());
}
