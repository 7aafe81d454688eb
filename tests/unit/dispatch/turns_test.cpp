#include "dispatch/turns.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>

#include "tests/unit/store/store_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using limpet::testing::StoreFixture;

namespace {

constexpr uint16_t queue = store::first_user_queue;

// Rows put by hand, without events.
struct TurnsFixture : StoreFixture {
  Turns turns;
  InFlight in_flight;
  uint64_t next_task = 1;

  TurnsFixture() { open(); }

  void put(uint16_t tenant, uint8_t priority, size_t count, store::StoreMs ready_at = 1000) {
    store::Change change = store->begin();
    for (size_t index = 0; index < count; ++index) {
      change.put(store::ready_key({{queue, tenant, priority}, ready_at, next_task++}), {});
    }
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
    Lane& lane = turns.lane({queue, tenant, priority}, ready_at);
    lane.arrived(ready_at);
    turns.changed(lane, now());
  }
  void erase_all() {
    std::vector<ByteVector> keys;
    {
      const auto snapshot = store->reader().snapshot();
      const store::Key prefix = store::queue_prefix(queue);
      REQUIRE(snapshot
                  ->scan(prefix, prefix,
                         [&](ByteSpan key, ByteSpan) {
                           keys.emplace_back(key.begin(), key.end());
                           return true;
                         })
                  .ok());
    }
    store::Change change = store->begin();
    for (const ByteVector& key : keys) change.erase(store::ready_key(*store::parse_ready_key(key)));
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
  }
  [[nodiscard]] store::StoreMs now() { return store->now_ms(); }

  // The next one, given; its lane. `bytes`: what it costs.
  std::optional<Turns::Choice> give(const std::map<uint16_t, uint64_t>& bytes = {}) {
    const auto snapshot = store->reader().snapshot();
    REQUIRE(snapshot.ok());
    const LaneView view{*snapshot, in_flight, now(), now()};
    const Result<Turns::Chosen> chosen = turns.choose(view, clock.boot());
    REQUIRE(chosen.ok());
    if (chosen->outcome != Turns::Outcome::chosen) return std::nullopt;
    const auto cost = bytes.find(chosen->choice.lane->name().tenant);
    in_flight.add(Sequence(chosen->choice.row.spot.task));
    turns.given(chosen->choice, cost == bytes.end() ? 1 : cost->second, clock.boot());
    return chosen->choice;
  }
  void sweep() {
    const auto snapshot = store->reader().snapshot();
    REQUIRE(snapshot.ok());
    REQUIRE(turns.sweep(*snapshot).ok());
  }
};

}  // namespace

TEST_CASE("turns: tenants share by bytes, not by tasks") {
  TurnsFixture fixture;
  fixture.put(1, 5, 400);
  fixture.put(2, 5, 400);
  const std::map<uint16_t, uint64_t> bytes = {{1, 4096}, {2, 512}};
  std::map<uint16_t, uint64_t> given;
  for (int count = 0; count < 270; ++count) {
    const auto choice = fixture.give(bytes);
    REQUIRE(choice);
    given[choice->lane->name().tenant] += bytes.at(choice->lane->name().tenant);
  }
  CHECK(given[1] <= given[2] + 8192);
  CHECK(given[2] <= given[1] + 8192);
}

TEST_CASE("turns: who comes late owes nothing and gets no arrears") {
  TurnsFixture fixture;
  fixture.put(1, 5, 300);
  for (int count = 0; count < 100; ++count) REQUIRE(fixture.give());
  fixture.put(2, 5, 300);
  std::map<uint16_t, int> given;
  for (int count = 0; count < 64; ++count) ++given[fixture.give()->lane->name().tenant];
  CHECK(given[1] == 32);
  CHECK(given[2] == 32);
}

TEST_CASE("turns: every lane of every tenant is worked off") {
  TurnsFixture fixture;
  for (uint16_t tenant = 0; tenant < 16; ++tenant) {
    for (uint8_t priority = 0; priority < priorities; ++priority) fixture.put(tenant, priority, 3);
  }
  CHECK(fixture.turns.lane_count() == 160);
  int given = 0;
  while (fixture.give()) ++given;
  CHECK(given == 480);
  CHECK_FALSE(fixture.turns.anyone());
}

TEST_CASE("turns: lanes without rows leave memory, and come again") {
  TurnsFixture fixture;
  fixture.put(1, 5, 2);
  fixture.put(2, 5, 2);
  fixture.put(3, 5, 1, fixture.now() + 10000);
  while (fixture.give()) {
  }
  fixture.sweep();
  CHECK(fixture.turns.lane_count() == 3);  // in flight, and delayed
  fixture.erase_all();
  fixture.sweep();
  CHECK(fixture.turns.lane_count() == 1);  // it has not looked yet
  CHECK(fixture.turns.next_due());
  fixture.clock.advance(seconds(11));
  CHECK_FALSE(fixture.give());
  fixture.sweep();
  CHECK(fixture.turns.lane_count() == 0);
  CHECK_FALSE(fixture.turns.next_due());
  fixture.put(1, 5, 1, fixture.now());
  CHECK(fixture.give());
}

TEST_CASE("turns: a tenant at its rate lets the others go on") {
  TurnsFixture fixture;
  fixture.turns.configure({seconds(30), {1, seconds(1), 1}});
  fixture.put(1, 5, 5);
  fixture.put(2, 5, 5);
  CHECK(fixture.give());
  CHECK(fixture.give());
  CHECK_FALSE(fixture.give());
  CHECK(fixture.turns.anyone());
  CHECK(fixture.turns.rate_wait(fixture.clock.boot()) == seconds(1));
  fixture.clock.advance(seconds(1));
  CHECK(fixture.give());
  CHECK(fixture.give());
  CHECK_FALSE(fixture.give());
}

TEST_CASE("lane: what comes back goes first where it belongs, and a full heap turns back") {
  TurnsFixture fixture;
  fixture.put(0, 5, 3000);
  std::vector<Spot> given;
  for (int count = 0; count < 2500; ++count) given.push_back(fixture.give()->row.spot);
  Lane& lane = *fixture.turns.find({queue, 0, 5});
  // Every second one, the last first.
  std::vector<Spot> returned;
  for (size_t index = given.size(); index >= 2; index -= 2) {
    returned.push_back(given[index - 1]);
    fixture.in_flight.remove(Sequence(given[index - 1].task));
    lane.give_back(given[index - 1]);
    fixture.turns.changed(lane, fixture.now());
  }
  CHECK(returned.size() > returned_max);
  std::ranges::reverse(returned);
  std::vector<Spot> again;
  for (auto choice = fixture.give(); choice; choice = fixture.give()) {
    again.push_back(choice->row.spot);
  }
  REQUIRE(again.size() == returned.size() + 500);
  CHECK(std::equal(returned.begin(), returned.end(), again.begin()));
  CHECK(std::ranges::is_sorted(again));
}

TEST_CASE("lane: a task that is dying is not read ahead any more") {
  TurnsFixture fixture;
  fixture.put(0, 5, 3);
  const Spot first = fixture.give()->row.spot;
  Lane& lane = *fixture.turns.find({queue, 0, 5});
  lane.forget({first.ready_at, first.task + 1});
  CHECK(fixture.give()->row.spot.task == first.task + 2);
  CHECK_FALSE(fixture.give());
}
