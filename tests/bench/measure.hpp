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
  uint64_t cpu_ns = 0;  // user and system, all threads
  // Both from /proc/self/io; 0 where unknown. What was given to write calls: see lmdb_written.
  uint64_t written_bytes = 0;
  // Pages made dirty: what a file that is appended to costs its device.
  uint64_t dirtied_bytes = 0;
  uint64_t allocations = 0;  // calls of operator new, all threads
};
[[nodiscard]] Usage usage_now();
[[nodiscard]] Usage operator-(const Usage& after, const Usage& before);

// What `commits` of LMDB cost the device: the pages, which all go through write calls, and for
// each commit the page of which LMDB writes only the part that is the meta record. Pages made dirty
// are no measure here: since Linux 6.16 the page cache has large folios and counts up to 1 MiB for
// a page of 4 KiB, of which the device gets 4 KiB.
[[nodiscard]] double lmdb_written(const Usage& used, uint64_t commits);

// CLOCK_MONOTONIC.
[[nodiscard]] uint64_t monotonic_ns();

// A benchmark that cannot go on says why and ends the program: there is nobody to recover for.
[[noreturn]] void fail(const std::string& reason);

}  // namespace limpet::bench
