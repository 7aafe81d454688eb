// append: events through the store, a window of them on their way, each answered when it is on
// disk. Beside it, in turn with it, raw LMDB: the same keys, bytes, sync and hand-over between
// threads.

#include <algorithm>

#include "tests/bench/appender.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

namespace {

constexpr uint64_t events_default = 200000;
constexpr uint64_t wall_ns_max = 2000000000;  // a run ends then: flushes take 0.1 ms here, 20 there

// Keeps the window full until all events are answered, or time is up.
Figures drive(Appender& appender, const Options& options, uint64_t events) {
  std::vector<uint64_t> began(options.window);
  std::vector<uint64_t> took;
  took.reserve(static_cast<size_t>(events));
  const Usage before = usage_now();
  uint64_t submitted = 0;
  while (took.size() < events) {
    if (monotonic_ns() - before.wall_ns > wall_ns_max) events = submitted;
    if (took.size() == events) break;
    while (submitted < events && submitted - took.size() < options.window) {
      began[static_cast<size_t>(submitted % options.window)] = monotonic_ns();
      appender.submit();
      ++submitted;
    }
    const size_t answered = appender.wait_answers();
    const uint64_t now = monotonic_ns();
    for (size_t index = 0; index < answered; ++index) {
      took.push_back(now - began[took.size() % options.window]);
    }
  }
  const Usage used = usage_now() - before;
  const auto count = static_cast<double>(took.size());
  return {{"events_per_s", "1/s", count * 1e9 / static_cast<double>(used.wall_ns)},
          {"latency_p50", "us", static_cast<double>(percentile(took, 0.5)) / 1e3},
          {"latency_p99", "us", static_cast<double>(percentile(took, 0.99)) / 1e3},
          {"latency_p999", "us", static_cast<double>(percentile(took, 0.999)) / 1e3},
          {"cpu_per_event", "us", static_cast<double>(used.cpu_ns) / 1e3 / count},
          {"written_per_event", "B", lmdb_written(used, appender.commits()) / count},
          {"allocations_per_event", "1", static_cast<double>(used.allocations) / count},
          {"events_per_commit", "1", count / static_cast<double>(appender.commits())}};
}

}  // namespace

Figures measure_append(const Options& options, uint64_t events, const std::string& directory,
                       std::unique_ptr<Appender> (*make)(const AppenderOptions&)) {
  const Scratch scratch(directory);
  const uint64_t max_bytes = (uint64_t{64} << 20) + 2 * events * (options.payload + 160);
  const std::unique_ptr<Appender> appender =
      make({scratch.path(), max_bytes, options.payload, options.window});
  // The first rounds map pages and grow buffers: what comes after them is what lasts.
  static_cast<void>(drive(*appender, options, std::max<uint64_t>(options.window * 4, 256)));
  appender->reset_commits();
  return drive(*appender, options, events);
}

void run_append(const Options& options, const std::string& directory, Report& report) {
  const uint64_t events = options.events != 0 ? options.events : events_default;
  std::vector<Figures> ours;
  std::vector<Figures> raws;
  for (unsigned run = 0; run < options.runs; ++run) {
    raws.push_back(measure_append(options, events, directory, make_raw_appender));
    ours.push_back(measure_append(options, events, directory, make_store_appender));
    ours.back().push_back(
        {"ratio_same_writes", "1",
         figure(ours.back(), "events_per_s") / figure(raws.back(), "events_per_s")});
  }
  Params params{{"what", "\"raw_lmdb_same_writes\""},
                {"window", std::to_string(options.window)},
                {"payload", std::to_string(options.payload)},
                {"events_max", std::to_string(events)},
                {"sync", "\"full\""}};
  report.add("append", params, raws);
  params.front().second = "\"store\"";
  report.add("append", params, ours);
}

}  // namespace limpet::bench
