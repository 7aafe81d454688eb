#include "dispatch/breaker.hpp"

#include <doctest/doctest.h>

namespace limpet::dispatch {

namespace {

constexpr BootTime start{1'000'000'000};

Breaker opened() {
  Breaker breaker(BreakerSettings{3, seconds(30)});
  for (int count = 0; count < 3; ++count) breaker.report(false, start);
  return breaker;
}

}  // namespace

TEST_CASE("breaker: only failures in a row open it") {
  Breaker breaker(BreakerSettings{3, seconds(30)});
  for (int round = 0; round < 5; ++round) {
    breaker.report(false, start);
    breaker.report(false, start);
    breaker.report(true, start);
  }
  CHECK(breaker.state() == Breaker::State::closed);
  breaker.report(false, start);
  breaker.report(false, start);
  CHECK(breaker.report(false, start));
  CHECK(breaker.state() == Breaker::State::open);
  CHECK(breaker.wait(start) == seconds(30));
}

TEST_CASE("breaker: after its time one probe goes, and nothing else until it has come back") {
  Breaker breaker = opened();
  const BootTime later = start + seconds(30);
  REQUIRE(breaker.wait(later).ns == 0);
  breaker.begin(later);
  CHECK(breaker.state() == Breaker::State::half_open);
  CHECK(breaker.wait(later).ns > 0);
  CHECK(breaker.report(true, later));
  CHECK(breaker.state() == Breaker::State::closed);
  CHECK(breaker.wait(later).ns == 0);
}

TEST_CASE("breaker: a probe that fails opens it for as long again") {
  Breaker breaker = opened();
  const BootTime later = start + seconds(31);
  breaker.begin(later);
  CHECK(breaker.report(false, later));
  CHECK(breaker.wait(later) == seconds(30));
  CHECK(breaker.opened() == 2);
}

TEST_CASE("breaker: a late success of before it opened does not close it") {
  Breaker breaker = opened();
  breaker.report(true, start);
  CHECK(breaker.state() == Breaker::State::open);
}

TEST_CASE("breaker: without a limit it never opens") {
  Breaker breaker;
  for (int count = 0; count < 100; ++count) breaker.report(false, start);
  CHECK(breaker.state() == Breaker::State::closed);
}

}  // namespace limpet::dispatch
