#include "daemon/retention.hpp"

#include <doctest/doctest.h>

#include <map>

#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "store/task_record.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

store::ClassSettings class_named(std::string name, std::string pattern, uint64_t max_bytes) {
  store::ClassSettings settings;
  settings.name = std::move(name);
  settings.types = {std::move(pattern)};
  settings.max_bytes = max_bytes;
  return settings;
}

struct RetentionFixture : HouseFixture {
  std::vector<store::ClassSettings> wanted_classes;
  std::map<uint8_t, Sequence> floors;
  std::unique_ptr<store::Classes> classes;
  std::unique_ptr<daemon::Retention> retention;

  ~RetentionFixture() { close(); }

  void close() {
    // The store answers changes to the retention until it is gone.
    if (life != nullptr) {
      life->store->drain();
      life->house.retention = nullptr;
    }
    retention.reset();
    life.reset();
  }
  void open_house() {
    close();
    REQUIRE(open());
    auto loaded = store::Classes::load(*life->store, wanted_classes);
    REQUIRE(loaded.ok());
    classes = std::make_unique<store::Classes>(std::move(loaded).value());
    retention = std::make_unique<daemon::Retention>(
        life->house, *classes, [this](uint8_t number) -> std::optional<Sequence> {
          const auto found = floors.find(number);
          if (found == floors.end()) return std::nullopt;
          return found->second;
        });
    life->house.retention = retention.get();
  }
  uint8_t number_of(std::string_view type) const { return classes->class_of(type); }
  const store::ClassCount& count_of(std::string_view type) const {
    return life->store->newest().classes[number_of(type)];
  }

  // Until nothing happens any more that does not wait for time.
  void rest() {
    for (int round = 0; round < 2000; ++round) {
      const bool stepped = step();
      const uint64_t before = life->store->info().writer.changes;
      retention->pump();
      life->store->drain();
      const bool again = retention->next_due() && *retention->next_due() <= life->store->now_ms();
      if (!stepped && !again && life->store->info().writer.changes == before) return;
    }
    FAIL("it never came to rest");
  }
  // What is due with time, too.
  void rest_long() {
    for (int round = 0; round < 20; ++round) {
      rest();
      advance(milliseconds(static_cast<int64_t>(daemon::held_pause_ms)));
    }
    rest();
  }
  std::shared_ptr<Ingest> send(std::string_view type, size_t data_bytes, WallTime time = {}) {
    Event event = make_event(type);
    event.data = codec::cbor_item(codec::CborScalar(std::string(data_bytes, 'x')));
    event.time = time;
    auto result = ingest(std::vector<Event>{std::move(event)});
    return result;
  }
  bool taken(std::string_view type, size_t data_bytes = 1000) {
    const auto sent = send(type, data_bytes);
    life->store->drain();
    return sent->ok.has_value();
  }
  ErrorCode refusal(std::string_view type, size_t data_bytes = 1000) {
    const auto sent = send(type, data_bytes);
    life->store->drain();
    REQUIRE(sent->refused);
    return sent->refused->error.code;
  }
  // A task of a user queue that stays.
  Sequence park_task(size_t data_bytes) {
    store::TaskFacts facts;
    facts.lane.queue = store::first_user_queue;
    ByteVector extensions;
    store::encode_task_facts(facts, extensions);
    const ByteVector data = codec::cbor_item(codec::CborScalar(std::string(data_bytes, 'x')));
    EventView event;
    event.type = event_type::task_queued;
    event.source = "limpet/test";
    event.time = clock.wall();
    event.extensions = extensions;
    event.data = data;
    event.retention_class = number_of(event.type);
    store::Change change = life->store->begin();
    const Result<Sequence> task = change.append(event);
    REQUIRE(task.ok());
    change.put(store::ready_key(store::place_of(facts, *task)), {});
    REQUIRE(life->store->submit(std::move(change)).ok());
    life->store->drain();
    return *task;
  }
  bool has_event(Sequence sequence) const {
    const auto snapshot = life->store->reader().snapshot();
    REQUIRE(snapshot.ok());
    const auto row = snapshot->get(store::log_key(sequence, 0));
    REQUIRE(row.ok());
    return row->has_value();
  }
};

uint64_t number(const Event& event, std::string_view key) {
  return std::stoull(member(event, key));
}

}  // namespace

