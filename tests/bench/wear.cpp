// wear: what a few events a second cost a flash. A commit writes whole pages and syncs them, so a
// lone event costs 70 times its size; waiting a little for company (linger) is what helps.
//
// Days = capacity * P/E cycles / (write amplification * bytes a day): the usual reckoning with the
// TBW of JEDEC's JESD218. 8 GB and 3,000 cycles are a common MLC part. The amplification inside the
// device is taken as 1, so the days are an upper bound: divide them by what the maker states for
// small random writes, often 3 to 10. The file system's journal is not in the process's bytes
// either.

#include <cstdio>

#include "tests/bench/isolated.hpp"
#include "tests/bench/open_store.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

namespace {

constexpr double device_bytes = 8e9;
constexpr double device_cycles = 3000;
constexpr uint64_t max_bytes = uint64_t{32} << 20;

struct Setting {
  unsigned events_per_s;
  unsigned linger_ms;
};
constexpr Setting settings[] = {{1, 0},     {1, 50},  {1, 1000}, {10, 0},    {10, 50},
                                {10, 1000}, {100, 0}, {100, 50}, {100, 1000}};

// Real time: linger and the pace of events are what is measured.
Figures watch(const Options& options, const Setting& setting, const std::string& directory) {
  const Scratch scratch(directory);
  OpenStore opened(scratch.path() + "/data", max_bytes, milliseconds(setting.linger_ms));
  const SampleEvent event(options.payload);
  const uint64_t count = uint64_t{setting.events_per_s} * options.seconds;
  const auto period = std::chrono::nanoseconds(std::chrono::seconds(1)) / setting.events_per_s;
  uint64_t answered = 0;
  const uint64_t commits_before = opened.store().info().writer.commits;
  const Usage before = usage_now();
  auto next = std::chrono::steady_clock::now();
  for (uint64_t given = 0; given < count; ++given) {
    opened.append(event, [&answered] { ++answered; });
    next += period;
    while (std::chrono::steady_clock::now() < next) {
      opened.answers().wait_until(next);
      opened.store().deliver();
    }
  }
  opened.store().drain();
  if (answered != count) fail("wear: events without an answer");
  const uint64_t commits = opened.store().info().writer.commits - commits_before;
  const double bytes_per_event =
      lmdb_written(usage_now() - before, commits) / static_cast<double>(count);
  const double bytes_per_day = bytes_per_event * setting.events_per_s * 86400;
  return {{"written_per_event", "B", bytes_per_event},
          {"written_per_day", "GB", bytes_per_day / 1e9},
          {"days_8gb_3000_cycles", "d", device_bytes * device_cycles / bytes_per_day}};
}

void print_table(const std::vector<std::vector<Figures>>& results) {
  std::printf("\n%10s %10s %16s %12s %22s\n", "events/s", "linger ms", "bytes an event", "GB a day",
              "days of 8 GB x 3,000");
  for (size_t index = 0; index < results.size(); ++index) {
    const auto median = [&](const char* name) {
      std::vector<double> values;
      for (const Figures& run : results[index]) values.push_back(figure(run, name));
      return spread_of(values).median;
    };
    std::printf("%10u %10u %16.0f %12.3f %22.0f\n", settings[index].events_per_s,
                settings[index].linger_ms, median("written_per_event"), median("written_per_day"),
                median("days_8gb_3000_cycles"));
  }
}

}  // namespace

// All settings at once: each has a store and a process of its own, and all of them mostly wait.
void run_wear(const Options& options, const std::string& directory, Report& report) {
  std::vector<std::vector<Figures>> results(std::size(settings));
  for (unsigned run = 0; run < options.runs; ++run) {
    std::vector<std::unique_ptr<Isolated>> children;
    for (const Setting& setting : settings) {
      children.push_back(
          std::make_unique<Isolated>([&] { return watch(options, setting, directory); }));
    }
    for (size_t index = 0; index < children.size(); ++index) {
      results[index].push_back(children[index]->wait());
    }
  }
  for (size_t index = 0; index < results.size(); ++index) {
    report.add("wear",
               {{"events_per_s", std::to_string(settings[index].events_per_s)},
                {"linger_ms", std::to_string(settings[index].linger_ms)},
                {"seconds", std::to_string(options.seconds)},
                {"payload", std::to_string(options.payload)}},
               results[index]);
  }
  if (!options.json) print_table(results);
}

}  // namespace limpet::bench
