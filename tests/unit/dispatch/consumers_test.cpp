#include "dispatch/consumers.hpp"

#include <doctest/doctest.h>

#include "dispatch/consumer_filter.hpp"
#include "dispatch/find_time.hpp"
#include "tests/unit/dispatch/consumers_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using limpet::testing::ConsumersFixture;

TEST_CASE("consumers: events come once and in order, and again only when ack_wait is over") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 3);
  f.make();
  CHECK(f.fetch(2) == "1 2");
  CHECK(f.fetch() == "3");
  CHECK(f.fetch().empty());
  REQUIRE(f.ack({2}).ok());
  f.clock.advance(seconds(30));
  f.append("a.one");
  CHECK(f.fetch() == "!1 !3 4");
  REQUIRE(f.ack({}, 3).ok());
  CHECK(f.stats().cursor == Sequence(4));
  CHECK(f.stats().pending == 1);
  CHECK(f.stats().redelivered == 2);
}

TEST_CASE("consumers: each further time waits twice as long, up to backoff_max") {
  ConsumersFixture f;
  f.begin();
  f.append("a.one");
  f.make([](ConsumerSettings& settings) {
    settings.ack_wait = seconds(10);
    settings.backoff_max = seconds(35);
  });
  CHECK(f.fetch() == "1");
  for (const int64_t wait : {10, 20, 35, 35}) {
    f.clock.advance(seconds(wait) + nanoseconds(-1));
    CHECK(f.fetch().empty());
    REQUIRE(f.last.next_due);
    CHECK(*f.last.next_due - f.clock.boot() == nanoseconds(1));
    f.clock.advance(nanoseconds(1));
    CHECK(f.fetch() == "!1");
  }
}

TEST_CASE("consumers: what was acknowledged never comes again after a restart, the rest does") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 6);
  f.make();
  CHECK(f.fetch(5) == "1 2 3 4 5");
  REQUIRE(f.ack({1, 3, 5}).ok());
  f.begin();
  CHECK(f.stats().cursor == Sequence(2));
  CHECK(f.fetch() == "!2 !4 6");
  REQUIRE(f.ack({2, 4, 6}).ok());
  f.begin();
  CHECK(f.fetch().empty());
  CHECK(f.stats().lag == 0);
}

TEST_CASE("consumers: an acknowledgement of what an earlier process gave is taken and holds") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 5);
  f.make();
  CHECK(f.fetch(4) == "1 2 3 4");  // nothing of this is stored
  f.begin();
  REQUIRE(f.ack({3}).ok());
  CHECK(f.fetch() == "!1 !2 4 5");
  f.begin();
  CHECK(f.fetch() == "!1 !2 4 5");
}

TEST_CASE("consumers: what was never given cannot be acknowledged") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 5);
  f.make([](ConsumerSettings& settings) { settings.in_flight_max = 2; });
  CHECK(f.ack({9}).error().code == ErrorCode::conflict);
  CHECK(f.ack({4}).error().code == ErrorCode::conflict);  // three were never in flight at once
  CHECK(f.fetch() == "!1 !2");
  CHECK(f.ack({1, 2}).ok());
  CHECK(f.ack({1}).ok());  // once more is no error
  CHECK(f.fetch() == "3 4");
}

TEST_CASE("consumers: at most in_flight_max are out, and an acknowledgement makes room") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 10);
  f.make([](ConsumerSettings& settings) { settings.in_flight_max = 3; });
  CHECK(f.fetch() == "1 2 3");
  CHECK(f.fetch().empty());
  REQUIRE(f.ack({2}).ok());
  CHECK(f.fetch() == "4");
  CHECK(f.fetch().empty());
}

