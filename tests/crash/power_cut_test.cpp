// The power cut, on a real file system: ext4 in a file is stopped so that neither its journal nor
// the page cache gets to the disk any more, while a child appends or stands still; then it is
// mounted again, replays its journal, and the store is opened. Here brokers that sync now and then
// have lost everything they had acknowledged (nanomq #2432 loses what was in memory likewise).

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/crash/mounts.hpp"
#include "tests/crash/recorder/format.hpp"
#include "tests/crash/seed.hpp"
#include "tests/crash/store_state.hpp"
#include "tests/crash/workload.hpp"

using namespace limpet::testing;

namespace {

constexpr unsigned cuts = 20;
constexpr uint64_t disk_bytes = uint64_t{64} << 20;
constexpr uint64_t changes_max = 1000000;  // a life ends by being cut
constexpr size_t window = 8;

struct Report {
  MarkerKind kind;
  uint64_t number;
};

struct Life {
  pid_t pid = -1;
  int reports = -1;
};

struct LifePlan {
  std::string directory;
  uint64_t stop_after = 0;  // acknowledgements; then it stands still with its store open; 0: never
  bool acknowledge_early = false;
};

// A child that appends until it is killed.
[[noreturn]] void append_for_ever(const LifePlan& plan, int pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  uint64_t acknowledged = 0;
  const auto tell = [&](MarkerKind kind, uint64_t number) {
    const Report report{kind, number};
    if (write(pipe, &report, sizeof report) != sizeof report) _exit(13);
    if (kind == MarkerKind::acknowledged && ++acknowledged == plan.stop_after) {
      while (true) pause();
    }
  };
  const WorkloadEnd end = run_workload(
      {plan.directory, changes_max, plan.stop_after == 0 ? window : 1, plan.acknowledge_early},
      {[&](uint64_t number) { tell(MarkerKind::submitted, number); },
       [&](uint64_t number) { tell(MarkerKind::acknowledged, number); }});
  _exit(static_cast<int>(end));
}

Life start_life(const LifePlan& plan) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Life life{fork(), ends[0]};
  REQUIRE(life.pid >= 0);
  if (life.pid == 0) {
    close(ends[0]);
    append_for_ever(plan, ends[1]);
  }
  close(ends[1]);
  return life;
}

bool hear(const Life& life, Promises& promises) {
  Report report{};
  if (read(life.reports, &report, sizeof report) != sizeof report) return false;
  if (report.kind == MarkerKind::submitted) promises.submitted = report.number;
  if (report.kind == MarkerKind::acknowledged) promises.acknowledged = report.number;
  return true;
}

// Cuts the power after so many acknowledgements, and hears what the child still said: all of it was
// promised, for the child cannot know.
bool cut_life(const LoopDisk& disk, const Life& life, uint64_t acknowledgements,
              Promises& promises) {
  for (uint64_t seen = 0; seen < acknowledgements;) {
    const uint64_t before = promises.acknowledged;
    if (!hear(life, promises)) break;
    seen += promises.acknowledged > before ? 1 : 0;
  }
  const bool was_cut = disk.cut_power();
  kill(life.pid, SIGKILL);
  while (hear(life, promises)) {
  }
  close(life.reports);
  int status = 0;
  REQUIRE(waitpid(life.pid, &status, 0) == life.pid);
  const bool in_order = WIFSIGNALED(status) ||
                        WEXITSTATUS(status) == static_cast<int>(WorkloadEnd::closed) ||
                        WEXITSTATUS(status) == static_cast<int>(WorkloadEnd::not_opened);
  CHECK(in_order);
  return was_cut;
}

}  // namespace

TEST_CASE("store: ext4 stopped without a flush, at work or idle, loses nothing acknowledged") {
  LoopDisk disk(disk_bytes);
  if (!disk.mounted()) {
    MESSAGE("skipped: " << disk.why_not());
    return;
  }
  Chance chance("power cut test");
  StoreState state;
  uint64_t kept = 0;
  uint64_t idle = 0;
  const unsigned wanted = kills_wanted(cuts);
  for (unsigned cut = 0; cut < wanted; ++cut) {
    CAPTURE(cut);
    const std::string directory = disk.file("data");
    const bool is_new = cut % 5 == 0;
    const bool is_idle = cut % 5 == 2;
    if (is_new) {
      std::filesystem::remove_all(directory);
      disk.flush();  // otherwise the cut brings the old one back
      kept = 0;
    }
    Promises promises{kept, kept};
    const uint64_t wait = is_new ? chance.up_to(2) : 1 + chance.up_to(60);
    const Life life = start_life({directory, is_idle ? wait : 0, false});
    if (!cut_life(disk, life, wait, promises)) {
      MESSAGE("skipped: this kernel's ext4 cannot be stopped");
      return;
    }
    idle += is_idle ? 1 : 0;
    REQUIRE_MESSAGE(disk.start_again(), disk.why_not());
    uint64_t found = 0;
    REQUIRE(state.check(directory, promises, 3, &found) == "");
    kept = found + 3;
  }
  std::printf("power cut test: %u cuts, %llu of them idle; %llu changes in the last store\n",
              wanted, static_cast<unsigned long long>(idle), static_cast<unsigned long long>(kept));
}

TEST_CASE("power cut test: a store that acknowledged before its sync would be caught") {
  LoopDisk disk(disk_bytes);
  if (!disk.mounted()) {
    MESSAGE("skipped: " << disk.why_not());
    return;
  }
  StoreState state;
  std::string wrong;
  for (unsigned cut = 0; cut < cuts && wrong.empty(); ++cut) {
    const std::string directory = disk.file("data-" + std::to_string(cut));
    Promises promises;
    if (!cut_life(disk, start_life({directory, 0, true}), 5, promises)) {
      MESSAGE("skipped: this kernel's ext4 cannot be stopped");
      return;
    }
    REQUIRE_MESSAGE(disk.start_again(), disk.why_not());
    wrong = state.check(directory, promises);
  }
  CHECK(wrong.starts_with("lost: "));
}
