#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

void ignore(const SeenTurn&, Decide&) {}

Event large_event(std::string_view type, size_t bytes) {
  Event event = make_event(type);
  event.data = codec::cbor_item(codec::CborScalar(std::string(bytes, 'x')));
  return event;
}

host::Emission emission(uint64_t id, std::string_view type, std::string_view position) {
  host::Emission one;
  one.id = id;
  one.instance = "probe";
  one.event = make_event(type);
  one.position.assign(position.begin(), position.end());
  return one;
}

}  // namespace

TEST_CASE("intake: one request's events are neighbours in the log, answered after the commit") {
  HouseFixture fixture;
  fixture.add_agent("any", ignore);
  fixture.add_trigger("any", "a.*");
  REQUIRE(fixture.open());
  fixture.hold_writer();
  const auto first = fixture.ingest({make_event("a.x"), make_event("a.y"), make_event("b.z")});
  CHECK_FALSE(first->answered);
  CHECK(fixture.log().empty());
  fixture.release_writer();
  fixture.life->store->drain();
  REQUIRE(first->ok);
  CHECK(first->ok->first == Sequence(1));
  CHECK(first->ok->last == Sequence(3));
  const std::vector<Event> log = fixture.log();
  REQUIRE(log.size() == 5);
  CHECK(log[0].type == "a.x");
  CHECK(log[1].type == "a.y");
  CHECK(log[2].type == "b.z");
  CHECK(log[3].type == "limpet.run.created");
  CHECK(log[0].principal == "uid:1000");
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: one bad event refuses the whole request") {
  HouseFixture fixture;
  REQUIRE(fixture.open());
  const auto invalid = fixture.ingest({make_event("a.x"), make_event("not a type")});
  REQUIRE(invalid->refused);
  CHECK(invalid->refused->error.code == ErrorCode::invalid);
  const auto own = fixture.ingest("limpet.run.completed");
  REQUIRE(own->refused);
  CHECK(own->refused->error.code == ErrorCode::denied);
  REQUIRE(fixture.settle());
  CHECK(fixture.log().empty());
  CHECK(fixture.life->house.drops.refused == 2);
}

TEST_CASE("intake: a repeated event is answered with its first sequence, also while on its way") {
  HouseFixture fixture;
  REQUIRE(fixture.open());
  fixture.ingest("a.other");
  const auto first = fixture.ingest({make_event("a.x", "", "id-1")});
  const auto on_its_way = fixture.ingest({make_event("a.x", "", "id-1")});
  CHECK_FALSE(on_its_way->answered);
  fixture.life->store->drain();
  REQUIRE(first->ok);
  CHECK(first->ok->first == Sequence(2));
  REQUIRE(on_its_way->ok);
  CHECK(on_its_way->ok->first == Sequence(2));
  CHECK(on_its_way->ok->duplicates == 1);

  REQUIRE(fixture.restart());
  const auto reopened = fixture.ingest(
      {make_event("a.x", "", "id-1"), make_event("a.x", "", "2"), make_event("a.x", "", "2")});
  fixture.life->store->drain();
  REQUIRE(reopened->ok);
  CHECK(reopened->ok->duplicates == 2);
  CHECK(reopened->ok->first == Sequence(3));
  CHECK(reopened->ok->last == Sequence(3));
  CHECK(fixture.log().size() == 3);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: the same id of another source is another event") {
  HouseFixture fixture;
  REQUIRE(fixture.open());
  Event other = make_event("a.x", "", "id-1");
  other.source = "elsewhere";
  const auto both = fixture.ingest({make_event("a.x", "", "id-1"), other});
  fixture.life->store->drain();
  REQUIRE(both->ok);
  CHECK(both->ok->duplicates == 0);
  CHECK(fixture.log().size() == 2);
}

