#include "dispatch/backoff.hpp"

#include <doctest/doctest.h>

using namespace limpet;
using namespace limpet::dispatch;

TEST_CASE("backoff: grows by its factor up to its limit") {
  const Backoff backoff{{}, milliseconds(100), 300, seconds(2), 0};
  CHECK(backoff_delay(backoff, 1, 0) == milliseconds(100));
  CHECK(backoff_delay(backoff, 2, 0) == milliseconds(300));
  CHECK(backoff_delay(backoff, 3, 0) == milliseconds(900));
  CHECK(backoff_delay(backoff, 4, 0) == seconds(2));
  CHECK(backoff_delay(backoff, UINT16_MAX, 0) == seconds(2));
}

TEST_CASE("backoff: a list is followed, and its last entry lasts") {
  const Backoff backoff{{seconds(1), seconds(5)}, seconds(9), 200, seconds(9), 0};
  CHECK(backoff_delay(backoff, 1, 0) == seconds(1));
  CHECK(backoff_delay(backoff, 2, 0) == seconds(5));
  CHECK(backoff_delay(backoff, 9, 0) == seconds(5));
}

TEST_CASE("backoff: jitter spreads around the delay, and is the seed's") {
  const Backoff backoff{{}, seconds(10), 200, seconds(300), 20};
  uint64_t state = 1;
  Duration least = seconds(1000);
  Duration most;
  for (int count = 0; count < 1000; ++count) {
    const Duration delay = backoff_delay(backoff, 1, next_random(state));
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  CHECK(least >= seconds(8));
  CHECK(least < milliseconds(8200));
  CHECK(most <= seconds(12));
  CHECK(most > milliseconds(11800));
  uint64_t again = 1;
  uint64_t same = 1;
  CHECK(next_random(again) == next_random(same));
}
