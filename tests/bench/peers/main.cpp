// limpet-bench-peers: what others reach with the same cycle, on the same disk, in the same run.
// Each system is measured once a run, one after the other, so that a busy minute meets all of them.

#include <array>
#include <cstdio>
#include <map>

#include "tests/bench/appender.hpp"
#include "tests/bench/cycle.hpp"
#include "tests/bench/isolated.hpp"
#include "tests/bench/peers/peer_cycle.hpp"
#include "tests/bench/peers/sqlite_rows.hpp"
#include "tests/bench/peers/table.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

const std::vector<PeerEntry>& peers() {
  static const std::vector<PeerEntry> all{
      {"redis_streams", "full: appendfsync always", make_redis},
      {"rabbitmq_quorum", "full: puts; acks are not answered", make_rabbitmq},
      {"beanstalkd", "full: -f0", make_beanstalkd},
      {"nats_jetstream", "NONE: synced every 2 minutes", make_nats}};
  return all;
}

namespace {

constexpr uint64_t cycles_default = 20000;
constexpr uint64_t log_events = 100000;

const Program program{
    "usage: limpet-bench-peers [options]\n"
    "\n"
    "The queue's cycle and the log of Redis, RabbitMQ, beanstalkd, NATS and SQLite beside "
    "Limpet's.\n"
    "Servers are started on free ports of this machine, with data in --dir, and stopped again.\n"
    "--events is the number of cycles (default 20000).\n",
    {"peers"}};

// What a table has one row of.
struct Result {
  std::string system;
  std::string sync;
  std::vector<Figures> runs;
};

// The results of one table, in the order of their first runs.
class Results {
 public:
  void add(const std::string& system, const std::string& sync, Figures figures) {
    for (Result& result : results_) {
      if (result.system == system) return result.runs.push_back(std::move(figures));
    }
    results_.push_back({system, sync, {std::move(figures)}});
  }
  [[nodiscard]] std::vector<Result>& all() { return results_; }
  [[nodiscard]] const Result* find(const std::string& system) const {
    for (const Result& result : results_) {
      if (result.system == system) return &result;
    }
    return nullptr;
  }

 private:
  std::vector<Result> results_;
};

double median(const Result& result, const char* name) {
  std::vector<double> values;
  for (const Figures& run : result.runs) values.push_back(figure(run, name));
  return spread_of(values).median;
}

std::string spread(const Result& result, const char* name) {
  std::vector<double> values;
  for (const Figures& run : result.runs) values.push_back(figure(run, name));
  const Spread all = spread_of(values);
  return show_number(all.median) + " (" + show_number(all.min) + " to " + show_number(all.max) +
         ")";
}

class PeersRun {
 public:
  PeersRun(const Options& options, const std::string& directory)
      : options_(options),
        directory_(directory),
        cycles_(options.events != 0 ? options.events : cycles_default) {}

  void measure() {
    for (const CycleSubjectEntry& subject : cycle_subjects()) measure_subject(subject);
    measure_subject({"sqlite_minimal", "full: WAL, synchronous=FULL", make_sqlite_cycle, false});
    measure_log();
    for (const PeerEntry& entry : peers()) measure_peer(entry);
  }

  void print() {
    Report report(options_.json);
    for (auto& [prefetch, results] : cycles_by_prefetch_) {
      const char* base = add_ratios(results);
      if (options_.json) {
        report_json(report, results, "peers_cycle", prefetch);
      } else {
        print_cycles(results, prefetch, base);
      }
    }
    if (options_.json) {
      report_json(report, log_, "peers_log", 0);
    } else {
      print_log();
    }
    for (const auto& [system, reason] : skipped_) {
      std::fprintf(stderr, "skipped %s: %s\n", system.c_str(), reason.c_str());
    }
    std::fprintf(stderr, "systems skipped: %zu\n", skipped_.size());
  }

 private:
  void measure_subject(const CycleSubjectEntry& subject) {
    for (const unsigned prefetch : options_.prefetches) {
      const CycleWork work{directory_, cycles_,         options_.workers,
                           prefetch,   options_.window, options_.payload};
      cycles_by_prefetch_[prefetch].add(subject.name, std::string(subject.sync) + ", in process",
                                        measure_cycle(subject, work));
    }
  }

  // Limpet's own log, from the same functions as the verbs append and replay.
  void measure_log() {
    Figures figures = run_isolated([&] {
      const Figures append = measure_append(options_, log_events, directory_, make_store_appender);
      const Figures replay = measure_replay(options_, log_events, directory_);
      return Figures{{"append_per_s", "1/s", figure(append, "events_per_s")},
                     {"replay_per_s", "1/s", figure(replay, "events_per_s")}};
    });
    log_.add("limpet_store", "full, in process", std::move(figures));
  }

