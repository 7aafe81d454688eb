#pragma once

// What is measured and how it is summed up. [any] unless said.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpet::bench {

// One number of one run: "events_per_s", "1/s", 190000.
struct Figure {
  std::string name;
  std::string unit;
  double value;
};
using Figures = std::vector<Figure>;

// What the work was done with, as JSON values: {"window", "64"}, {"sync", "\"full\""}.
using Params = std::vector<std::pair<std::string, std::string>>;

struct Spread {
  double median;
  double min;
  double max;
};
// REQUIRES: values are not empty.
[[nodiscard]] Spread spread_of(std::vector<double> values);

// The figure of that name. REQUIRES: there is one.
[[nodiscard]] double figure(const Figures& figures, const std::string& name);

// The sample below which `part` (0 to 1) of all lie. Sorts in place. REQUIRES: not empty.
[[nodiscard]] uint64_t percentile(std::vector<uint64_t>& samples, double part);

// What the process has used since it began.
struct Usage {
  uint64_t wall_ns = 0;
  uint64_t cpu_ns = 0;         // user and system, all threads
  uint64_t written_bytes = 0;  // handed to the block layer, from /proc/self/io; 0 where unknown
  uint64_t allocations = 0;    // calls of operator new, all threads
};
[[nodiscard]] Usage usage_now();
[[nodiscard]] Usage operator-(const Usage& after, const Usage& before);

// CLOCK_MONOTONIC.
[[nodiscard]] uint64_t monotonic_ns();

// A benchmark that cannot go on says why and ends the program: there is nobody to recover for.
[[noreturn]] void fail(const std::string& reason);

}  // namespace limpet::bench
