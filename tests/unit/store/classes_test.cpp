#include "store/classes.hpp"

#include <doctest/doctest.h>

#include "base/limits.hpp"
#include "store_fixture.hpp"

using namespace limpet;
using namespace limpet::store;
using limpet::testing::StoreFixture;

namespace {

ClassSettings named(std::string name, std::vector<std::string> types) {
  ClassSettings settings;
  settings.name = std::move(name);
  settings.types = std::move(types);
  return settings;
}

uint8_t number_of(const Classes& classes, std::string_view name) {
  for (uint8_t number = 0; number < classes_max; ++number) {
    if (classes.at(number).name == name) return number;
  }
  return classes_max;
}

}  // namespace

TEST_CASE("classes: the first class that matches has the event, and work has the rest") {
  StoreFixture fixture;
  fixture.open();
  const auto loaded = Classes::load(*fixture.store, {named("incident", {"sensor.alarm.#"}),
                                                     named("telemetry", {"sensor.#", "sys.#"})});
  REQUIRE(loaded.ok());
  CHECK(loaded->class_of("sensor.alarm.fire") == number_of(*loaded, "incident"));
  CHECK(loaded->class_of("sensor.reading") == number_of(*loaded, "telemetry"));
  CHECK(loaded->class_of("sys") == number_of(*loaded, "telemetry"));
  CHECK(loaded->class_of("order.new") == work_class);
  CHECK(loaded->class_of("limpet.run.created") == work_class);
}

TEST_CASE("classes: a name keeps its number, whatever the config's order") {
  StoreFixture fixture;
  fixture.open();
  uint8_t telemetry = 0;
  uint8_t audit = 0;
  {
    const auto loaded =
        Classes::load(*fixture.store, {named("telemetry", {"a"}), named("audit", {"b"})});
    REQUIRE(loaded.ok());
    telemetry = number_of(*loaded, "telemetry");
    audit = number_of(*loaded, "audit");
    CHECK(telemetry != audit);
  }
  fixture.open();
  const auto loaded = Classes::load(
      *fixture.store, {named("new", {"c"}), named("audit", {"b"}), named("telemetry", {"a"})});
  REQUIRE(loaded.ok());
  CHECK(number_of(*loaded, "telemetry") == telemetry);
  CHECK(number_of(*loaded, "audit") == audit);
  CHECK(loaded->class_of("c") == number_of(*loaded, "new"));
}

TEST_CASE("classes: a class that config no longer names keeps its name, with the limits of work") {
  StoreFixture fixture;
  fixture.open();
  uint8_t old = 0;
  {
    const auto loaded = Classes::load(*fixture.store, {named("old", {"a"})});
    REQUIRE(loaded.ok());
    old = number_of(*loaded, "old");
  }
  ClassSettings work = named("work", {});
  work.max_bytes = 1000;
  const auto loaded = Classes::load(*fixture.store, {work});
  REQUIRE(loaded.ok());
  CHECK(loaded->at(old).name == "old");
  CHECK_FALSE(loaded->at(old).configured);
  CHECK(loaded->at(old).settings.max_bytes == 1000);
  CHECK(loaded->class_of("a") == work_class);
}

TEST_CASE("classes: numbers are never given twice, and when all are given that is said") {
  StoreFixture fixture;
  fixture.open();
  for (size_t round = 1; round < classes_max; ++round) {
    REQUIRE(Classes::load(*fixture.store, {named("c" + std::to_string(round), {})}).ok());
  }
  const auto refused = Classes::load(*fixture.store, {named("one-more", {})});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::full);
  CHECK(Classes::load(*fixture.store, {named("c1", {})}).ok());
}

TEST_CASE("classes: the same config again writes nothing") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(Classes::load(*fixture.store, {named("telemetry", {"a"})}).ok());
  const uint64_t commits = fixture.store->info().writer.commits;
  REQUIRE(Classes::load(*fixture.store, {named("telemetry", {"a"})}).ok());
  CHECK(fixture.store->info().writer.commits == commits);
}

TEST_CASE("classes: each class has its own count, bytes and first event") {
  StoreFixture fixture;
  fixture.open();
  const auto append = [&](uint8_t retention_class) {
    Change change = fixture.store->begin();
    EventView event;
    event.type = "a.one";
    event.source = "limpet/test";
    event.retention_class = retention_class;
    REQUIRE(change.append(event).ok());
    REQUIRE(fixture.store->submit(std::move(change)).ok());
  };
  append(0);
  append(3);
  append(3);
  fixture.open();
  const HotRecord& hot = fixture.store->newest();
  CHECK(hot.classes[0].first == Sequence(1));
  CHECK(hot.classes[0].events == 1);
  CHECK(hot.classes[3].first == Sequence(2));
  CHECK(hot.classes[3].events == 2);
  CHECK(hot.classes[0].bytes + hot.classes[3].bytes == hot.event_bytes);
  const std::vector<Event> events = fixture.read_all();
  REQUIRE(events.size() == 3);
  CHECK(events[2].retention_class == 3);
}
