// limits: what this disk and LMDB can do without us. Everything else is read beside it.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "platform/files.hpp"
#include "store/keys.hpp"
#include "tests/bench/raw_lmdb.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

namespace {

constexpr std::array<unsigned, 5> batches{1, 16, 64, 256, 1024};
// What ends a measurement: flushes take 0.1 ms here and 20 ms there.
constexpr uint64_t commits_max = 2000;
constexpr uint64_t wall_ns_max = 700000000;
constexpr uint64_t records_default = 100000;

struct Work {
  uint64_t commits;
  unsigned batch;
  ByteVector record;
  [[nodiscard]] uint64_t records() const { return commits * batch; }
};

Work make_work(const Options& options, unsigned batch) {
  const uint64_t records = options.events != 0 ? options.events : records_default;
  Work work{std::clamp<uint64_t>(records / batch, 1, commits_max), batch, {}};
  work.record.assign(options.payload, 0x5a);
  return work;
}

// Decides which bytes are exact: see Usage.
enum class File : uint8_t { lmdb, appended };

// Times `commit(n)` for each of the work's commits, as many as time allows.
template <class Commit>
Figures measure_commits(const Work& work, File file, Commit commit) {
  std::vector<uint64_t> took;
  took.reserve(static_cast<size_t>(work.commits));
  const Usage before = usage_now();
  uint64_t start = before.wall_ns;
  while (took.size() < work.commits && start - before.wall_ns < wall_ns_max) {
    commit(took.size());
    const uint64_t now = monotonic_ns();
    took.push_back(now - start);
    start = now;
  }
  const Usage used = usage_now() - before;
  const auto records = static_cast<double>(took.size() * work.batch);
  const double written = file == File::lmdb ? lmdb_written(used, took.size())
                                            : static_cast<double>(used.dirtied_bytes);
  return {{"records_per_s", "1/s", records * 1e9 / static_cast<double>(used.wall_ns)},
          {"commit_p50", "us", static_cast<double>(percentile(took, 0.5)) / 1e3},
          {"commit_p99", "us", static_cast<double>(percentile(took, 0.99)) / 1e3},
          {"written_per_record", "B", written / records}};
}

Figures measure_file(const Work& work, const std::string& directory) {
  const Scratch scratch(directory);
  const platform::OwnedDescriptor file(
      open((scratch.path() + "/raw.log").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0640));
  if (!file) fail("cannot write in " + scratch.path());
  ByteVector block;
  for (unsigned index = 0; index < work.batch; ++index) {
    block.insert(block.end(), work.record.begin(), work.record.end());
  }
  return measure_commits(work, File::appended, [&](uint64_t) {
    const ssize_t count = write(file.get(), block.data(), block.size());
    if (count != static_cast<ssize_t>(block.size())) fail("short write");
    if (fdatasync(file.get()) != 0) fail("fdatasync failed");
  });
}

uint64_t map_bytes_for(const Work& work) {
  return (uint64_t{64} << 20) + 2 * work.records() * (work.record.size() + 64);
}

void append_batch(RawLmdb& raw, const Work& work, uint64_t index) {
  raw.begin();
  for (unsigned record = 0; record < work.batch; ++record) {
    const Sequence sequence(index * work.batch + record + 1);
    raw.append(store::log_key(sequence, 0).bytes(), work.record);
  }
  raw.commit();
}

Figures measure_lmdb(const Work& work, const std::string& directory, Sync sync) {
  const Scratch scratch(directory);
  RawLmdb raw(scratch.path(), map_bytes_for(work), sync);
  return measure_commits(work, File::lmdb, [&](uint64_t index) { append_batch(raw, work, index); });
}

Figures measure_scan(const Options& options, const std::string& directory) {
  const Scratch scratch(directory);
  Work work = make_work(options, batches.back());
  RawLmdb raw(scratch.path(), map_bytes_for(work), Sync::full);
  for (uint64_t index = 0; index < work.commits; ++index) append_batch(raw, work, index);
  uint64_t sum = 0;
  const auto visit = [&sum](ByteSpan value) { sum += value[0]; };
  raw.scan(visit);  // the first one maps the pages
  const uint64_t start = monotonic_ns();
  const uint64_t rows = raw.scan(visit);
  const auto took = static_cast<double>(monotonic_ns() - start);
  if (rows != work.records() || sum == 0) fail("the scan missed rows");
  return {{"records_per_s", "1/s", static_cast<double>(rows) * 1e9 / took}};
}

template <class Measure>
void repeat(const Options& options, Report& report, const Params& params, Measure measure) {
  std::vector<Figures> runs;
  for (unsigned run = 0; run < options.runs; ++run) runs.push_back(measure());
  report.add("limits", params, runs);
}

Params params_of(const Options& options, unsigned batch, const char* what) {
  return {{"what", "\"" + std::string(what) + "\""},
          {"batch", std::to_string(batch)},
          {"payload", std::to_string(options.payload)}};
}

}  // namespace

void run_limits(const Options& options, const std::string& directory, Report& report) {
  for (const unsigned batch : batches) {
    const Work work = make_work(options, batch);
    repeat(options, report, params_of(options, batch, "append_fdatasync"),
           [&] { return measure_file(work, directory); });
    repeat(options, report, params_of(options, batch, "lmdb_full_sync"),
           [&] { return measure_lmdb(work, directory, Sync::full); });
    repeat(options, report, params_of(options, batch, "lmdb_deferred_meta"),
           [&] { return measure_lmdb(work, directory, Sync::deferred_meta); });
  }
  repeat(options, report, params_of(options, batches.back(), "lmdb_scan"),
         [&] { return measure_scan(options, directory); });
}

}  // namespace limpet::bench
