#include "tests/bench/cycle.hpp"

#include <unistd.h>

#include <algorithm>

#include "tests/bench/isolated.hpp"
#include "tests/bench/process_usage.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

namespace {

constexpr uint64_t cycles_default = 20000;
constexpr uint64_t latency_samples_max = 2000;
constexpr uint64_t latency_ns_max = 1000000000;

class CycleRun {
 public:
  CycleRun(CycleSubject& subject, const CycleWork& work, uint64_t cycles)
      : subject_(subject),
        work_(work),
        payload_(work.payload, 0x5a),
        held_(work.workers),
        cycles_(cycles) {}

  // Until every task is enqueued, leased and acknowledged.
  uint64_t run() {
    while (acked_ < cycles_) {
      if (!step()) subject_.wait();
    }
    return acked_;
  }

  // One at a time, with nobody to take it: what a single caller waits for.
  std::vector<uint64_t> enqueue_alone() {
    std::vector<uint64_t> took;
    const uint64_t end_ns = monotonic_ns() + latency_ns_max;
    while (took.size() < std::min(work_.cycles, latency_samples_max) && monotonic_ns() < end_ns) {
      const uint64_t start = monotonic_ns();
      enqueue();
      while (enqueued_ > answered_) subject_.wait();
      took.push_back(monotonic_ns() - start);
    }
    cycles_ = enqueued_;
    return took;
  }

 private:
  void enqueue() {
    ++enqueued_;
    subject_.enqueue(payload_, [this] { ++answered_; });
  }

  // Everything that can be done without waiting; false: nothing was.
  bool step() {
    bool moved = false;
    for (; enqueued_ < cycles_ && enqueued_ - answered_ < work_.window; moved = true) enqueue();
    for (unsigned& held : held_) {
      if (held == work_.prefetch) continue;
      tasks_.clear();
      subject_.lease(work_.prefetch - held, tasks_);
      for (const CycleTask& task : tasks_) {
        ++held;
        subject_.ack(task, [this, counter = &held] {
          --*counter;
          ++acked_;
        });
      }
      moved |= !tasks_.empty();
    }
    return moved;
  }

  CycleSubject& subject_;
  const CycleWork& work_;
  const ByteVector payload_;
  std::vector<unsigned> held_;  // by worker
  std::vector<CycleTask> tasks_;
  uint64_t cycles_;
  uint64_t enqueued_ = 0;
  uint64_t answered_ = 0;
  uint64_t acked_ = 0;
};

Figures run_cycles(CycleSubject& subject, const CycleWork& work, bool on_lmdb) {
  CycleRun alone(subject, work, 0);
  std::vector<uint64_t> took = alone.enqueue_alone();
  // What it left is taken away: that maps pages, grows buffers, and tells the pace.
  const uint64_t start_ns = monotonic_ns();
  const uint64_t left = alone.run();
  const uint64_t cycles_max = cycles_in_time(left, monotonic_ns() - start_ns);
  const uint64_t commits_before = subject.commits();
  const uint64_t device_before = device_written_bytes(work.directory);
  CycleRun cycles(subject, work, std::min(work.cycles, cycles_max));
  const Usage before = usage_now();
  const auto count = static_cast<double>(cycles.run());
  const Usage used = usage_now() - before;
  const uint64_t device = device_written_bytes(work.directory) - device_before;
  const uint64_t commits = subject.commits() - commits_before;
  const double written =
      on_lmdb ? lmdb_written(used, commits) : static_cast<double>(used.dirtied_bytes);
  const auto peak = static_cast<double>(process_usage(getpid()).memory_peak_bytes);
  return {{"cycles_per_s", "1/s", count * 1e9 / static_cast<double>(used.wall_ns)},
          {"enqueue_alone_p50", "us", static_cast<double>(percentile(took, 0.5)) / 1e3},
          {"enqueue_alone_p99", "us", static_cast<double>(percentile(took, 0.99)) / 1e3},
          {"cpu_per_1000_cycles", "s", static_cast<double>(used.cpu_ns) / 1e6 / count},
          {"written_per_cycle", "B", written / count},
          {"device_per_cycle", "B", static_cast<double>(device) / count},
          {"memory_peak", "MiB", peak / (1024 * 1024)},
          {"cycles_per_commit", "1", count / static_cast<double>(commits)},
          {"allocations_per_cycle", "1", static_cast<double>(used.allocations) / count}};
}

void add_ratio(Figures& figures, const char* name, const std::vector<Figures>& others) {
  if (others.empty()) return;
  const double other = figure(others.back(), "cycles_per_s");
  figures.push_back({name, "1", figure(figures, "cycles_per_s") / other});
}

void run_prefetch(const CycleWork& work, const Options& options, Report& report) {
  const std::vector<CycleSubjectEntry>& subjects = cycle_subjects();
  std::vector<std::vector<Figures>> results(subjects.size());
  for (unsigned run = 0; run < options.runs; ++run) {
    for (size_t index = 0; index < subjects.size(); ++index) {
      results[index].push_back(measure_cycle(subjects[index], work));
      if (subjects[index].name != std::string(limpet_subject)) continue;
      add_ratio(results[index].back(), "ratio_minimal", results[0]);
      add_ratio(results[index].back(), "ratio_same_writes", results[1]);
    }
  }
  for (size_t index = 0; index < subjects.size(); ++index) {
    report.add("cycle",
               {{"what", "\"" + std::string(subjects[index].name) + "\""},
                {"sync", "\"" + std::string(subjects[index].sync) + "\""},
                {"workers", std::to_string(work.workers)},
                {"prefetch", std::to_string(work.prefetch)},
                {"window", std::to_string(work.window)},
                {"payload", std::to_string(work.payload)},
                {"cycles_max", std::to_string(work.cycles)}},
               results[index]);
  }
}

}  // namespace

const std::vector<CycleSubjectEntry>& cycle_subjects() {
  static const std::vector<CycleSubjectEntry> subjects{
      {"raw_lmdb_minimal", "full", make_minimal_cycle},
      {"raw_lmdb_same_writes", "full", make_same_writes_cycle},
      {limpet_subject, "full", make_limpet_cycle},
  };
  return subjects;
}

uint64_t cycles_in_time(uint64_t count, uint64_t took_ns) {
  constexpr double wanted_ns = 4e9;
  constexpr uint64_t cycles_min = 64;
  const double pace =
      static_cast<double>(count) / static_cast<double>(std::max<uint64_t>(took_ns, 1));
  return std::max(cycles_min, static_cast<uint64_t>(pace * wanted_ns));
}

Figures measure_cycle(const CycleSubjectEntry& subject, const CycleWork& work) {
  const Scratch scratch(work.directory);
  const uint64_t max_bytes =
      (uint64_t{64} << 20) + 3 * (work.cycles + latency_samples_max) * (work.payload + 256);
  return run_isolated([&] {
    const auto queue = subject.make({scratch.path(), max_bytes, work.payload, work.window});
    return run_cycles(*queue, work, subject.on_lmdb);
  });
}

void run_cycle(const Options& options, const std::string& directory, Report& report) {
  CycleWork work;
  work.directory = directory;
  work.cycles = options.events != 0 ? options.events : cycles_default;
  work.workers = options.workers;
  work.window = options.window;
  work.payload = options.payload;
  for (const unsigned prefetch : options.prefetches) {
    work.prefetch = prefetch;
    run_prefetch(work, options, report);
  }
}

}  // namespace limpet::bench