TEST_CASE("intake: a full inbox refuses the producer and nothing of the request is stored") {
  HouseFixture fixture;
  bool answering = false;
  fixture.add_agent("slow", [&](const SeenTurn&, Decide& decide) {
    if (!answering) decide.refuse(Error{ErrorCode::closed, "host: test"}, "not now");
  });
  fixture.add_trigger("slow", "a.*", "one");
  REQUIRE(fixture.open());
  std::shared_ptr<Ingest> last;
  for (uint32_t index = 0; index < daemon::inbox_events_max / 128; ++index) {
    last = fixture.ingest(std::vector<Event>(128, make_event("a.x")));
    fixture.life->store->drain();
    REQUIRE(last->ok);
  }
  const size_t stored = fixture.log().size();
  last = fixture.ingest({make_event("b.free"), make_event("a.x")});
  REQUIRE(last->refused);
  CHECK(last->refused->error.code == ErrorCode::full);
  CHECK(last->refused->retry_after_ms > 0);
  REQUIRE(fixture.settle());
  CHECK(fixture.log().size() == stored);
  CHECK(fixture.runs()[0].inbox_events == daemon::inbox_events_max);
  CHECK(fixture.faults() == "");
  answering = true;
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.runs()[0].turns == daemon::inbox_events_max);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: an inbox is bounded by bytes too") {
  HouseFixture fixture;
  fixture.add_agent("slow", [](const SeenTurn&, Decide& decide) {
    decide.refuse(Error{ErrorCode::closed, "host: test"}, "not now");
  });
  fixture.add_trigger("slow", "a.*", "one");
  REQUIRE(fixture.open());
  int taken = 0;
  std::shared_ptr<Ingest> last;
  do {
    last = fixture.ingest({large_event("a.x", 60000)});
    fixture.life->store->drain();
    if (last->ok) ++taken;
  } while (last->ok && taken < 100);
  REQUIRE(last->refused);
  CHECK(last->refused->error.code == ErrorCode::full);
  CHECK(taken == 17);
  CHECK(fixture.runs()[0].inbox_bytes <= daemon::inbox_bytes_max);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: an agent's event that does not fit another run's inbox is dropped aloud") {
  HouseFixture fixture;
  fixture.add_agent("talker", [](const SeenTurn&, Decide& decide) { decide.emit("a.said"); });
  fixture.add_agent("slow", [](const SeenTurn&, Decide& decide) {
    decide.refuse(Error{ErrorCode::closed, "host: test"}, "not now");
  });
  fixture.add_trigger("slow", "a.*", "one");
  fixture.add_trigger("talker", "b.*", "one");
  REQUIRE(fixture.open());
  for (uint32_t index = 0; index < daemon::inbox_events_max / 128; ++index) {
    fixture.ingest(std::vector<Event>(128, make_event("a.x")));
    fixture.life->store->drain();
  }
  const auto talk = fixture.ingest("b.talk");
  REQUIRE(fixture.settle());
  REQUIRE(talk->ok);
  CHECK(fixture.log("a.said").size() == 1);
  const std::vector<Event> drops = fixture.log("limpet.drop");
  REQUIRE(drops.size() == 1);
  CHECK(drops[0].subject == "slow");
  CHECK(member(drops[0], "reason") == "inbox_full");
  CHECK(fixture.life->house.drops.inbox_full == 1);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: our own events never refuse the work they tell of") {
  // `limpet.run.created` carries the principal of the producer. When an agent that listens to it
  // had a full inbox, the commit that started the run failed with `full`; in a turn that ended a
  // run with a successor, that stopped the run until the next start.
  HouseFixture fixture;
  fixture.add_agent("single", [](const SeenTurn&, Decide& decide) { decide.complete(); });
  fixture.add_agent("slow", [](const SeenTurn&, Decide& decide) {
    decide.refuse(Error{ErrorCode::closed, "host: test"}, "not now");
  });
  fixture.add_trigger("slow", "a.*", "one");
  fixture.add_trigger("slow", "limpet.run.created", "one");
  fixture.add_trigger("single", "b.*", "one");
  REQUIRE(fixture.open());
  for (const size_t count : {size_t{128}, size_t{16}, size_t{1}}) {
    while (!fixture.ingest(std::vector<Event>(count, make_event("a.x")))->refused) {
      fixture.life->store->drain();
    }
  }
  const auto work = fixture.ingest({make_event("b.one"), make_event("b.two")});
  REQUIRE(fixture.settle());
  REQUIRE(work->ok);
  CHECK(fixture.log("limpet.run.completed").size() == 2);
  CHECK(fixture.log("limpet.drop").size() == 2);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: a full store answers full, and what was accepted goes on") {
  HouseFixture fixture;
  fixture.options.max_bytes = 512 * 1024;
  fixture.add_agent("single", [](const SeenTurn&, Decide& decide) {
    decide.emit("a.done");
    decide.complete();
  });
  fixture.add_trigger("single", "a.new", "{subject}");
  REQUIRE(fixture.open());
  for (int index = 0; index < 20; ++index) fixture.ingest("a.new", std::to_string(index));
  fixture.life->store->drain();
  std::shared_ptr<Ingest> last;
  for (int index = 0; index < 1000; ++index) {
    last = fixture.ingest({large_event("filler", 10000)});
    fixture.life->store->drain();
    if (last->refused) break;
  }
  REQUIRE(last->refused);
  CHECK(last->refused->error.code == ErrorCode::full);
  CHECK(last->refused->retry_after_ms > 0);
  REQUIRE(fixture.settle());
  CHECK(fixture.log("limpet.run.completed").size() == 20);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: a busy store answers busy, and internal work is repeated, not lost") {
  HouseFixture fixture;
  fixture.host.add_tool("t.once", acts_once);
  fixture.add_agent("worker", [](const SeenTurn& seen, Decide& decide) {
    if (seen.type == "a.new") decide.call("one", "t.once");
    if (seen.step == "one") decide.complete();
  });
  fixture.add_trigger("worker", "a.new", "{subject}");
  REQUIRE(fixture.open());
  for (int index = 0; index < 20; ++index) fixture.ingest("a.new", std::to_string(index));
  fixture.life->store->drain();
  fixture.life->turns.pump();
  for (int index = 20; index < 40; ++index) fixture.ingest("a.new", std::to_string(index));
  fixture.life->store->drain();  // 20 calls and 20 turns are ready
  fixture.hold_writer();
  for (const size_t bytes : {size_t{1} << 20, size_t{1} << 14, size_t{1} << 8, size_t{1}}) {
    Result<void> submitted;
    while (submitted.ok()) {
      store::Change change = fixture.life->store->begin();
      change.put(store::source_position_key("filler"), ByteVector(bytes, 'x'));
      submitted = fixture.life->store->submit(std::move(change));
    }
    CHECK(submitted.error().code == ErrorCode::busy);
  }
  const auto refused = fixture.ingest("b.free");
  REQUIRE(refused->refused);
  CHECK(refused->refused->error.code == ErrorCode::busy);
  CHECK(refused->refused->retry_after_ms > 0);
  for (int round = 0; round < 3; ++round) {
    fixture.life->store->deliver();
    fixture.life->timers.pump();
    fixture.life->turns.pump();
    fixture.life->calls.pump();
  }
  CHECK(fixture.life->turns.counters().repeated_busy > 0);
  CHECK(fixture.life->calls.counters().waited_busy > 0);
  CHECK(fixture.host.calls.empty());
  fixture.release_writer();
  REQUIRE(fixture.settle());
  CHECK(fixture.log("limpet.run.completed").size() == 40);
  CHECK(fixture.host.calls.size() == 40);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: a failed commit acknowledges nothing") {
  HouseFixture fixture;
  fixture.add_agent("any", ignore);
  fixture.add_trigger("any", "a.*", "one");
  REQUIRE(fixture.open());
  const auto kept = fixture.ingest("a.kept");
  fixture.life->store->drain();
  REQUIRE(kept->ok);
  fixture.break_disk();
  const auto lost = fixture.ingest({make_event("a.lost", "", "id-1")});
  const auto again = fixture.ingest({make_event("a.lost", "", "id-1")});
  fixture.life->store->drain();
  const auto later = fixture.ingest("a.later");
  fixture.life->store->drain();
  for (const auto& one : {lost, again, later}) {
    REQUIRE(one->refused);
    CHECK_FALSE(one->ok);
  }
  REQUIRE(fixture.restart());
  CHECK(fixture.log("a.lost").empty());
  const auto repeated = fixture.ingest({make_event("a.lost", "", "id-1")});
  REQUIRE(fixture.settle());
  REQUIRE(repeated->ok);
  CHECK(repeated->ok->duplicates == 0);
  CHECK(fixture.runs()[0].turns == 2);
  CHECK(fixture.faults() == "");
}