TEST_CASE("consumers: a visitor that does not take an event finds it again") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 2);
  f.make();
  const auto refuse = [](const EventView&, uint32_t) { return false; };
  CHECK(f.consumers->fetch("c", {10, f.clock.boot()}, refuse)->given == 0);
  CHECK(f.fetch() == "1 2");
  f.clock.advance(seconds(30));
  CHECK(f.consumers->fetch("c", {10, f.clock.boot()}, refuse)->given == 0);
  CHECK(f.fetch() == "!1 !2");
}

TEST_CASE("consumers: a nack gives it again at its time, before what is new") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 3);
  f.make();
  CHECK(f.fetch(2) == "1 2");
  const std::vector<Sequence> one{Sequence(1)};
  REQUIRE(f.consumers->nack("c", one, f.clock.boot() + seconds(5)).ok());
  CHECK(f.fetch() == "3");
  f.clock.advance(seconds(5));
  CHECK(f.fetch() == "!1");
}

TEST_CASE("consumers: the filter is type, subject and run; what it leaves out is no lag") {
  ConsumersFixture f;
  f.begin();
  f.append_at("sensor.a", WallTime{1}, "line1/x");
  f.append_at("sensor.b", WallTime{2}, "line2/x");
  f.append_at("other", WallTime{3}, "line1/y");
  f.append_at("sensor.c", WallTime{4}, "line1/z");
  f.append_at("other", WallTime{5}, "line1/y");
  f.make([](ConsumerSettings& settings) {
    settings.type_pattern = "sensor.*";
    settings.subject_pattern = "line1/*";
  });
  CHECK(f.stats().lag == 5);
  CHECK(f.fetch() == "1 4");
  CHECK(f.stats().lag == 2);
  REQUIRE(f.ack({1, 4}).ok());
  CHECK(f.stats().lag == 0);
  CHECK(f.stats().cursor == Sequence(6));
  CHECK(subject_matches("line1/x", "line1/x"));
  CHECK_FALSE(subject_matches("line1/x", "line1/xy"));
  CHECK_FALSE(subject_matches("line1/*", "line2/x"));
}

TEST_CASE("consumers: a moved position is written after a while without an acknowledgement") {
  ConsumersFixture f;
  f.begin();
  f.append_many("other", 5);
  f.make([](ConsumerSettings& settings) { settings.type_pattern = "sensor.*"; });
  CHECK(f.fetch().empty());
  REQUIRE(f.consumers->write_due(f.clock.boot()));
  store::Change change = f.store->begin();
  CHECK_FALSE(f.consumers->write_moved(change, f.clock.boot()));
  f.clock.advance(seconds(30));
  CHECK(f.consumers->write_moved(change, f.clock.boot()));
  REQUIRE(f.store->submit(std::move(change)).ok());
  f.consumers->kept_moved();
  f.store->drain();
  CHECK_FALSE(f.consumers->write_due(f.clock.boot()));
  f.begin();
  CHECK(f.stats().cursor == Sequence(6));
}

TEST_CASE(
    "consumers: without acknowledgements giving moves the position; a second repeats at most") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 3);
  f.make([](ConsumerSettings& settings) { settings.ack = AckMode::none; });
  CHECK(f.fetch() == "1 2 3");
  CHECK(f.ack({1}).error().code == ErrorCode::invalid);
  f.begin();
  CHECK(f.fetch(2) == "1 2");
  REQUIRE(f.consumers->write_due(f.clock.boot()));
  CHECK(*f.consumers->write_due(f.clock.boot()) == f.clock.boot() + seconds(1));
  store::Change change = f.store->begin();
  CHECK(f.consumers->write_all(change));
  REQUIRE(f.store->submit(std::move(change)).ok());
  f.consumers->kept_moved();
  f.store->drain();
  f.begin();
  CHECK(f.fetch() == "3");
}

TEST_CASE("consumers: a thousand unwritten events are due at once") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 1000);
  f.make([](ConsumerSettings& settings) { settings.ack = AckMode::none; });
  f.fetch(1000);
  CHECK(*f.consumers->write_due(f.clock.boot()) == f.clock.boot());
}