TEST_CASE("retention: a small store takes new telemetry for ever, and work beside it") {
  // A full disk ends in a loop of ENOSPC (fluent-bit #9669), a stall (vector #8763), or in a queue
  // that never sends again (mosquitto #2256).
  RetentionFixture fixture;
  fixture.options.max_bytes = 4 << 20;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 0);
  telemetry.on_full = store::OnFull::drop_oldest;
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  const Sequence parked = fixture.park_task(3000);
  for (int round = 0; round < 1500; ++round) {
    REQUIRE(fixture.taken("sensor.reading", 8000));
    if (round % 10 == 0) REQUIRE(fixture.taken("order.new", 100));
    fixture.retention->pump();
    fixture.life->store->drain();
  }
  fixture.rest();
  CHECK(fixture.life->store->info().used_bytes <= fixture.options.max_bytes);
  CHECK(fixture.count_of("order.new").events == 151);  // nothing of work has left
  CHECK(fixture.has_event(parked));
  CHECK(fixture.retention->counters(fixture.number_of("sensor.x")).trimmed_events > 500);
  CHECK(fixture.retention->counters(fixture.number_of("sensor.x")).unread_events == 0);
  CHECK(fixture.life->store->info().refused_full == 0);
}

TEST_CASE("retention: without any class, the oldest work that nobody needs makes room") {
  RetentionFixture fixture;
  fixture.options.max_bytes = 4 << 20;
  fixture.open_house();
  const Sequence parked = fixture.park_task(3000);
  for (int round = 0; round < 800; ++round) {
    REQUIRE(fixture.taken("order.new", 8000));
    fixture.retention->pump();
    fixture.life->store->drain();
  }
  fixture.rest();
  CHECK(fixture.has_event(parked));
  CHECK_FALSE(fixture.has_event(parked.next()));
}

TEST_CASE("retention: a class over its quota gives its oldest, down to 95 %, and no other gives") {
  RetentionFixture fixture;
  fixture.wanted_classes = {class_named("audit", "audit.#", 100000)};
  fixture.open_house();
  REQUIRE(fixture.taken("order.first"));
  for (int round = 0; round < 200; ++round) REQUIRE(fixture.taken("audit.entry"));
  fixture.rest();
  CHECK(fixture.count_of("audit.x").bytes <= 98000);
  CHECK(fixture.count_of("audit.x").bytes >= 90000);
  CHECK(fixture.count_of("order.x").events == 1);
  CHECK(fixture.life->house.drops.unread == 0);
  CHECK(fixture.log("limpet.drop").empty());
}

TEST_CASE(
    "retention: what is owned is never dropped; when only that is left, new events are refused") {
  RetentionFixture fixture;
  fixture.wanted_classes = {class_named("work", "order.#", 50000)};
  fixture.open_house();
  std::vector<Sequence> tasks;
  while (fixture.count_of("order.x").bytes < 49000) tasks.push_back(fixture.park_task(2000));
  CHECK(fixture.refusal("order.new", 3000) == ErrorCode::full);
  CHECK(fixture.life->house.drops.class_full == 1);
  fixture.rest_long();
  for (const Sequence task : tasks) CHECK(fixture.has_event(task));
  // What ends the work still commits, and then there is room again.
  store::Change ends = fixture.life->store->begin();
  store::TaskFacts facts;
  facts.lane.queue = store::first_user_queue;
  for (int count = 0; count < 4; ++count) {
    ends.erase(store::ready_key(store::place_of(facts, tasks.back())));
    ends.release(tasks.back());
    tasks.pop_back();
  }
  REQUIRE(fixture.life->store->submit(std::move(ends)).ok());
  fixture.rest_long();
  CHECK(fixture.taken("order.new", 3000));
  for (const Sequence task : tasks) CHECK(fixture.has_event(task));
}

TEST_CASE("retention: a class that rejects keeps what a consumer has not read, and says full") {
  RetentionFixture fixture;
  fixture.wanted_classes = {class_named("audit", "audit.#", 50000)};
  fixture.open_house();
  const uint8_t audit = fixture.number_of("audit.x");
  fixture.floors[audit] = Sequence(1);
  while (fixture.taken("audit.entry")) {
  }
  CHECK(fixture.refusal("audit.entry") == ErrorCode::full);
  fixture.rest_long();
  CHECK(fixture.has_event(Sequence(1)));
  CHECK(fixture.life->house.drops.unread == 0);
  fixture.floors[audit] = Sequence(20);
  fixture.advance(seconds(2));
  fixture.rest_long();
  CHECK(fixture.taken("audit.entry"));
  CHECK_FALSE(fixture.has_event(Sequence(1)));
  CHECK(fixture.has_event(Sequence(20)));
}

