#include "store/store.hpp"

#include <doctest/doctest.h>

#include "base/limits.hpp"
#include "store_fixture.hpp"

using namespace limpet;
using namespace limpet::store;
using limpet::testing::StoreFixture;

TEST_CASE("store: events come back in order with the sequences they were given") {
  StoreFixture fixture;
  fixture.open();
  CHECK(fixture.append("a.one") == Sequence(1));
  CHECK(fixture.append("a.two") == Sequence(2));
  const std::vector<Event> events = fixture.read_all();
  REQUIRE(events.size() == 2);
  CHECK(events[0].type == "a.one");
  CHECK(events[1].sequence == Sequence(2));
}

TEST_CASE(
    "store: reopening keeps every event, the epoch and the counters, and counts the opening") {
  StoreFixture fixture;
  fixture.open();
  CHECK(fixture.store->created());
  const Epoch epoch = fixture.store->epoch();
  CHECK(fixture.store->incarnation() == Incarnation(1));
  fixture.append("a.one");
  fixture.open();
  CHECK_FALSE(fixture.store->created());
  CHECK(fixture.store->epoch() == epoch);
  CHECK(fixture.store->incarnation() == Incarnation(2));
  CHECK(fixture.store->newest().events == 1);
  CHECK(fixture.append("a.two") == Sequence(2));
  CHECK(fixture.read_all().size() == 2);
}

TEST_CASE("store: an event of the largest size is stored in parts and comes back whole") {
  StoreFixture fixture;
  fixture.open();
  ByteVector payload(limits::event_data_bytes_max - 8);
  for (size_t index = 0; index < payload.size(); ++index) {
    payload[index] = static_cast<uint8_t>(index * 7);
  }
  const ByteVector data = codec::cbor_item(codec::CborScalar(ByteSpan(payload)));
  fixture.append("a.large", data);
  fixture.append("a.small");
  fixture.append("a.large", data);
  const std::vector<Event> events = fixture.read_all();
  REQUIRE(events.size() == 3);
  CHECK(events[0].data == data);
  CHECK(events[1].type == "a.small");
  CHECK(events[2].data == data);
}

TEST_CASE("store: what is not yet committed is not visible") {
  StoreFixture fixture;
  fixture.open();
  Change change = fixture.store->begin();
  EventView event;
  event.type = "a.one";
  event.source = "limpet/test";
  REQUIRE(change.append(event).ok());
  CHECK(fixture.read_all().empty());
  CHECK(fixture.store->durable_end() == Sequence(1));
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.store->drain();
  CHECK(fixture.read_all().size() == 1);
  CHECK(fixture.store->durable_end() == Sequence(2));
}

TEST_CASE("store: a dropped change leaves no trace and no gap") {
  StoreFixture fixture;
  fixture.open();
  {
    Change change = fixture.store->begin();
    EventView event;
    event.type = "a.dropped";
    event.source = "limpet/test";
    REQUIRE(change.append(event).ok());
  }
  CHECK(fixture.append("a.kept") == Sequence(1));
}

TEST_CASE("store: rows of a change are there together, and erased rows are gone") {
  StoreFixture fixture;
  fixture.open();
  const Key key = run_key(RunId(1), Ordinal(0));
  Change put = fixture.store->begin();
  put.put(key, as_bytes("header"));
  put.put(inbox_key(RunId(1), Sequence(1)), {});
  REQUIRE(fixture.store->submit(std::move(put)).ok());
  fixture.store->drain();
  {
    auto snapshot = fixture.store->reader().snapshot();
    REQUIRE(snapshot.ok());
    const auto value = snapshot->get(key);
    REQUIRE(value.ok());
    REQUIRE(value->has_value());
    CHECK(as_text(**value) == "header");
  }
  Change erase = fixture.store->begin();
  erase.erase(key);
  erase.erase(run_key(RunId(9), Ordinal(9)));  // never there: no error
  REQUIRE(fixture.store->submit(std::move(erase)).ok());
  fixture.store->drain();
  auto snapshot = fixture.store->reader().snapshot();
  REQUIRE(snapshot.ok());
  CHECK_FALSE(snapshot->get(key)->has_value());
  CHECK(snapshot->get(inbox_key(RunId(1), Sequence(1)))->has_value());
}