TEST_CASE("consumers: they begin at all, new, last, a sequence or a time") {
  ConsumersFixture f;
  f.begin();
  const WallTime noon = f.clock.wall();
  for (int minute = 0; minute < 20; ++minute) {
    f.append_at(minute == 12 ? "mark" : "tick", noon + seconds(60 * minute));
  }
  const auto first = [&](auto change) {
    f.make(change);
    f.append_at("tick", noon + seconds(7200));
    const std::string seen = f.fetch(1);
    REQUIRE(f.apply(f.consumers->drop("c")).ok());
    return seen;
  };
  CHECK(first([](ConsumerSettings&) {}) == "1");
  CHECK(first([](ConsumerSettings& s) { s.start = StartAt::fresh; }) == "22");
  CHECK(first([](ConsumerSettings& s) { s.start = StartAt::last; }) == "22");
  CHECK(first([](ConsumerSettings& s) {
          s.start = StartAt::last;
          s.type_pattern = "mark";
        }) == "13");
  CHECK(first([](ConsumerSettings& s) {
          s.start = StartAt::sequence;
          s.start_sequence = Sequence(7);
        }) == "7");
  for (const int minute : {0, 1, 12, 19}) {
    CHECK(first([&](ConsumerSettings& s) {
            s.start = StartAt::time;
            s.start_time = noon + seconds(60 * minute);
          }) == std::to_string(minute + 1));
  }
  CHECK(first([&](ConsumerSettings& s) {
          s.start = StartAt::time;
          s.start_time = noon + seconds(60 * 4 + 1);
        }) == "6");
}

TEST_CASE("consumers: at the original pace events keep their distances, divided by the speed") {
  ConsumersFixture f;
  f.begin();
  const WallTime noon = f.clock.wall();
  for (const int64_t second : {0, 10, 12, 11, 20}) f.append_at("tick", noon + seconds(second));
  f.make([](ConsumerSettings& settings) {
    settings.pace = Pace::original;
    settings.speed_percent = 200;
  });
  CHECK(f.fetch() == "1");
  REQUIRE(f.last.next_due);
  CHECK(*f.last.next_due == f.clock.boot() + seconds(5));
  f.clock.advance(seconds(5));
  CHECK(f.fetch() == "2");
  f.clock.advance(seconds(1));
  CHECK(f.fetch() == "3 4");  // a clock that ran back is no time at all
  f.clock.advance(milliseconds(4499));
  CHECK(f.fetch().empty());
  f.clock.advance(milliseconds(1));
  CHECK(f.fetch() == "5");
}

TEST_CASE(
    "consumers: a trimmed part of the log is told as a gap, which is acknowledged like events") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 10);
  f.make();
  f.trim(1, 5);
  f.trim(7, 9);
  CHECK(f.fetch() == "[1,5) 5 6 [7,9) 9 10");
  CHECK(f.stats().skipped == 6);
  REQUIRE(f.ack({5, 6, 8, 9, 10}).ok());
  CHECK(f.stats().cursor == Sequence(1));
  f.begin();
  CHECK(f.fetch() == "![1,5)");
  REQUIRE(f.ack({4}).ok());
  f.begin();
  CHECK(f.fetch().empty());
  CHECK(f.stats().cursor == Sequence(11));
}

TEST_CASE("consumers: what is trimmed while it is outstanding comes again as a gap") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 2);
  f.make();
  CHECK(f.fetch() == "1 2");
  f.trim(1, 2);
  f.clock.advance(seconds(30));
  CHECK(f.fetch() == "![1,2) !2");
}

TEST_CASE("consumers: a gap at the end of the log is told too, and without acknowledgements") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 4);
  f.make([](ConsumerSettings& settings) { settings.ack = AckMode::none; });
  CHECK(f.fetch(1) == "1");
  f.trim(1, 5);
  CHECK(f.fetch() == "[2,5)");
  CHECK(f.fetch().empty());
}

