#include "store/keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace limpet;
using namespace limpet::store;

namespace {

bool before(const Key& a, const Key& b) {
  return std::ranges::lexicographical_compare(a.bytes(), b.bytes());
}

}  // namespace

TEST_CASE("keys: the order of bytes is the order of numbers") {
  CHECK(before(log_key(Sequence(255), 0), log_key(Sequence(256), 0)));
  CHECK(before(log_key(Sequence(7), 1), log_key(Sequence(8), 0)));
  CHECK(before(log_key(Sequence(7), 0), log_key(Sequence(7), 1)));
  const Lane lane{2, 0, 5};
  CHECK(before(ready_key({lane, 999, 5}), ready_key({lane, 1000, 1})));
  CHECK(before(ready_key({lane, 1000, 1}), ready_key({lane, 1000, 2})));
  CHECK(before(timer_key({10, TimerKind::step, RunId(9), Ordinal(1)}),
               timer_key({11, TimerKind::step, RunId(1), Ordinal(1)})));
}

TEST_CASE("keys: a higher priority comes first within a queue") {
  CHECK(before(lane_key({2, 0, 9}), lane_key({2, 0, 0})));
}

TEST_CASE("keys: the log is the last region") {
  const Key first_of_log = log_key(Sequence(0), 0);
  CHECK(before(hot_key(), first_of_log));
  CHECK(before(timer_key({~StoreMs{0}, TimerKind::run_deadline, RunId(~0ull), Ordinal(~0u)}),
               first_of_log));
  CHECK(before(run_state_key(RunId(~0ull), 0xffff), first_of_log));
}

TEST_CASE("keys: what is built is parsed back") {
  const auto log = parse_log_key(log_key(Sequence(1ull << 40), 3).bytes());
  REQUIRE(log);
  CHECK(log->sequence == Sequence(1ull << 40));
  CHECK(log->part == 3);

  const auto ready = parse_ready_key(ready_key({{2, 7, 9}, 1767225600000, 42}).bytes());
  REQUIRE(ready);
  CHECK(ready->lane == Lane{2, 7, 9});
  CHECK(ready->ready_at == 1767225600000);
  CHECK(ready->ticket == 42);

  const auto timer =
      parse_timer_key(timer_key({5, TimerKind::run_deadline, RunId(6), Ordinal(7)}).bytes());
  REQUIRE(timer);
  CHECK(timer->at == 5);
  CHECK(timer->kind == TimerKind::run_deadline);
  CHECK(timer->run == RunId(6));
  CHECK(timer->ordinal == Ordinal(7));

  const auto inbox = parse_inbox_key(inbox_key(RunId(3), Sequence(4)).bytes());
  REQUIRE(inbox);
  CHECK(inbox->run == RunId(3));
  CHECK(inbox->event == Sequence(4));

  const auto run = parse_run_key(run_key(RunId(3), Ordinal(4)).bytes());
  REQUIRE(run);
  CHECK(run->ordinal == Ordinal(4));
}

TEST_CASE("keys: a key of another region or size is not parsed") {
  CHECK_FALSE(parse_log_key(run_key(RunId(1), Ordinal(0)).bytes()));
  CHECK_FALSE(parse_ready_key(lane_key({1, 0, 5}).bytes()));
  CHECK_FALSE(parse_log_key({}));
  const Key unknown_kind = Key('t').u48(1).byte(9).u64(1).u32(1);
  CHECK_FALSE(parse_timer_key(unknown_kind.bytes()));
}

TEST_CASE("keys: an agent and a key never share a row with another pair") {
  const Key a = live_run_key("ab", "c");
  const Key b = live_run_key("a", "bc");
  CHECK_FALSE(std::ranges::equal(a.bytes(), b.bytes()));
}
