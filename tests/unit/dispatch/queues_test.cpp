#include "dispatch/queues.hpp"

#include "tests/unit/dispatch/queues_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using namespace limpet::testing;

TEST_CASE("queues: a task is given once, and is gone when it is acknowledged") {
  QueuesFixture fixture;
  fixture.begin();
  const Sequence task = fixture.put("a");
  CHECK(fixture.stats().tasks == 1);
  const std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 1);
  CHECK(given[0].task == task);
  CHECK(given[0].payload == "a");
  CHECK(given[0].attempt == 1);
  CHECK(fixture.queues->queue_of(task) == "work");
  CHECK(fixture.lease().empty());
  REQUIRE(fixture.ack(given[0]).ok());
  CHECK_FALSE(fixture.queues->queue_of(task));
  CHECK(fixture.lease().empty());
  CHECK(fixture.stats().tasks == 0);
  CHECK(fixture.stats().acked == 1);
  CHECK(fixture.stats().leased == 0);
  CHECK(fixture.count_rows(store::queue_prefix(store::first_user_queue)) == 0);
  fixture.audit();
}

TEST_CASE("queues: nothing that was acknowledged to its producer is lost over a restart") {
  // openclaw #54322: replies and messages lost when the process restarts.
  QueuesFixture fixture;
  fixture.begin();
  Texts all;
  for (int index = 0; index < 50; ++index) {
    all.push_back("task " + std::to_string(index));
    fixture.put(all.back(), {.tenant = index % 2 == 0 ? "" : "acme"});
  }
  const std::vector<Leased> given = fixture.lease(10);
  REQUIRE(given.size() == 10);
  for (const Leased& one : given) std::erase(all, one.payload);
  for (size_t index = 0; index < 5; ++index) REQUIRE(fixture.ack(given[index]).ok());
  for (size_t index = 5; index < 10; ++index) all.push_back(given[index].payload);
  fixture.begin();
  fixture.audit();
  Texts again = fixture.take();
  std::ranges::sort(again);
  std::ranges::sort(all);
  CHECK(again == all);
}

TEST_CASE("queues: a task is not given once its ack is on the way") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  const std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 1);
  REQUIRE(fixture
              .submit([&](store::Change& change) -> Result<void> {
                LIMPET_TRY(const Settled done, fixture.queues->ack(change, given[0].ref(), {}));
                CHECK_FALSE(done.dead);
                return {};
              })
              .ok());
  CHECK(fixture.lease().empty());
  fixture.clock.advance(seconds(60));
  fixture.run_due();
  CHECK(fixture.lease().empty());
  CHECK(fixture.stats().tasks == 0);
}

TEST_CASE("queues: a change that is dropped leaves everything as it was") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a", {.tenant = "acme"});
  fixture.put("b", {.group = "g"});
  fixture.put("c", {.group = "g"});
  const std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 2);
  const QueueStats before = fixture.stats();
  {
    store::Change change = fixture.store->begin();
    const ByteVector payload = QueuesFixture::item("d");
    NewTask task;
    task.payload = payload;
    task.tenant = "new";
    task.key = "k";
    task.group = "g";
    REQUIRE(fixture.queues->enqueue(change, "work", task).ok());
    REQUIRE(fixture.queues->ack(change, given[0].ref(), {}).ok());
    REQUIRE(fixture.queues->nack(change, given[1].ref(), {Failure::permanent}).ok());
    REQUIRE(fixture.queues->set_state(change, "work", QueueState::paused).ok());
    CHECK(fixture.queues->ack(change, given[0].ref(), {}).error().code == ErrorCode::conflict);
    fixture.queues->dropped();
  }
  const QueueStats after = fixture.stats();
  CHECK(after.leased == before.leased);
  CHECK(after.tasks == before.tasks);
  CHECK(after.state == QueueState::open);
  CHECK(after.acked == 0);
  CHECK(after.died == 0);
  fixture.audit();
  REQUIRE(fixture.ack(given[0]).ok());
  REQUIRE(fixture.ack(given[1]).ok());
  CHECK(fixture.take() == Texts{"c"});
  CHECK(fixture.put("d", {.key = "k", .tenant = "new"}).value() > given[1].task.value());
  fixture.audit();
}

TEST_CASE("queues: a task that is enqueued and its lease see each other only through the disk") {
  QueuesFixture fixture;
  fixture.begin();
  Texts taken;
  for (int index = 0; index < 300; ++index) {
    fixture.put_unsettled(std::to_string(index),
                          {.delay = index % 5 == 0 ? milliseconds(7) : Duration{}});
    if (index % 4 == 0) fixture.clock.advance(milliseconds(3));
    if (index % 7 == 0) {
      fixture.store->deliver();
      fixture.queues->deliver();
    }
    for (const std::string& one : fixture.take(4)) taken.push_back(one);
  }
  fixture.settle();
  fixture.pass(milliseconds(10));
  for (const std::string& one : fixture.take(1000)) taken.push_back(one);
  std::set<std::string> all(taken.begin(), taken.end());
  CHECK(taken.size() == 300);
  CHECK(all.size() == 300);
}

