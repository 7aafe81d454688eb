// Every write and every sync of the store fails once: each in turn, alone, for good, or in half.
// What the disk then holds is the recorder's model of it, not the page cache: a page whose sync
// failed counts as clean in memory and never gets to the disk, so a second sync that "succeeds"
// says nothing about it. Elsewhere an error of the disk was a line in the log and the work went on
// (fluent-bit #9669), or ended in a panic (vector #8763).

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/crash/disk_model.hpp"
#include "tests/crash/fast_directory.hpp"
#include "tests/crash/mounts.hpp"
#include "tests/crash/recorded_life.hpp"
#include "tests/crash/seed.hpp"
#include "tests/crash/store_state.hpp"
#include "tests/crash/workload.hpp"

using namespace limpet::testing;

namespace {

constexpr uint64_t changes_of_life = 12;
constexpr uint64_t changes_after = 3;

// What the trace of one life says.
struct LifeStory {
  bool hit = false;  // a call was made to fail
  bool sync_failed = false;
  uint64_t syncs_after_failed_sync = 0;
  Promises promises;
};

void hear(const TraceRecord& marker, Promises& promises) {
  const auto number = static_cast<uint64_t>(marker.head.offset);
  const auto kind = static_cast<MarkerKind>(marker.head.handle);
  if (kind == MarkerKind::submitted) promises.submitted = number;
  if (kind == MarkerKind::acknowledged) promises.acknowledged = number;
}

// Plays records [first, end) on the disk.
LifeStory play(const Trace& trace, size_t first, size_t end, DiskModel& disk) {
  LifeStory story;
  std::set<uint32_t> notes;  // handles of the file of starts, which may be lost
  for (size_t index = first; index < end; ++index) {
    const TraceRecord& record = trace.records()[index];
    const bool failed = (record.head.flags & record_failed) != 0;
    if (record.head.kind == RecordKind::open && record.data.ends_with("LIMPET-STARTS")) {
      notes.insert(record.head.handle);
    }
    const bool matters =
        record.head.kind != RecordKind::marker && !notes.contains(record.head.handle);
    story.hit |= matters && (failed || record.head.kind == RecordKind::refused);
    if (record.head.kind == RecordKind::marker) hear(record, story.promises);
    if (matters && DiskModel::syncs(record)) {
      story.syncs_after_failed_sync += story.sync_failed ? 1 : 0;
      story.sync_failed |= failed;
    }
    REQUIRE(disk.begin(record));
    disk.finish(record);
  }
  return story;
}

class FailingDisk {
 public:
  FailingDisk(Chance& chance, std::string how) : chance_(chance), how_(std::move(how)) {}

  // Lives with the `number`th call failing, and once more without; then checks the disk.
  void live(uint64_t number, size_t window) {
    start_anew();
    const std::string failure = std::to_string(number) + ":" + how_;
    const ProgramResult first =
        live_recorded({live_, trace_, changes_of_life, window, false, failure});
    const size_t first_records = Trace(trace_).records().size();
    // The next start finds what the page cache says. The one after the power cut finds the disk.
    const ProgramResult second = live_recorded({live_, trace_, changes_after, 1, false, ""});
    CAPTURE(failure);
    CAPTURE(first.output);
    CAPTURE(second.output);
    CHECK(second.exit_code == 0);
    const Trace trace(trace_);
    for (const unsigned arriving : {0u, 1u, 2u}) {
      DiskModel disk(live_, {});
      disk.on_failed_sync(
          [&] { return arriving == 1 || (arriving == 2 && chance_.up_to(1) == 1); });
      const LifeStory before = play(trace, 0, first_records, disk);
      const LifeStory after = play(trace, first_records, trace.records().size(), disk);
      if (arriving == 0) check_end(static_cast<WorkloadEnd>(first.exit_code), before);
      CHECK(after.promises.acknowledged >= before.promises.acknowledged + changes_after);
      CHECK(after.promises.acknowledged <= before.promises.submitted + changes_after);
      check_disk(disk, after.promises);
      if (!before.sync_failed) break;
    }
  }

