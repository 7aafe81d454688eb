#include "tests/unit/dispatch/queues_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using namespace limpet::testing;

TEST_CASE("queues: a group is worked off in order, one at a time, groups in parallel") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a1", {.group = "a"});
  fixture.put("a2", {.priority = 9, .group = "a"});
  fixture.put("b1", {.group = "b"});
  fixture.put("a3", {.group = "a"});
  fixture.put("x");
  std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 3);
  CHECK(given[0].payload == "a1");
  CHECK(given[1].payload == "b1");
  CHECK(given[2].payload == "x");
  CHECK(given[0].group == "a");
  REQUIRE(fixture.ack(given[0]).ok());
  given = fixture.lease();
  REQUIRE(given.size() == 1);
  CHECK(given[0].payload == "a2");
  CHECK(fixture.lease().empty());
  fixture.begin();
  CHECK(fixture.take() == Texts{"a2", "b1", "x"});
  fixture.audit();
}

TEST_CASE("queues: a group keeps its order while changes are on their way") {
  QueuesFixture fixture;
  fixture.begin();
  const Sequence first = fixture.put_unsettled("1", {.group = "g"});
  fixture.put_unsettled("2", {.group = "g"});
  fixture.settle();
  Texts taken;
  for (int next = 3; next <= 200; ++next) {
    const std::vector<Leased> given = fixture.lease();
    CHECK(given.size() <= 1);
    for (const Leased& one : given) {
      taken.push_back(one.payload);
      REQUIRE(fixture
                  .submit([&](store::Change& change) -> Result<void> {
                    LIMPET_TRY(const Settled done, fixture.queues->ack(change, one.ref(), {}));
                    CHECK_FALSE(done.dead);
                    return {};
                  })
                  .ok());
    }
    fixture.put_unsettled(std::to_string(next), {.group = "g"});
    if (next % 3 == 0) {
      fixture.store->deliver();
      fixture.queues->deliver();
    }
    if (next % 5 == 0) fixture.settle();
  }
  fixture.settle();
  for (std::vector<Leased> given = fixture.lease(); !given.empty(); given = fixture.lease()) {
    REQUIRE(given.size() == 1);
    taken.push_back(given[0].payload);
    REQUIRE(fixture.ack(given[0]).ok());
  }
  REQUIRE(taken.size() == 200);
  for (size_t index = 0; index < taken.size(); ++index) {
    CHECK(taken[index] == std::to_string(index + 1));
  }
  CHECK_FALSE(first.none());
  CHECK(fixture.count_rows(store::Key('g')) == 0);
  fixture.audit();
}

TEST_CASE("queues: a failed task blocks its group until it has had its turn again") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("1", {.group = "g"});
  fixture.put("2", {.group = "g"});
  REQUIRE(fixture.nack(fixture.lease()[0]).ok());
  CHECK(fixture.take().empty());
  fixture.pass(seconds(1));
  CHECK(fixture.take() == Texts{"1"});
}

TEST_CASE("queues: a dead head lets its group go on") {
  QueuesFixture fixture;
  fixture.begin();
  const Sequence first = fixture.put("1", {.group = "g"});
  fixture.put("2", {.group = "g"});
  REQUIRE(fixture.nack(fixture.lease()[0], {Failure::permanent}).ok());
  const std::vector<Leased> second = fixture.lease();
  REQUIRE(second.size() == 1);
  CHECK(second[0].payload == "2");
  fixture.put("3", {.group = "g"});
  // Redriven while another is in flight, it waits for it, and goes before the younger one.
  REQUIRE(fixture
              .commit([&](store::Change& change) -> Result<void> {
                LIMPET_TRY(const Enqueued done, fixture.queues->redrive(change, first, {}));
                CHECK(done.task == first);
                return {};
              })
              .ok());
  fixture.audit();
  CHECK(fixture.take().empty());
  REQUIRE(fixture.ack(second[0]).ok());
  const std::vector<Leased> again = fixture.lease();
  REQUIRE(again.size() == 1);
  CHECK(again[0].payload == "1");
  REQUIRE(fixture.nack(again[0], {Failure::permanent}).ok());
  CHECK(fixture.dead()[0].letter.deaths == 2);
  CHECK(fixture.take() == Texts{"3"});
  fixture.audit();
}

TEST_CASE("queues: a dead head parks its group until it is redriven or dropped") {
  QueuesFixture fixture;
  fixture.first().group_on_dead = GroupOnDead::park;
  fixture.begin();
  const Sequence first = fixture.put("1", {.group = "g"});
  fixture.put("2", {.group = "g"});
  REQUIRE(fixture.nack(fixture.lease()[0], {Failure::permanent}).ok());
  fixture.put("3", {.group = "g"});
  CHECK(fixture.take().empty());
  fixture.audit();
  fixture.begin();
  CHECK(fixture.take().empty());
  REQUIRE(fixture
              .commit([&](store::Change& change) -> Result<void> {
                LIMPET_TRY(const Enqueued done, fixture.queues->redrive(change, first, {}));
                CHECK(done.task == first);
                return {};
              })
              .ok());
  const std::vector<Leased> again = fixture.lease();
  REQUIRE(again.size() == 1);
  CHECK(again[0].payload == "1");
  REQUIRE(fixture.nack(again[0], {Failure::permanent}).ok());
  CHECK(fixture.take().empty());
  REQUIRE(
      fixture
          .commit([&](store::Change& change) { return fixture.queues->drop_dead(change, first); })
          .ok());
  fixture.audit();
  CHECK(fixture.take() == Texts{"2"});
  CHECK(fixture.count_rows(store::Key('g')) == 2);
}

TEST_CASE("queues: what expires while it waits in its group leaves the group in order") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("1", {.group = "g"});
  fixture.put("2", {.ttl = seconds(5), .group = "g"});
  fixture.put("3", {.group = "g"});
  const std::vector<Leased> given = fixture.lease(10, seconds(60));
  REQUIRE(given.size() == 1);
  fixture.pass(seconds(5));
  CHECK(fixture.dead().size() == 1);
  CHECK(fixture.take().empty());
  REQUIRE(fixture.ack(given[0]).ok());
  CHECK(fixture.take() == Texts{"3"});
  fixture.audit();
}