TEST_CASE("queues: the row of a change that was begun before a lease is not passed over") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("delayed", {.delay = milliseconds(3)});
  store::Change change = fixture.store->begin();
  fixture.clock.advance(milliseconds(5));
  CHECK(fixture.take() == Texts{"delayed"});
  const ByteVector payload = QueuesFixture::item("early");
  NewTask task;
  task.payload = payload;
  REQUIRE(fixture.queues->enqueue(change, "work", task).ok());
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.queues->submitted();
  fixture.settle();
  CHECK(fixture.take() == Texts{"early"});
}

TEST_CASE("queues: what is delayed is not given early, and not forgotten") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("late", {.delay = seconds(5)});
  CHECK(fixture.take().empty());
  const auto due = fixture.queues->next_due("work");
  REQUIRE(due);
  CHECK(*due == fixture.store->now_ms() + 5000);
  CHECK(fixture.queues->next_alarm() == due);
  CHECK(fixture.stats().delayed == 1);
  fixture.pass(milliseconds(4999));
  CHECK(fixture.take().empty());
  fixture.woken.clear();
  fixture.pass(milliseconds(1));
  CHECK(fixture.woken == Texts{"work"});
  CHECK(fixture.take() == Texts{"late"});
  fixture.put("again", {.delay = seconds(5)});
  fixture.begin();
  CHECK(fixture.take() == Texts{"late"});
  fixture.pass(seconds(6));
  CHECK(fixture.take() == Texts{"again"});
}

TEST_CASE("queues: priority goes first, and with ageing nothing starves") {
  QueuesFixture fixture;
  fixture.first().ageing = seconds(1);
  fixture.first().in_flight_max = 100000;
  fixture.begin();
  fixture.put("low", {.priority = 0});
  bool low_given = false;
  int high_given = 0;
  for (int round = 0; round < 40 && !low_given; ++round) {
    fixture.put("high", {.priority = 9});
    fixture.pass(milliseconds(500));
    for (const Leased& one : fixture.lease(1)) {
      low_given = one.payload == "low";
      high_given += low_given ? 0 : 1;
      REQUIRE(fixture.ack(one).ok());
    }
  }
  CHECK(low_given);
  CHECK(high_given >= 17);  // nine steps of a second each
}

TEST_CASE("queues: without ageing priorities are strict") {
  QueuesFixture fixture;
  fixture.first().ageing = {};
  fixture.begin();
  fixture.put("low", {.priority = 0});
  fixture.pass(seconds(100000));
  fixture.put("high", {.priority = 9});
  fixture.put("middle", {.priority = 4});
  CHECK(fixture.take() == Texts{"high", "middle", "low"});
}

TEST_CASE("queues: tenants take turns, whatever one of them has waiting") {
  QueuesFixture fixture;
  fixture.first().in_flight_max = 10000;
  fixture.begin();
  const std::string payload(1000, 'x');
  for (int index = 0; index < 200; ++index) fixture.put_unsettled(payload, {.tenant = "loud"});
  for (int index = 0; index < 20; ++index) fixture.put_unsettled(payload, {.tenant = "quiet"});
  fixture.settle();
  std::map<std::string, int> given;
  for (const Leased& one : fixture.lease(40)) ++given[one.tenant];
  CHECK(given["quiet"] >= 16);
  CHECK(given["loud"] >= 16);
}

TEST_CASE(
    "queues: a paused queue takes and does not give, a draining one gives and does not take") {
  QueuesFixture fixture;
  fixture.begin();
  const auto set = [&](QueueState state) {
    REQUIRE(fixture
                .commit([&](store::Change& change) {
                  return fixture.queues->set_state(change, "work", state);
                })
                .ok());
  };
  set(QueueState::paused);
  fixture.put("a");
  CHECK(fixture.take().empty());
  fixture.begin();
  CHECK(fixture.stats().state == QueueState::paused);
  CHECK(fixture.take().empty());
  fixture.woken.clear();
  set(QueueState::draining);
  CHECK(fixture.woken == Texts{"work"});
  CHECK(fixture.try_put("b").error().code == ErrorCode::closed);
  CHECK(fixture.take() == Texts{"a"});
  set(QueueState::open);
  fixture.put("b");
}