  // How many calls a life makes when none fails.
  uint64_t count_calls(size_t window) {
    start_anew();
    REQUIRE(live_recorded({live_, trace_, changes_of_life, window, false, ""}).exit_code == 0);
    const Trace trace(trace_);
    return static_cast<uint64_t>(
        std::ranges::count_if(trace.records(), [](const TraceRecord& record) {
          const RecordKind kind = record.head.kind;
          return kind == RecordKind::write || kind == RecordKind::resize ||
                 kind == RecordKind::allocate || kind == RecordKind::sync;
        }));
  }

  void print(uint64_t calls) const {
    std::printf(
        "disk errors, %s: %llu calls failed in turn; %llu opens refused, %llu stores "
        "closed\n",
        how_.c_str(), static_cast<unsigned long long>(calls),
        static_cast<unsigned long long>(refusals_), static_cast<unsigned long long>(closings_));
  }
  [[nodiscard]] uint64_t refusals() const { return refusals_; }
  [[nodiscard]] uint64_t closings() const { return closings_; }

 private:
  void start_anew() {
    std::filesystem::remove_all(live_);
    std::filesystem::remove(trace_);
    std::filesystem::create_directory(live_);
  }

  // An error stays: the store says so and takes nothing more. A short write may be made whole.
  void check_end(WorkloadEnd end, const LifeStory& story) {
    CHECK(story.syncs_after_failed_sync == 0);
    const bool ended_in_order =
        end == WorkloadEnd::done || end == WorkloadEnd::not_opened || end == WorkloadEnd::closed;
    CHECK(ended_in_order);
    if (end == WorkloadEnd::done) {
      CHECK(story.promises.acknowledged == changes_of_life);
      if (!how_.ends_with("half")) CHECK_FALSE(story.hit);
    }
    refusals_ += end == WorkloadEnd::not_opened ? 1 : 0;
    closings_ += end == WorkloadEnd::closed ? 1 : 0;
  }

  void check_disk(const DiskModel& disk, const Promises& promises) {
    const std::string directory = directory_.file("image");
    write_image(disk.image({}, {}), directory);
    CHECK(state_.check(directory, promises, changes_after) == "");
  }

  Chance& chance_;
  const std::string how_;
  FastDirectory directory_;
  const std::string live_ = directory_.file("live");
  const std::string trace_ = directory_.file("trace");
  StoreState state_;
  uint64_t refusals_ = 0;
  uint64_t closings_ = 0;
};

void fail_each_call(const char* how, size_t window) {
  Chance chance("store errors test");
  FailingDisk disk(chance, how);
  const uint64_t calls = disk.count_calls(window);
  for (uint64_t number = 1; number <= calls; ++number) disk.live(number, window);
  disk.print(calls);
  CHECK(disk.closings() > 5);
}

}  // namespace

TEST_CASE("store: an I/O error of any write or sync loses nothing acknowledged, then or later") {
  fail_each_call("5:once", 1);
}

TEST_CASE("store: a disk that fails for good loses nothing acknowledged") {
  fail_each_call("5:ever", 4);
}

TEST_CASE("store: no space at any write is an error like any other, and loses nothing") {
  fail_each_call("28:once", 4);
}

TEST_CASE("store: a write of half its bytes is not taken for whole") {
  fail_each_call("5:half", 1);
}

TEST_CASE("store: on a disk that cannot be reserved, no space closes it and loses nothing") {
  // Without fallocate a full disk is met in a commit.
  const MemoryDisk small(uint64_t{400} << 10);
  if (!small.mounted()) {
    MESSAGE("skipped: " << small.why_not());
    return;
  }
  const FastDirectory outside;
  const std::string live = small.file("data");
  std::filesystem::create_directory(live);
  const RecordedLife life{live, outside.file("trace"), 1000, 4, false, "0:95:allocate"};
  const ProgramResult ended = live_recorded(life);
  CAPTURE(ended.output);
  CHECK(static_cast<WorkloadEnd>(ended.exit_code) == WorkloadEnd::closed);
  Promises promises;
  const Trace trace(life.trace);
  for (const TraceRecord& record : trace.records()) {
    if (record.head.kind == RecordKind::marker) hear(record, promises);
  }
  CHECK(promises.acknowledged > 10);
  REQUIRE(small.resize(uint64_t{16} << 20));
  StoreState state;
  CHECK(state.check(live, promises, changes_after) == "");
}
