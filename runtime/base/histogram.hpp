#pragma once

// Histogram: how long things took, in buckets that double in width. Counting is two additions and
// touches no heap.
// Owner: whoever measures; it lives inside what it measures. Thread: one, usually [main].
// Limits: a fixed number of buckets; what is longer than the last one is counted above it, and a
// negative time as none at all.
//
//   SlowHistogram   1 ms, 2 ms, 4 ms ... 70 min   queues, tools, steps
//   FastHistogram   1 us, 2 us, 4 us ... 1 s      commits, rounds of the loop
//
// Widths that double cost an error of at most half in any quantile, and one shift in place of a
// search; both kinds have about 200 bytes, so that every queue and tool may have one.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.hpp"

namespace limpet {

// A histogram as it is shown. The span lives as long as the histogram.
struct HistogramView {
  // Not cumulative: counts[i] is of times up to unit << i and above the bucket before; the last one
  // is of all that is longer.
  std::span<const uint64_t> counts;
  Duration unit;
  uint64_t count = 0;
  Duration sum;

  // Upper end of bucket `index`, inclusive. REQUIRES: index + 1 < counts.size().
  [[nodiscard]] Duration upper_end(size_t index) const {
    return nanoseconds(static_cast<int64_t>(static_cast<uint64_t>(unit.ns) << index));
  }
};

template <int64_t unit_ns, size_t bucket_count>
class Histogram {
  static_assert(unit_ns > 0 && bucket_count >= 1);
  static_assert(bucket_count <= static_cast<size_t>(std::countl_zero(uint64_t{unit_ns})));

 public:
  void record(Duration time) {
    const uint64_t ns = time.ns > 0 ? static_cast<uint64_t>(time.ns) : 0;
    // The first i with ns <= unit << i: a time that ends a bucket belongs to it.
    const uint64_t units = ns == 0 ? 0 : (ns - 1) / uint64_t{unit_ns};
    const auto index = static_cast<size_t>(std::bit_width(units));
    ++counts_[index < bucket_count ? index : bucket_count];
    ++count_;
    sum_ns_ += ns;
  }

  [[nodiscard]] HistogramView view() const {
    return {counts_, nanoseconds(unit_ns), count_, nanoseconds(static_cast<int64_t>(sum_ns_))};
  }
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  std::array<uint64_t, bucket_count + 1> counts_{};
  uint64_t count_ = 0;
  uint64_t sum_ns_ = 0;
};

using SlowHistogram = Histogram<1'000'000, 23>;  // to 2^22 ms: 70 minutes
using FastHistogram = Histogram<1'000, 21>;      // to 2^20 us: a second

}  // namespace limpet