TEST_CASE("queues: a queue that the config no longer has gives what it holds and takes nothing") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  fixture.first().name = "other";
  fixture.begin();
  CHECK_FALSE(fixture.stats("work").configured);
  CHECK(fixture.stats("other").tasks == 0);
  CHECK(fixture.try_put("b").error().code == ErrorCode::not_found);
  CHECK(fixture.take() == Texts{"a"});
  fixture.first().name = "work";
  REQUIRE(fixture.queues->reload(fixture.settings).ok());
  CHECK(fixture.stats("work").configured);
  CHECK_FALSE(fixture.stats("other").configured);
}

TEST_CASE("queues: limits of what is in flight hold by count and by bytes") {
  QueuesFixture fixture;
  fixture.first().in_flight_max = 3;
  fixture.first().in_flight_bytes_max = 2500;
  fixture.begin();
  for (int index = 0; index < 5; ++index) fixture.put("small");
  std::vector<Leased> given = fixture.lease();
  CHECK(given.size() == 3);
  CHECK(fixture.lease().empty());
  CHECK(fixture.stats().limited == 2);
  fixture.woken.clear();
  for (const Leased& one : given) REQUIRE(fixture.ack(one).ok());
  CHECK(fixture.woken.size() >= 1);
  for (const Leased& one : fixture.lease()) REQUIRE(fixture.ack(one).ok());
  const std::string large(1200, 'x');
  for (int index = 0; index < 3; ++index) fixture.put(large);
  CHECK(fixture.lease().size() == 2);
  CHECK(fixture.lease().empty());
}

TEST_CASE("queues: a lease takes no more bytes than it asked for, and at least one task") {
  QueuesFixture fixture;
  fixture.begin();
  const std::string payload(1000, 'x');
  for (int index = 0; index < 5; ++index) fixture.put(payload);
  LeaseOptions how;
  how.tasks_max = 5;
  how.bytes_max = 2500;
  const LeaseVisitor ignore = [](const LeasedTask&) {};
  CHECK(fixture.queues->lease("work", how, ignore).value() == 2);
  how.bytes_max = 10;
  CHECK(fixture.queues->lease("work", how, ignore).value() == 1);
}

TEST_CASE("queues: a rate spreads leases over time") {
  QueuesFixture fixture;
  fixture.first().rate = {10, seconds(1), 2};
  fixture.begin();
  for (int index = 0; index < 5; ++index) fixture.put("x");
  CHECK(fixture.take().size() == 2);
  CHECK(fixture.take().empty());
  CHECK(fixture.stats().limited >= 1);
  CHECK(fixture.queues->next_due("work") == fixture.store->now_ms() + 100);
  fixture.pass(milliseconds(100));
  CHECK(fixture.take().size() == 1);
  CHECK(fixture.take().empty());
}

TEST_CASE("queues: an acknowledgement may carry a result, which becomes an event") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a", {.correlation = "c1", .run = RunId(77)});
  const std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 1);
  REQUIRE(fixture.ack(given[0], QueuesFixture::item("result")).ok());
  const std::vector<Event> done = fixture.events_of(event_type::task_done);
  REQUIRE(done.size() == 1);
  CHECK(done[0].subject == "work");
  CHECK(done[0].correlation == "c1");
  CHECK(done[0].run == RunId(77));
  CHECK(done[0].causation == qualified_id(Epoch(42), given[0].task.value()));
  CHECK(as_text(done[0].data).find("result") != std::string_view::npos);
}

TEST_CASE("queues: a full queue refuses and says when to come back") {
  QueuesFixture fixture;
  fixture.first().tasks_max = 2;
  fixture.begin();
  fixture.put("a");
  fixture.put("b");
  CHECK(fixture.try_put("c").error().code == ErrorCode::full);
  CHECK(fixture.stats().refused_full == 1);
  CHECK(fixture.queues->retry_after("work") > Duration{});
  const std::vector<Leased> given = fixture.lease(1);
  CHECK(fixture.try_put("c").error().code == ErrorCode::full);
  REQUIRE(fixture.ack(given[0]).ok());
  fixture.put("c");
  fixture.audit();
}

TEST_CASE("queues: a full queue of drop_oldest lets the oldest die that nobody has") {
  QueuesFixture fixture;
  fixture.first().tasks_max = 3;
  fixture.first().overflow = Overflow::drop_oldest;
  fixture.begin();
  fixture.put("a");
  fixture.clock.advance(milliseconds(1));
  fixture.put("b", {.priority = 9});
  fixture.clock.advance(milliseconds(1));
  fixture.put("c", {.priority = 1});
  const std::vector<Leased> given = fixture.lease(1);
  REQUIRE(given.size() == 1);
  CHECK(given[0].payload == "b");
  fixture.put("d");
  CHECK(fixture.stats().dropped_oldest == 1);
  REQUIRE(fixture.dead().size() == 1);
  CHECK(fixture.dead()[0].payload == "a");
  CHECK(fixture.dead()[0].letter.reason == store::DeathReason::overflow);
  fixture.put("e");
  CHECK(fixture.dead()[1].payload == "c");
  fixture.audit();
  CHECK(fixture.take() == Texts{"d", "e"});
  CHECK(fixture.try_put("f").error().code == ErrorCode::full);
  fixture.audit();
}