TEST_CASE("consumers: a damaged record is told as a gap") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 3);
  f.make();
  f.damage(2);
  CHECK(f.fetch() == "1 [2,3) 3");
  f.damage(3);
  f.clock.advance(seconds(30));
  CHECK(f.fetch() == "!1 ![2,3) ![3,4)");
}

TEST_CASE("consumers: what is gone of classes that it does not want is no gap; damage always is") {
  ConsumersFixture f;
  f.classes = {{0, {}}, {3, {"sensor.#"}}};
  f.begin();
  for (int round = 0; round < 3; ++round) {
    f.append("sensor.a");
    f.append("incident.b");
  }
  f.make([](ConsumerSettings& settings) { settings.type_pattern = "incident.*"; });
  f.trim(1, 2, 3);
  f.trim(3, 4, 3);
  CHECK(f.fetch() == "2 4 6");
  f.append("sensor.a");
  f.damage(7);
  CHECK(f.fetch() == "[7,8)");
}

TEST_CASE(
    "consumers: the floor is the first event that somebody may want and has not acknowledged") {
  ConsumersFixture f;
  f.begin();
  const std::vector<std::string> sensors{"sensor.#"};
  const std::vector<std::string> any;
  CHECK_FALSE(f.consumers->floor(any));
  f.append_many("incident.b", 4);
  f.make([](ConsumerSettings& settings) { settings.type_pattern = "incident.*"; });
  CHECK_FALSE(f.consumers->floor(sensors));
  CHECK(*f.consumers->floor(any) == Sequence(1));
  CHECK(f.fetch() == "1 2 3 4");
  CHECK(*f.consumers->floor(any) == Sequence(1));
  REQUIRE(f.ack({1, 2, 4}).ok());
  CHECK(*f.consumers->floor(any) == Sequence(3));
  CHECK(*f.consumers->floor_of(3) == Sequence(3));
}

TEST_CASE("consumers: pause and seek hold across a restart") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 5);
  f.make();
  CHECK(f.fetch(2) == "1 2");
  REQUIRE(f.apply(f.consumers->pause("c", true)).ok());
  f.clock.advance(seconds(60));
  CHECK(f.fetch().empty());
  f.begin();
  CHECK(f.fetch().empty());
  REQUIRE(f.apply(f.consumers->pause("c", false)).ok());
  CHECK(f.fetch(3) == "!1 !2 3");
  REQUIRE(f.apply(f.consumers->seek("c", Sequence(4))).ok());
  f.begin();
  CHECK(f.fetch() == "4 5");
  REQUIRE(f.apply(f.consumers->seek("c", Sequence(99))).ok());
  f.append("a.one");
  CHECK(f.fetch() == "6");
}

TEST_CASE("consumers: the same settings again change nothing, others are refused") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 2);
  f.make();
  CHECK(f.fetch(1) == "1");
  f.make();
  CHECK(f.fetch(1) == "2");
  ConsumerSettings other;
  other.name = "c";
  other.in_flight_max = 7;
  CHECK(f.apply(f.consumers->make(other)).error().code == ErrorCode::conflict);
  REQUIRE(f.apply(f.consumers->drop("c")).ok());
  CHECK(f.apply(f.consumers->drop("c")).error().code == ErrorCode::not_found);
  CHECK(f.apply(f.consumers->make(other)).ok());
  f.begin();
  CHECK(f.consumers->count() == 1);
  CHECK(f.consumers->find("c")->settings() == other);
}

