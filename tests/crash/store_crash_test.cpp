// The store, killed. A child appends and reports what was acknowledged through a pipe; it is killed
// after a random number of reports, or kills itself at a named point; then the store is opened and
// compared with the reports.

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "codec/cbor_value.hpp"
#include "store/store.hpp"
#include "tests/crash/seed.hpp"
#include "tests/support/quiet_logger.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace limpet;
using limpet::testing::Chance;

namespace {

constexpr unsigned kills = 140;
constexpr size_t outstanding_max = 8;
constexpr uint32_t events_in_change_max = 3;
constexpr std::array<const char*, 5> points{nullptr, "store.before_commit", "store.between_changes",
                                            "store.after_commit", "store.before_answer"};

store::OpenOptions options_in(const std::string& directory) {
  return {directory + "/data", uint64_t{16} << 20, true, "", Epoch(42)};
}

// What the event of that sequence holds; some take several rows of the store.
ByteVector data_of(Sequence sequence) {
  const uint64_t number = sequence.value();
  const size_t size = number % 41 == 0 ? 5000 : 20 + number % 200;
  ByteVector bytes(size, static_cast<uint8_t>(number * 7));
  return codec::cbor_item(codec::CborScalar(bytes));
}

// Beside the events each change writes the sequence of its last one here: together or not at all.
store::Key witness_key() { return store::run_key(RunId(1), Ordinal(0)); }

// The child's whole life. It leaves by being killed, or by _exit with a code that says where.
class Appending {
 public:
  Appending(const std::string& directory, int pipe, uint32_t seed) : pipe_(pipe), engine_(seed) {
    auto opened = store::Store::open(options_in(directory), {clock_, logger_, nullptr, Duration{}});
    if (!opened.ok()) _exit(10);
    store_ = std::move(opened).value();
  }

  [[noreturn]] void run() {
    while (true) {
      while (outstanding_ < outstanding_max) submit_change();
      store_->deliver();
      if (outstanding_ == outstanding_max) store_->drain();
    }
  }

 private:
  void submit_change() {
    store::Change change = store_->begin();
    Sequence last;
    const uint32_t count = 1 + static_cast<uint32_t>(engine_() % events_in_change_max);
    for (uint32_t index = 0; index < count; ++index) {
      const ByteVector data = data_of(change.hot().next_sequence);
      EventView event;
      event.type = "crash.item";
      event.source = "limpet/test";
      event.data = data;
      const Result<Sequence> sequence = change.append(event);
      if (!sequence.ok()) _exit(11);
      last = *sequence;
    }
    const std::string witness = std::to_string(last.value());
    change.put(witness_key(), as_bytes(witness));
    change.on_done([this, last](const Result<void>& result) {
      if (!result.ok()) _exit(12);
      --outstanding_;
      const uint64_t value = last.value();
      if (write(pipe_, &value, sizeof value) != sizeof value) _exit(13);
    });
    if (!store_->submit(std::move(change)).ok()) _exit(14);
    ++outstanding_;
  }

  const int pipe_;
  std::minstd_rand engine_;
  platform::SystemClock clock_;
  testing::QuietLogger logger_;
  size_t outstanding_ = 0;
  std::unique_ptr<store::Store> store_;
};

struct Life {
  pid_t pid = -1;
  int reports = -1;
};

Life start_life(const std::string& directory, const std::string& point, uint32_t seed) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  Life life{fork(), ends[0]};
  REQUIRE(life.pid >= 0);
  if (life.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    if (!point.empty()) setenv("LIMPET_CRASH_POINT", point.c_str(), 1);
    Appending(directory, ends[1], seed).run();
  }
  close(ends[1]);
  return life;
}

// Kills the child after so many reports, reads what it still had to say, and answers the last
// acknowledged sequence; 0: none. `died_alone` says that a named point came first.
struct End {
  uint64_t acknowledged = 0;
  bool was_killed = false;
};
End end_life(const Life& life, uint32_t reports_wanted) {
  End end;
  uint32_t reports = 0;
  if (reports_wanted == 0) kill(life.pid, SIGKILL);
  uint64_t value = 0;
  while (read(life.reports, &value, sizeof value) == sizeof value) {
    end.acknowledged = value;
    if (++reports == reports_wanted) kill(life.pid, SIGKILL);
  }
  close(life.reports);
  int status = 0;
  REQUIRE(waitpid(life.pid, &status, 0) == life.pid);
  end.was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (!end.was_killed) MESSAGE("the child left by itself with status " << status);
  return end;
}

// Opens the store as the next start would, and checks everything in it.
uint64_t check_store(const std::string& directory) {
  platform::SystemClock clock;
  testing::QuietLogger logger;
  auto opened = store::Store::open(options_in(directory), {clock, logger, nullptr, Duration{}});
  if (!opened.ok()) FAIL("the store does not open: " << to_string(opened.error()));
  store::Store& store = **opened;
  const auto snapshot = store.reader().snapshot();
  REQUIRE(snapshot.ok());
  uint64_t count = 0;
  uint64_t wrong = 0;
  Sequence next(1);
  while (true) {
    const auto read = snapshot->events(next, 1000, [&](const EventView& event) {
      ++count;
      const ByteVector expected = data_of(Sequence(count));
      if (event.sequence != Sequence(count) || !std::ranges::equal(event.data, expected)) ++wrong;
      return true;
    });
    REQUIRE(read.ok());
    CHECK(read->corrupt == 0);
    if (read->visited == 0) break;
    next = read->next;
  }
  CHECK(wrong == 0);
  CHECK(store.newest().next_sequence == Sequence(count + 1));
  CHECK(store.newest().events == count);
  const auto witness = snapshot->get(witness_key());
  REQUIRE(witness.ok());
  CHECK((witness->has_value() ? std::string(as_text(**witness)) : "0") == std::to_string(count));
  return count;
}

}  // namespace

TEST_CASE(
    "store: kill -9 at any instant loses nothing acknowledged, repeats and reorders nothing") {
  Chance chance("store crash test");
  const testing::TemporaryDirectory directory;
  uint64_t before = 0;
  const unsigned wanted = testing::kills_wanted(kills);
  unsigned killed = 0;
  for (unsigned life = 0; life < wanted; ++life) {
    const char* name = points[life % points.size()];
    std::string point;
    if (name != nullptr) point = std::string(name) + ":" + std::to_string(1 + chance.up_to(9));
    CAPTURE(life);
    CAPTURE(point);
    // The first lives end while the store is being made.
    const uint32_t reports = life < 10 ? chance.up_to(2) : 1 + chance.up_to(40);
    const End end = end_life(start_life(directory.path(), point, chance.up_to(1u << 30)), reports);
    CHECK(end.was_killed);
    killed += end.was_killed ? 1 : 0;
    const uint64_t kept = check_store(directory.path());
    // Everything reported is there; so is everything that was there before.
    REQUIRE(kept >= end.acknowledged);
    REQUIRE(kept >= before);
    before = kept;
  }
  std::printf("store crash test: %u kills, %llu events kept\n", killed,
              static_cast<unsigned long long>(before));
  CHECK(killed == wanted);
  CHECK(before > wanted);
}
