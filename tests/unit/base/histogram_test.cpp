#include "base/histogram.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace limpet;

namespace {

// The bucket that the one recorded time is in.
template <class Kind>
size_t bucket_of(Duration time) {
  Kind histogram;
  histogram.record(time);
  const HistogramView view = histogram.view();
  CHECK(std::accumulate(view.counts.begin(), view.counts.end(), uint64_t{0}) == 1);
  for (size_t index = 0; index < view.counts.size(); ++index) {
    if (view.counts[index] == 1) return index;
  }
  return SIZE_MAX;
}

}  // namespace

TEST_CASE("histogram: a bucket holds what is longer than the one before, up to its own end") {
  for (size_t index = 0; index + 1 < SlowHistogram().view().counts.size(); ++index) {
    const Duration end = SlowHistogram().view().upper_end(index);
    CHECK(end == milliseconds(int64_t{1} << index));
    CHECK(bucket_of<SlowHistogram>(end) == index);
    CHECK(bucket_of<SlowHistogram>(end + nanoseconds(1)) == index + 1);
  }
  CHECK(bucket_of<FastHistogram>(microseconds(1)) == 0);
  CHECK(bucket_of<FastHistogram>(nanoseconds(1001)) == 1);
  CHECK(FastHistogram().view().upper_end(20) == microseconds(1 << 20));
}

TEST_CASE("histogram: nothing and less than nothing are the first bucket, hours the last") {
  CHECK(bucket_of<SlowHistogram>({}) == 0);
  CHECK(bucket_of<SlowHistogram>(seconds(-5)) == 0);
  CHECK(bucket_of<SlowHistogram>(seconds(3600)) == 22);
  CHECK(bucket_of<SlowHistogram>(seconds(24 * 3600)) == 23);
  CHECK(bucket_of<SlowHistogram>(nanoseconds(INT64_MAX)) == 23);
  CHECK(bucket_of<FastHistogram>(seconds(2)) == 21);
}

TEST_CASE("histogram: count and sum are of all that was recorded") {
  SlowHistogram histogram;
  for (int count = 0; count < 10; ++count) histogram.record(milliseconds(5));
  histogram.record(seconds(-1));
  CHECK(histogram.count() == 11);
  CHECK(histogram.view().count == 11);
  CHECK(histogram.view().sum == milliseconds(50));
  CHECK(histogram.view().counts[3] == 10);
}