TEST_CASE("queues: a tenant has its quota") {
  QueuesFixture fixture;
  fixture.first().tenant_tasks_max = 2;
  fixture.begin();
  fixture.put("a", {.tenant = "acme"});
  fixture.put("b", {.tenant = "acme"});
  CHECK(fixture.try_put("c", {.tenant = "acme"}).error().code == ErrorCode::full);
  fixture.put("c", {.tenant = "other"});
  fixture.begin();
  CHECK(fixture.try_put("c", {.tenant = "acme"}).error().code == ErrorCode::full);
  for (const Leased& one : fixture.lease()) REQUIRE(fixture.ack(one).ok());
  fixture.put("c", {.tenant = "acme"});
  fixture.audit();
}

TEST_CASE("queues: a key is queued once within its window, over a restart too") {
  QueuesFixture fixture;
  fixture.begin();
  const Sequence task = fixture.put("a", {.key = "k"});
  const Result<Enqueued> again = fixture.try_put("a", {.key = "k"});
  REQUIRE(again.ok());
  CHECK(again->duplicate);
  CHECK(again->task == task);
  fixture.begin();
  CHECK(fixture.try_put("a", {.key = "k"})->task == task);
  CHECK(fixture.stats().duplicates == 1);
  CHECK(fixture.stats().tasks == 1);
  fixture.pass(seconds(301));
  const Result<Enqueued> later = fixture.try_put("a", {.key = "k"});
  CHECK_FALSE(later->duplicate);
  CHECK(later->task != task);
  fixture.audit();
}

TEST_CASE("queues: a key counts within one change, and for one queue") {
  QueuesFixture fixture;
  fixture.settings.push_back(QueuesFixture::work());
  fixture.settings.back().name = "second";
  fixture.begin();
  const ByteVector payload = QueuesFixture::item("a");
  NewTask task;
  task.payload = payload;
  task.key = "k";
  REQUIRE(fixture
              .commit([&](store::Change& change) -> Result<void> {
                LIMPET_TRY(const Enqueued one, fixture.queues->enqueue(change, "work", task));
                LIMPET_TRY(const Enqueued two, fixture.queues->enqueue(change, "work", task));
                LIMPET_TRY(const Enqueued three, fixture.queues->enqueue(change, "second", task));
                CHECK(two.duplicate);
                CHECK(two.task == one.task);
                CHECK_FALSE(three.duplicate);
                return {};
              })
              .ok());
}

TEST_CASE("queues: what is wrong with a task is refused before anything is changed") {
  QueuesFixture fixture;
  fixture.begin();
  CHECK(fixture.try_put("a", {.priority = 10}).error().code == ErrorCode::invalid);
  CHECK(fixture.try_put("a", {.delay = seconds(1), .group = "g"}).error().code ==
        ErrorCode::invalid);
  CHECK(fixture.try_put("a", {.delay = seconds(-1)}).error().code == ErrorCode::invalid);
  CHECK(fixture.try_put("a", {.ttl = seconds(-1)}).error().code == ErrorCode::invalid);
  CHECK(fixture.try_put("a", {.tenant = std::string(300, 't')}).error().code == ErrorCode::invalid);
  CHECK(fixture.try_put(std::string(70000, 'x')).error().code == ErrorCode::invalid);
  CHECK(fixture.try_put("a", {}, "nobody").error().code == ErrorCode::not_found);
  CHECK(fixture.read_all().empty());
}

TEST_CASE("queues: names of tenants are limited, and who has one keeps it") {
  QueuesFixture fixture;
  fixture.first().in_flight_max = 10000;
  fixture.begin();
  for (size_t index = 1; index < tenants_max; ++index) {
    fixture.put_unsettled("x", {.tenant = "t" + std::to_string(index)});
  }
  fixture.settle();
  CHECK(fixture.try_put("x", {.tenant = "one more"}).error().code == ErrorCode::full);
  fixture.put("x", {.tenant = "t7"});
  fixture.put("x");
  CHECK(fixture.lease(2000).size() == tenants_max + 1);
  fixture.begin();
  CHECK(fixture.try_put("x", {.tenant = "one more"}).error().code == ErrorCode::full);
  fixture.put("x", {.tenant = "t1023"});
  fixture.audit();
}