  void measure_peer(const PeerEntry& entry) {
    if (skipped_.contains(entry.name)) return;
    const Scratch scratch(directory_);
    const std::unique_ptr<Peer> peer = entry.make();
    const std::string reason = peer->start(scratch.path());
    if (!reason.empty()) {
      skipped_[entry.name] = reason;
      return;
    }
    PeerWork work{cycles_, options_.workers, 0, options_.window, options_.payload};
    for (const unsigned prefetch : options_.prefetches) {
      work.prefetch = prefetch;
      add(cycles_by_prefetch_[prefetch], entry,
          [&] { return measure_peer_cycle(*peer, work, directory_); });
    }
    work.count = log_events;
    add(log_, entry, [&] { return measure_peer_log(*peer, work); });
  }

  void add(Results& results, const PeerEntry& entry, const std::function<Figures()>& work) {
    if (skipped_.contains(entry.name)) return;
    const std::optional<Figures> figures = Isolated(work).try_wait();
    if (!figures) {
      skipped_[entry.name] = "its measurement failed, see above";
    } else if (!figures->empty()) {
      results.add(entry.name, entry.sync, *figures);
    }
  }

  // Each run against the same run of Limpet, or of the limit as long as there is no Limpet.
  static const char* add_ratios(Results& results) {
    const char* base =
        results.find(limpet_subject) != nullptr ? limpet_subject : "raw_lmdb_same_writes";
    const std::vector<Figures> bases = results.find(base)->runs;
    for (Result& result : results.all()) {
      for (size_t run = 0; run < result.runs.size(); ++run) {
        const double ratio =
            figure(result.runs[run], "cycles_per_s") / figure(bases[run], "cycles_per_s");
        result.runs[run].push_back({std::string("ratio_to_") + base, "1", ratio});
      }
    }
    return base;
  }

  void report_json(Report& report, Results& results, const char* workload, unsigned prefetch) {
    for (const Result& result : results.all()) {
      Params params{{"system", "\"" + result.system + "\""},
                    {"sync", "\"" + result.sync + "\""},
                    {"window", std::to_string(options_.window)},
                    {"payload", std::to_string(options_.payload)}};
      if (prefetch != 0) {
        params.emplace_back("prefetch", std::to_string(prefetch));
        params.emplace_back("workers", std::to_string(options_.workers));
      }
      report.add(workload, params, result.runs);
    }
  }

  void print_cycles(Results& results, unsigned prefetch, const char* base) const {
    std::printf("\nDurable cycle, %u B, window %u, %u consumers, prefetch %u; medians of %u\n",
                options_.payload, options_.window, options_.workers, prefetch, options_.runs);
    Table table({"system", "synced before an answer", "cycles/s", std::string("to ") + base,
                 "CPU s per 1000", "bytes a cycle", "of the disk", "peak MiB", "enqueue alone p50",
                 "p99 us"});
    const std::string ratio = std::string("ratio_to_") + base;
    for (const Result& result : results.all()) {
      table.add({result.system, result.sync, spread(result, "cycles_per_s"),
                 show_number(median(result, ratio.c_str())),
                 show_number(median(result, "cpu_per_1000_cycles")),
                 show_number(median(result, "written_per_cycle")),
                 show_number(median(result, "device_per_cycle")),
                 show_number(median(result, "memory_peak")),
                 show_number(median(result, "enqueue_alone_p50")),
                 show_number(median(result, "enqueue_alone_p99"))});
    }
    table.print();
  }

  void print_log() {
    std::printf("\nLog, %u B, window %u\n", options_.payload, options_.window);
    Table table({"system", "synced before an answer", "append/s", "replay/s"});
    for (const Result& result : log_.all()) {
      table.add({result.system, result.sync, spread(result, "append_per_s"),
                 spread(result, "replay_per_s")});
    }
    table.print();
  }

  const Options& options_;
  const std::string directory_;
  const uint64_t cycles_;
  std::map<unsigned, Results> cycles_by_prefetch_;
  Results log_;
  std::map<std::string, std::string> skipped_;  // and why
};

}  // namespace

}  // namespace limpet::bench

int main(int argc, char** argv) {
  using namespace limpet::bench;
  const Options options = parse_options(argc, argv, program);
  const Scratch scratch(options.directory);
  PeersRun run(options, scratch.path());
  for (unsigned count = 0; count < options.runs; ++count) run.measure();
  run.print();
  return 0;
}
