#include "dispatch/token_bucket.hpp"

#include <doctest/doctest.h>

namespace limpet::dispatch {

TEST_CASE("token bucket: a burst, then one token a tenth of a second") {
  TokenBucket bucket(Rate{10, seconds(1), 3});
  BootTime now{5'000'000'000};
  for (int count = 0; count < 3; ++count) {
    REQUIRE(bucket.wait(now).ns == 0);
    bucket.take(now);
  }
  CHECK(bucket.wait(now) == milliseconds(100));
  now = now + milliseconds(60);
  CHECK(bucket.wait(now) == milliseconds(40));
  now = now + milliseconds(40);
  CHECK(bucket.wait(now).ns == 0);
}

TEST_CASE("token bucket: over a long time it gives the rate and no more") {
  TokenBucket bucket(Rate{7, seconds(1), 0});
  BootTime now;
  int taken = 0;
  for (int step = 0; step < 100'000; ++step) {
    now = now + milliseconds(1);
    if (bucket.wait(now).ns > 0) continue;
    bucket.take(now);
    ++taken;
  }
  CHECK(taken >= 700);
  CHECK(taken <= 707);
}

TEST_CASE("token bucket: idle time is worth a burst, not more") {
  TokenBucket bucket(Rate{2, seconds(1), 0});
  const BootTime now{3600'000'000'000};
  bucket.take(now);
  bucket.take(now);
  CHECK(bucket.wait(now).ns > 0);
}

TEST_CASE("token bucket: without a rate it never says no") {
  TokenBucket bucket;
  const BootTime now{1};
  for (int count = 0; count < 1000; ++count) bucket.take(now);
  CHECK(bucket.wait(now).ns == 0);
}

}  // namespace limpet::dispatch
