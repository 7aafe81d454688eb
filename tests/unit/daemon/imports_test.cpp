#include "daemon/imports.hpp"

#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr Epoch other{77};

Event from_other(std::string_view type, uint64_t sequence, Epoch epoch = other) {
  Event event = make_event(type, "s", qualified_id(epoch, sequence));
  event.time = WallTime{1700000000000000000};
  event.run = RunId(5);
  event.extensions =
      codec::cbor_map({{"originsequence", sequence}, {"originepoch", to_string(epoch)}});
  return event;
}

struct ImportFixture : HouseFixture {
  std::unique_ptr<daemon::Imports> imports;

  void begin() {
    REQUIRE(restart());
    imports = std::make_unique<daemon::Imports>(life->house);
  }
  std::shared_ptr<Ingest> start(std::vector<Event> events) {
    auto result = std::make_shared<Ingest>();
    imports->ingest(std::move(events), "uid:1000", [result](api::Answer<api::Ingested> answer) {
      result->answered = true;
      if (auto* ok = std::get_if<api::Ingested>(&answer)) result->ok = *ok;
      if (auto* refused = std::get_if<api::Refusal>(&answer)) result->refused = *refused;
    });
    return result;
  }
  // How many were duplicates.
  uint32_t take(std::vector<Event> events) {
    const auto result = start(std::move(events));
    CHECK(settle());
    REQUIRE(result->ok);
    return result->ok->duplicates;
  }
};

}  // namespace

TEST_CASE("imports: history keeps what it is, and nothing follows from it") {
  ImportFixture f;
  f.add_agent("any", [](const SeenTurn&, Decide&) { FAIL("a run has begun"); });
  f.add_trigger("any", "#");
  f.begin();
  CHECK(f.take({from_other("limpet.run.created", 3), from_other("a.b", 4)}) == 0);
  const std::vector<Event> log = f.log();
  REQUIRE(log.size() == 2);
  CHECK(log[0].type == "limpet.run.created");
  CHECK(log[0].id == qualified_id(other, 3));
  CHECK(log[0].time.ns == 1700000000000000000);
  CHECK(log[0].run.none());
  CHECK(log[0].principal == "uid:1000");
  CHECK(f.runs().empty());
  CHECK(f.faults() == "");
}

TEST_CASE("imports: what came before is a duplicate, after any time and restart, in any order") {
  ImportFixture f;
  f.begin();
  std::vector<Event> events;
  for (const uint64_t sequence : {1, 7, 8191, 8192, 8193, 50000}) {
    events.push_back(from_other("a.b", sequence));
  }
  CHECK(f.take(events) == 0);
  f.advance(seconds(3600 * 24 * 400));
  f.begin();
  CHECK(f.take(events) == 6);
  events.insert(events.begin() + 1, from_other("a.b", 2));
  events.push_back(from_other("a.b", 3));
  events.push_back(from_other("a.b", 3));
  CHECK(f.take(events) == 7);
  CHECK(f.take({from_other("a.b", 7, Epoch(78))}) == 0);
  CHECK(f.log().size() == 9);
}

TEST_CASE("imports: a log's own events are there, or have been") {
  ImportFixture f;
  f.begin();
  CHECK(f.take({from_other("a.b", 9, f.life->store->epoch())}) == 1);
  CHECK(f.log().empty());
}

TEST_CASE("imports: events without an origin are known by source and id for a while") {
  ImportFixture f;
  f.begin();
  const std::vector<Event> events{make_event("a.b", "s", "1"), make_event("a.b", "s", "1"),
                                  make_event("a.b", "s")};
  CHECK(f.take(events) == 1);
  f.begin();
  CHECK(f.take(events) == 2);  // one has no id
}

TEST_CASE("imports: a gap that an export tells is no event") {
  ImportFixture f;
  f.begin();
  CHECK(f.take({make_event("limpet.log.gap", "", "gap-1-5"), from_other("a.b", 5)}) == 0);
  CHECK(f.log().size() == 1);
}

TEST_CASE("imports: one at a time; a bad event refuses all of its request") {
  ImportFixture f;
  f.begin();
  f.hold_writer();
  const auto first = f.start({from_other("a.b", 1)});
  const auto second = f.start({from_other("a.b", 1)});
  REQUIRE(second->refused);
  CHECK(second->refused->error.code == ErrorCode::busy);
  CHECK(second->refused->retry_after_ms > 0);
  f.release_writer();
  CHECK(f.settle());
  CHECK(first->ok);
  const auto bad = f.start({from_other("a.b", 2), from_other("not a type", 3)});
  REQUIRE(bad->refused);
  CHECK(f.take({from_other("a.b", 2)}) == 0);
}