TEST_CASE("intake: a source's event and its position are stored together") {
  HouseFixture fixture;
  REQUIRE(fixture.open());
  std::vector<bool> fates;
  const auto note = [&](const Result<void>& fate) { fates.push_back(fate.ok()); };
  CHECK(fixture.life->intake.emit(emission(1, "a.reading", "p1"), note) == host::Taken::taken);
  CHECK(fixture.life->intake.emit(emission(2, "limpet.own", "p2"), note) == host::Taken::taken);
  REQUIRE(fates.size() == 1);
  CHECK_FALSE(fates[0]);
  fixture.life->store->drain();
  REQUIRE(fates.size() == 2);
  CHECK(fates[1]);
  const std::vector<Event> log = fixture.log();
  REQUIRE(log.size() == 1);
  CHECK(log[0].source == "limpet/test/probe");
  CHECK(log[0].principal == "plugin:probe");
  const auto snapshot = fixture.life->store->reader().snapshot();
  REQUIRE(snapshot.ok());
  const auto position = snapshot->get(store::source_position_key("probe"));
  REQUIRE(position.ok());
  REQUIRE(*position);
  CHECK(ByteVector((*position)->begin(), (*position)->end()) == ByteVector{'p', '1'});
}

TEST_CASE("intake: above the memory limit new work is refused, and taken again below it") {
  HouseFixture fixture;
  REQUIRE(fixture.open());
  fixture.life->house.memory_pressed = true;
  const auto refused = fixture.ingest("a.one");
  REQUIRE(fixture.settle());
  REQUIRE(refused->refused);
  CHECK(refused->refused->error.code == ErrorCode::busy);
  CHECK(refused->refused->retry_after_ms > 0);
  CHECK(fixture.log("a.one").empty());
  fixture.life->house.memory_pressed = false;
  const auto taken = fixture.ingest("a.one");
  REQUIRE(fixture.settle());
  CHECK(taken->ok);
  CHECK(fixture.log("a.one").size() == 1);
}