TEST_CASE(
    "retention: a class that drops its oldest takes all, and tells once an interval what was "
    "lost") {
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 50000);
  telemetry.on_full = store::OnFull::drop_oldest;
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  const uint8_t number_of_class = fixture.number_of("sensor.x");
  fixture.floors[number_of_class] = Sequence(10);
  for (int round = 0; round < 300; ++round) {
    REQUIRE(fixture.taken("sensor.reading"));
    fixture.retention->pump();
    fixture.life->store->drain();
  }
  fixture.rest();
  CHECK(fixture.log("limpet.drop").size() == 1);
  fixture.advance(milliseconds(static_cast<int64_t>(daemon::drop_report_ms)));
  fixture.rest();
  const std::vector<Event> drops = fixture.log("limpet.drop");
  REQUIRE(drops.size() == 2);
  CHECK(member(drops[0], "reason") == "class_full");
  CHECK(member(drops[0], "class") == "telemetry");
  CHECK(number(drops[0], "first") == 10);
  CHECK(number(drops[1], "first") > number(drops[0], "last"));
  const uint64_t told = number(drops[0], "count") + number(drops[1], "count");
  CHECK(told == fixture.life->house.drops.unread);
  CHECK(told == fixture.retention->counters(number_of_class).unread_events);
  CHECK(number(drops[1], "total") == told);
  CHECK(told > 200);
}

TEST_CASE("retention: what was dropped and not yet told is told at the stop") {
  // What is dropped at a stop without a word is lost: fluent-bit #11130.
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 20000);
  telemetry.on_full = store::OnFull::drop_oldest;
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  fixture.floors[fixture.number_of("sensor.x")] = Sequence(1);
  for (int round = 0; round < 100; ++round) {
    REQUIRE(fixture.taken("sensor.reading"));
    fixture.retention->pump();
    fixture.life->store->drain();
  }
  fixture.retention->close();
  fixture.life->store->drain();
  uint64_t told = 0;
  for (const Event& drop : fixture.log("limpet.drop")) told += number(drop, "count");
  CHECK(told == fixture.life->house.drops.unread);
  CHECK(told > 0);
}

TEST_CASE("retention: the old leave when they are due, and the clock's alarm is set for the next") {
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 0);
  telemetry.max_age = seconds(100);
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  REQUIRE(fixture.taken("sensor.reading"));
  REQUIRE(fixture.taken("order.new"));
  fixture.advance(seconds(50));
  REQUIRE(fixture.taken("sensor.reading"));
  fixture.rest();
  CHECK(fixture.count_of("sensor.x").events == 2);
  fixture.advance(seconds(51));
  fixture.rest();
  CHECK(fixture.count_of("sensor.x").events == 1);
  REQUIRE(fixture.retention->next_due());
  CHECK(*fixture.retention->next_due() <= fixture.life->store->now_ms() + 50000);
  fixture.advance(seconds(50));
  fixture.rest();
  CHECK(fixture.count_of("sensor.x").events == 0);
  CHECK(fixture.count_of("order.x").events == 1);
}

TEST_CASE("retention: while the clock is not set nothing is too old, and events say so") {
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 0);
  telemetry.max_age = seconds(100);
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  const WallTime real = fixture.clock.wall();
  REQUIRE(fixture.taken("sensor.before"));
  fixture.clock.set_wall(WallTime{5000000000});
  REQUIRE(fixture.taken("sensor.in-1970"));
  REQUIRE(fixture.send("sensor.foreign", 10, real) != nullptr);
  fixture.advance(seconds(1000));
  fixture.rest();
  CHECK(fixture.count_of("sensor.x").events == 3);
  const auto quality = [&](std::string_view type) {
    const std::vector<Event> events = fixture.log(type);
    REQUIRE(events.size() == 1);
    return as_text(events[0].extensions).find("unsynced") != std::string_view::npos;
  };
  CHECK_FALSE(quality("sensor.before"));
  CHECK(quality("sensor.in-1970"));
  CHECK_FALSE(quality("sensor.foreign"));
  fixture.clock.set_wall(real + seconds(2000));
  fixture.advance(seconds(60));
  fixture.rest();
  CHECK(fixture.count_of("sensor.x").events == 0);
}