TEST_CASE("store: a scan visits one prefix in order and stops when told to") {
  StoreFixture fixture;
  fixture.open();
  Change change = fixture.store->begin();
  for (uint64_t event = 1; event <= 5; ++event) {
    change.put(inbox_key(RunId(7), Sequence(event)), {});
  }
  change.put(inbox_key(RunId(8), Sequence(1)), {});
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.store->drain();
  auto snapshot = fixture.store->reader().snapshot();
  REQUIRE(snapshot.ok());
  const Key prefix = Key('g').u16(1).u64(7);
  std::vector<uint64_t> seen;
  REQUIRE(snapshot
              ->scan(inbox_key(RunId(7), Sequence(2)), prefix,
                     [&](ByteSpan key, ByteSpan) {
                       seen.push_back(parse_inbox_key(key)->event.value());
                       return seen.size() < 3;
                     })
              .ok());
  CHECK(seen == std::vector<uint64_t>{2, 3, 4});
}

TEST_CASE("store: new work is refused when max_bytes is reached, what must finish is not") {
  StoreFixture fixture;
  fixture.options.max_bytes = 256 * 1024;
  fixture.open();
  const ByteVector data = codec::cbor_item(codec::CborScalar(std::string(8000, 'x')));
  Result<void> admitted;
  for (int round = 0; round < 200 && admitted.ok(); ++round) {
    admitted = fixture.store->admit(data.size(), Urgency::ingest);
    if (admitted.ok()) fixture.append("a.filling", data);
  }
  REQUIRE_FALSE(admitted.ok());
  CHECK(admitted.error().code == ErrorCode::full);
  CHECK(fixture.store->info().refused_full == 1);
  CHECK(fixture.store->info().used_bytes <= fixture.options.max_bytes);
  REQUIRE(fixture.store->admit(data.size(), Urgency::finish).ok());
  fixture.append("a.finishing", data);
}

TEST_CASE("store: time never goes back, whatever the wall clock does") {
  StoreFixture fixture;
  fixture.open();
  const StoreMs before = fixture.store->now_ms();
  fixture.append("a.one");
  fixture.clock.set_wall(WallTime{0});
  fixture.open();
  CHECK(fixture.store->now_ms() == before);
  fixture.clock.set_wall(WallTime{(before + 5) * 1000000});
  CHECK(fixture.store->now_ms() == before + 5);
}

TEST_CASE("store: time goes on at the boot clock's pace while the wall clock is behind") {
  StoreFixture fixture;
  fixture.open();
  const StoreMs before = fixture.store->now_ms();
  fixture.clock.set_wall(WallTime{0});
  fixture.clock.advance(seconds(3));
  CHECK(fixture.store->now_ms() == before + 3000);
}

TEST_CASE("store: a damaged event is counted and skipped, its neighbours are read") {
  StoreFixture fixture;
  fixture.open();
  fixture.append("a.one");
  fixture.append("a.two");
  fixture.append("a.three");
  Change change = fixture.store->begin();
  change.put(log_key(Sequence(2), 0), as_bytes("damaged"));
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.store->drain();
  auto snapshot = fixture.store->reader().snapshot();
  REQUIRE(snapshot.ok());
  std::vector<std::string> types;
  const auto read = snapshot->events(Sequence(1), 100, [&](const EventView& event) {
    types.emplace_back(event.type);
    return true;
  });
  REQUIRE(read.ok());
  CHECK(types == std::vector<std::string>{"a.one", "a.three"});
  CHECK(read->corrupt == 1);
  CHECK(read->next == Sequence(4));
}
