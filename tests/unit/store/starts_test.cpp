#include "store/starts.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.hpp"

using namespace limpet;
using namespace limpet::store;
using namespace limpet::testing;

namespace {

constexpr uint64_t minute = 60 * 1000;

Start start(uint32_t boot, uint64_t boot_ms, StartPhase phase) {
  return {boot, boot_ms, 1000000 + boot_ms, phase};
}

// A life that begins, and ends as a killed process does: nothing of it runs at its end.
void live_and_die(const std::string& directory, const Start& begun, Logger& logger) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Starts starts(directory, begun, logger);
    if (begun.phase == StartPhase::open) starts.opened(begun.store_ms);
    _exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

}  // namespace

TEST_CASE("starts: what is written is read, and a damaged line ends it") {
  const std::vector<Start> starts = {start(0xabcdef01, 5000, StartPhase::open),
                                     {0, 0, 0, StartPhase::opening, true},
                                     start(7, 9, StartPhase::opening)};
  const std::string text = encode_starts(starts);
  CHECK(text.size() == 512);
  CHECK(parse_starts(text) == starts);
  CHECK(parse_starts(text.substr(0, text.size() / 2)) == starts);
  std::string damaged = text;
  damaged[damaged.find("opening")] = 'x';
  CHECK(parse_starts(damaged).size() == 1);
  CHECK(parse_starts("").empty());
  CHECK(parse_starts(std::string(512, '\xff')).empty());
}

TEST_CASE("starts: the file stays one sector whatever the numbers are") {
  const Start large{UINT32_MAX, UINT64_MAX, UINT64_MAX, StartPhase::opening, true};
  const std::vector<Start> many(20, large);
  CHECK(encode_starts(many).size() == 512);
  CHECK(parse_starts(encode_starts(many)).size() == starts_kept_max);
}

TEST_CASE("starts: two early crashes in a row ask for a walk, power cuts and old ones do not") {
  const Start now = start(1, 10 * minute, StartPhase::opening);
  const auto open_at = [](uint64_t boot_ms) { return start(1, boot_ms, StartPhase::open); };
  CHECK_FALSE(walk_due({}, now));
  CHECK_FALSE(walk_due({open_at(9 * minute)}, now));
  CHECK(walk_due({open_at(8 * minute), open_at(9 * minute)}, now));
  // Both died while the store was opening, whatever took the power.
  CHECK(walk_due({start(3, 1, StartPhase::opening), start(2, 1, StartPhase::opening)}, now));
  // The first lived for long.
  const Start later = start(1, 40 * minute, StartPhase::opening);
  CHECK_FALSE(walk_due({open_at(8 * minute), open_at(39 * minute)}, later));
  // A power cut ended the last one.
  CHECK_FALSE(walk_due({start(2, 1, StartPhase::open), start(2, 2, StartPhase::open)}, now));
  // LMDB found it corrupt.
  CHECK(walk_due({start(2, 1, StartPhase::corrupt)}, now));
  // The file was walked at the last start, and was whole.
  Start walked = open_at(9 * minute);
  walked.walked = true;
  CHECK_FALSE(walk_due({open_at(8 * minute), walked}, now));
}

TEST_CASE("starts: unclean ends of the last ten minutes are counted by the store's time") {
  const std::vector<Start> found = {start(1, 0, StartPhase::open),
                                    start(1, 5 * minute, StartPhase::open),
                                    start(2, 9 * minute, StartPhase::opening)};
  CHECK(count_recent(found, 1000000 + 9 * minute) == 3);
  CHECK(count_recent(found, 1000000 + 11 * minute) == 2);
  CHECK(count_recent(found, 1000000 + 60 * minute) == 0);
}

TEST_CASE("starts: a kill leaves a line, a clean close takes all of them away") {
  const TemporaryDirectory directory;
  QuietLogger logger;
  live_and_die(directory.path(), start(1, 1, StartPhase::open), logger);
  live_and_die(directory.path(), start(1, 2, StartPhase::opening), logger);
  {
    Starts refused(directory.path(), start(1, 3, StartPhase::opening), logger);
    CHECK(refused.walk_due());
    CHECK(refused.unclean_recent(1000000) == 2);
    // Ends in order without having opened: not a crash, and no absolution either.
  }
  {
    Starts starts(directory.path(), start(1, 4, StartPhase::opening), logger);
    CHECK(starts.unclean_recent(1000000) == 2);
    starts.opened(1000004);
    starts.closed();
  }
  {
    Starts starts(directory.path(), start(1, 4, StartPhase::opening), logger);
    starts.opened(1000004);
    starts.corrupt();
  }
  {
    Starts next(directory.path(), start(1, 5, StartPhase::opening), logger);
    CHECK(next.walk_due());
    next.closed();
  }
  const Starts clean(directory.path(), start(1, 5, StartPhase::opening), logger);
  CHECK(clean.unclean_recent(1000000) == 0);
  CHECK(logger.lines().empty());
}

TEST_CASE("store: says how many of the last starts were unclean") {
  StoreFixture fixture;
  fixture.open();
  CHECK(fixture.store->unclean_starts() == 0);
  fixture.store.reset();
  const uint64_t now_ms = fixture.clock.wall().ns / 1000000;
  for (uint64_t index = 0; index < 3; ++index) {
    live_and_die(fixture.options.directory, {1, 0, now_ms + index, StartPhase::open},
                 fixture.logger);
  }
  fixture.open();
  CHECK(fixture.store->unclean_starts() == 3);
  fixture.open();
  CHECK(fixture.store->unclean_starts() == 0);
}