TEST_CASE(
    "retention: a relaxed event is answered before the disk, and rides along with the next "
    "commit") {
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 0);
  telemetry.durability = store::Durability::relaxed;
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  const uint64_t commits = fixture.life->store->info().writer.commits;
  for (int round = 0; round < 20; ++round) {
    const auto sent = fixture.send("sensor.reading", 100);
    CHECK(sent->ok.has_value());
  }
  CHECK(fixture.life->store->durable_end() == Sequence(1));
  const auto durable = fixture.send("order.new", 100);
  CHECK_FALSE(durable->answered);
  fixture.life->store->drain();
  CHECK(durable->ok.has_value());
  CHECK(fixture.life->store->info().writer.commits <= commits + 2);
  CHECK(fixture.log("sensor.reading").size() == 20);
}

TEST_CASE("retention: a relaxed event that an agent waits for is not kept waiting") {
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 0);
  telemetry.durability = store::Durability::relaxed;
  fixture.wanted_classes = {telemetry};
  fixture.add_agent("watch", [](const SeenTurn&, Decide& decide) { decide.complete(); });
  fixture.add_trigger("watch", "sensor.alarm");
  fixture.open_house();
  const auto sent = fixture.send("sensor.alarm", 10);
  CHECK_FALSE(sent->answered);
  fixture.rest();
  CHECK(sent->ok.has_value());
  CHECK(fixture.host.turns.size() == 1);
}

TEST_CASE("retention: when the disk is behind by a second, relaxed events are not taken on trust") {
  RetentionFixture fixture;
  store::ClassSettings telemetry = class_named("telemetry", "sensor.#", 0);
  telemetry.durability = store::Durability::relaxed;
  fixture.wanted_classes = {telemetry};
  fixture.open_house();
  fixture.hold_writer();
  CHECK(fixture.send("sensor.reading", 10)->ok.has_value());
  fixture.advance(milliseconds(1001));
  const auto refused = fixture.send("sensor.reading", 10);
  fixture.release_writer();
  REQUIRE(refused->refused);
  CHECK(refused->refused->error.code == ErrorCode::busy);
  fixture.life->store->drain();
  CHECK(fixture.send("sensor.reading", 10)->ok.has_value());
}

TEST_CASE("retention: a run that ended goes with its first event, a live one keeps it") {
  RetentionFixture fixture;
  fixture.wanted_classes = {class_named("work", "order.#", 100000)};
  fixture.add_agent("waiter", [](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "job.end") decide.complete();
  });
  fixture.add_trigger("waiter", "job.new", "{subject}");
  fixture.add_trigger("waiter", "job.end", "{subject}");
  fixture.open_house();
  for (const char* subject : {"a", "b"}) fixture.ingest("job.new", subject);
  fixture.rest();
  fixture.ingest("job.end", "a");
  fixture.rest();
  REQUIRE(fixture.runs().size() == 2);
  for (int round = 0; round < 200; ++round) {
    static_cast<void>(fixture.taken("order.new"));
    fixture.rest();
  }
  REQUIRE(fixture.runs().size() == 1);
  CHECK(fixture.runs()[0].key == "b");
  CHECK(fixture.has_event(Sequence(fixture.runs()[0].id.value())));
  CHECK(fixture.faults() == "");
  // It ends behind the front, and is gone soon after.
  fixture.ingest("job.end", "b");
  fixture.rest_long();
  CHECK(fixture.faults() == "");
  for (int round = 0; round < 200; ++round) {
    static_cast<void>(fixture.taken("order.new"));
    fixture.rest();
  }
  fixture.rest_long();
  CHECK(fixture.runs().empty());
  CHECK(fixture.faults() == "");
}

TEST_CASE("retention: the start does nothing that grows with the backlog") {
  // A spool that is read at the start: fluent-bit #5166 (1.17 GB at restart), nucleus #1832.
  RetentionFixture fixture;
  fixture.wanted_classes = {class_named("audit", "audit.#", 100000)};
  fixture.open_house();
  for (int round = 0; round < 50; ++round) REQUIRE(fixture.taken("audit.entry"));
  fixture.rest();
  fixture.open_house();
  const uint64_t changes = fixture.life->store->info().writer.changes;
  // One look, of a bounded piece, and no write.
  fixture.retention->pump();
  fixture.life->store->drain();
  CHECK(fixture.life->store->info().writer.changes == changes);
  CHECK(fixture.count_of("audit.x").events == 50);
}
