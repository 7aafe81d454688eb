#include "tests/bench/measure.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/bench/allocations.hpp"

namespace limpet::bench {

namespace {

uint64_t to_ns(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u +
         static_cast<uint64_t>(time.tv_usec) * 1000u;
}

struct Written {
  uint64_t given = 0;
  uint64_t dirtied = 0;
};
Written written_bytes() {
  std::ifstream file("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  Written written;
  while (file >> name >> value) {
    if (name == "wchar:") written.given = value;
    if (name == "write_bytes:") written.dirtied = value;
  }
  return written;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 2], values.front(), values.back()};
}

double figure(const Figures& figures, const std::string& name) {
  const auto found = std::ranges::find(figures, name, &Figure::name);
  if (found == figures.end()) fail("no figure " + name);
  return found->value;
}

uint64_t percentile(std::vector<uint64_t>& samples, double part) {
  std::ranges::sort(samples);
  const auto index = static_cast<size_t>(part * static_cast<double>(samples.size()));
  return samples[std::min(index, samples.size() - 1)];
}

Usage usage_now() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  // The allocations of reading /proc are left out by counting first.
  const uint64_t allocations = allocation_count();
  const Written written = written_bytes();
  return {monotonic_ns(), to_ns(used.ru_utime) + to_ns(used.ru_stime), written.given,
          written.dirtied, allocations};
}

Usage operator-(const Usage& after, const Usage& before) {
  return {after.wall_ns - before.wall_ns, after.cpu_ns - before.cpu_ns,
          after.written_bytes - before.written_bytes, after.dirtied_bytes - before.dirtied_bytes,
          after.allocations - before.allocations};
}

double lmdb_written(const Usage& used, uint64_t commits) {
  constexpr uint64_t page_bytes = 4096;
  return static_cast<double>(used.written_bytes + commits * page_bytes);
}

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

void fail(const std::string& reason) {
  std::fprintf(stderr, "limpet-bench: %s\n", reason.c_str());
  std::exit(1);
}

}  // namespace limpet::bench
