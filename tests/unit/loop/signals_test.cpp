#include "loop/signals.hpp"

#include <csignal>
#include <vector>

#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

TEST_CASE("signals: each wanted signal comes as a callback on main") {
  const auto loop = make_loop();
  std::vector<int> seen;
  const auto signals =
      loop::Signals::create(*loop, {SIGHUP, SIGTERM}, [&](int number) { seen.push_back(number); });
  REQUIRE(signals);
  REQUIRE(raise(SIGHUP) == 0);
  REQUIRE(loop->run_until([&] { return seen.size() == 1; }, patience));
  REQUIRE(raise(SIGTERM) == 0);
  REQUIRE(loop->run_until([&] { return seen.size() == 2; }, patience));
  CHECK(seen == std::vector<int>{SIGHUP, SIGTERM});
}