TEST_CASE("consumers: names, patterns and numbers are checked, and there are at most 64") {
  ConsumersFixture f;
  f.begin();
  ConsumerSettings settings;
  for (const char* name : {"", "a b", "a/b", "\xc3\xa4"}) {
    settings.name = name;
    CHECK(f.apply(f.consumers->make(settings)).error().code == ErrorCode::invalid);
  }
  settings.name = "c";
  settings.type_pattern = "a..b";
  CHECK(fault_of(settings));
  settings.type_pattern.clear();
  settings.in_flight_max = 0;
  CHECK(fault_of(settings));
  settings.in_flight_max = consumer_in_flight_limit;
  CHECK_FALSE(fault_of(settings));
  settings.speed_percent = 0;
  CHECK(fault_of(settings));
  settings.speed_percent = 100;
  for (size_t number = 0; number < consumers_max; ++number) {
    settings.name = "c" + std::to_string(number);
    REQUIRE(f.apply(f.consumers->make(settings)).ok());
  }
  settings.name = "one.too.many";
  CHECK(f.apply(f.consumers->make(settings)).error().code == ErrorCode::full);
}

TEST_CASE("consumers: a change that is refused leaves no trace in memory") {
  ConsumersFixture f;
  f.begin();
  f.append("a.one");
  f.make();
  CHECK(f.fetch() == "1");
  {
    const std::vector<Sequence> one{Sequence(1)};
    const Result<Edit> edit = f.consumers->ack("c", one, Sequence());
    REQUIRE(edit.ok());
    store::Change change = f.store->begin();
    f.consumers->write(change, *edit);  // and dropped
  }
  f.clock.advance(seconds(30));
  CHECK(f.fetch() == "!1");
}

TEST_CASE("consumers: one that lags does not keep another from what is new") {
  ConsumersFixture f;
  f.begin();
  f.append_many("a.one", 5000);
  f.make([](ConsumerSettings& settings) { settings.in_flight_max = 1; });
  f.make([](ConsumerSettings& settings) {
    settings.name = "live";
    settings.start = StartAt::fresh;
  });
  CHECK(f.fetch() == "1");
  f.append("a.one");
  CHECK(f.fetch(10, "live") == "5001");
}

TEST_CASE("consumers: a long stretch of unwanted events is passed in pieces, and it says so") {
  ConsumersFixture f;
  f.options.max_bytes = 16 << 20;
  f.begin();
  f.append_many("other", 4500);
  f.append("sensor.a");
  f.make([](ConsumerSettings& settings) { settings.type_pattern = "sensor.*"; });
  CHECK(f.fetch().empty());
  CHECK(f.last.more);
  CHECK(f.fetch() == "4501");
  CHECK_FALSE(f.last.more);
}

TEST_CASE("patterns_meet: a no is certain") {
  CHECK(patterns_meet("sensor.#", "sensor.a.b"));
  CHECK(patterns_meet("#.b", "a.#"));
  CHECK(patterns_meet("*.b", "a.*"));
  CHECK(patterns_meet("#", "a"));
  CHECK(patterns_meet("a.#", "a"));
  CHECK_FALSE(patterns_meet("sensor.#", "incident.*"));
  CHECK_FALSE(patterns_meet("a.*", "a"));
  CHECK_FALSE(patterns_meet("a.*", "a.b.c"));
  CHECK_FALSE(patterns_meet("#.a", "#.b"));
}

TEST_CASE("find_time: with a clock that was set back it still ends between earlier and later") {
  const std::vector<uint64_t> times{10, 20, 30, 5, 6, 40, 50};
  const auto first_from = [&](Sequence from) -> Result<std::optional<TimedEvent>> {
    if (from.value() > times.size()) return std::optional<TimedEvent>();
    return std::optional<TimedEvent>(TimedEvent{from, WallTime{times[from.value() - 1]}});
  };
  for (uint64_t wanted = 1; wanted <= 51; ++wanted) {
    const auto found = find_time(WallTime{wanted}, Sequence(1), Sequence(8), first_from);
    REQUIRE(found.ok());
    const uint64_t at = found->value();
    if (at <= times.size()) CHECK(times[at - 1] >= wanted);
    if (at > 1) CHECK(times[at - 2] < wanted);
  }
}
