// The wall clock, moved by people, by time servers and by boards that wake up in 1970: years back
// and years forward, while the store is open and across its ends. Time in the store never goes back
// and never stands still, so what is due comes due.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "store/store.hpp"
#include "tests/crash/fast_directory.hpp"
#include "tests/crash/seed.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/quiet_logger.hpp"

using namespace limpet;
using namespace limpet::testing;
using store::StoreMs;

namespace {

constexpr uint64_t year_ms = uint64_t{365} * 24 * 3600 * 1000;

constexpr WallTime year(uint64_t number) { return WallTime{(number - 1970) * year_ms * 1000000}; }

// A machine: its clock begins anew at each of its starts, its store does not.
class Board {
 public:
  explicit Board(const std::string& directory)
      : options_{directory, uint64_t{1} << 20, true, "", Epoch(1)} {}

  void start(WallTime wall) {
    store_.reset();
    clock_ = std::make_unique<ManualClock>();
    clock_->set_wall(wall);
    auto opened = store::Store::open(options_, {*clock_, logger_, nullptr, Duration{}});
    REQUIRE(opened.ok());
    store_ = std::move(opened).value();
  }
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] ManualClock& clock() { return *clock_; }

  // A timer so far ahead, by the store's time; when it is due.
  StoreMs set_timer(uint64_t delay_ms) {
    store::Change change = store_->begin();
    const StoreMs at = store_->now_ms() + delay_ms;
    change.put(store::timer_key({at, store::TimerKind::step, RunId(++timers_), Ordinal(1)}), {});
    commit(std::move(change));
    return at;
  }
  void commit(store::Change change) {
    bool done = false;
    change.on_done([&done](const Result<void>& result) { done = result.ok(); });
    REQUIRE(store_->submit(std::move(change)).ok());
    store_->drain();
    REQUIRE(done);
  }
  // The first timer, as whoever fires timers finds it.
  [[nodiscard]] std::optional<StoreMs> next_timer() {
    const auto snapshot = store_->reader().snapshot();
    REQUIRE(snapshot.ok());
    std::optional<StoreMs> next;
    const store::Key prefix = store::timer_prefix();
    REQUIRE(snapshot
                ->scan(prefix, prefix,
                       [&](ByteSpan key, ByteSpan) {
                         if (const auto place = store::parse_timer_key(key)) next = place->at;
                         return false;
                       })
                .ok());
    return next;
  }

 private:
  const store::OpenOptions options_;
  QuietLogger logger_;
  uint64_t timers_ = 0;
  std::unique_ptr<ManualClock> clock_;  // outlives the store
  std::unique_ptr<store::Store> store_;
};

}  // namespace

TEST_CASE("store: whatever the wall clock does, its time never goes back nor stands still") {
  Chance chance("store clock test");
  constexpr std::array<uint64_t, 6> years{1970, 1999, 2026, 2027, 2038, 2110};
  for (unsigned life = 0; life < kills_wanted(5); ++life) {
    const FastDirectory directory;
    Board board(directory.file("data"));
    board.start(year(years[chance.up_to(5)]));
    StoreMs last = board.store().now_ms();
    for (int step = 0; step < 100; ++step) {
      switch (chance.up_to(3)) {
        case 0: board.clock().set_wall(year(years[chance.up_to(5)])); break;
        case 1: {
          const int64_t passed_ms = chance.up_to(100000);
          board.clock().advance(milliseconds(passed_ms));
          CHECK(board.store().now_ms() >= last + static_cast<uint64_t>(passed_ms));
          break;
        }
        case 2: static_cast<void>(board.set_timer(chance.up_to(1000))); break;
        default:
          board.commit(board.store().begin());  // what was not written may be forgotten
          last = board.store().now_ms();
          board.start(year(years[chance.up_to(5)]));
      }
      const StoreMs now = board.store().now_ms();
      CHECK(now >= last);
      last = now;
    }
  }
}

TEST_CASE("store: a timer set before the clock went back by years still comes due in its time") {
  const FastDirectory directory;
  Board board(directory.file("data"));
  board.start(year(2026));
  const StoreMs due = board.set_timer(60000);
  board.clock().set_wall(year(1999));
  CHECK(board.store().now_ms() < due);
  board.clock().advance(seconds(59));
  CHECK(board.store().now_ms() < due);
  board.clock().advance(seconds(1));
  CHECK(board.store().now_ms() >= due);
  CHECK(board.next_timer() == due);
}

TEST_CASE("store: a board that starts in 1970 each time goes on from its last stored time") {
  const FastDirectory directory;
  Board board(directory.file("data"));
  board.start(year(2026));
  StoreMs due = board.set_timer(60000);
  for (int start = 0; start < 5; ++start) {
    board.start(year(1970));
    const StoreMs now = board.store().now_ms();
    CHECK(now >= year(2026).ns / 1000000);
    CHECK(now < due);
    board.clock().advance(seconds(10));
    board.commit(board.store().begin());
  }
  board.clock().advance(seconds(10));
  CHECK(board.store().now_ms() >= due);
}

TEST_CASE("store: a clock that jumps ahead by years makes timers due, and they stay due after it") {
  const FastDirectory directory;
  Board board(directory.file("data"));
  board.start(year(1970));
  const StoreMs due = board.set_timer(3600000);
  board.clock().set_wall(year(2026));  // the time server has answered
  CHECK(board.store().now_ms() >= due);
  const StoreMs later = board.set_timer(1000);
  board.clock().set_wall(year(1999));
  CHECK(board.store().now_ms() >= due);
  board.clock().advance(seconds(2));
  CHECK(board.store().now_ms() >= later);
  CHECK(board.next_timer() == due);
}
