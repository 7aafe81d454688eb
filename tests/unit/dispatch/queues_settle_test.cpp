#include "tests/unit/dispatch/queues_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using namespace limpet::testing;

namespace {

size_t timer_rows(QueuesFixture& fixture, store::TaskTimerKind kind) {
  return fixture.count_rows(store::task_timer_prefix(kind));
}

}  // namespace

TEST_CASE("queues: a lease that ends counts as a failure, and the task comes again") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  const std::vector<Leased> given = fixture.lease(1, seconds(10));
  fixture.pass(milliseconds(9999));
  CHECK(fixture.stats().leased == 1);
  CHECK(fixture.take().empty());
  fixture.pass(milliseconds(1));
  CHECK(fixture.stats().leased == 0);
  CHECK(fixture.stats().lease_expired == 1);
  CHECK(fixture.take().empty());  // its backoff
  fixture.woken.clear();
  fixture.pass(seconds(1));
  CHECK(fixture.woken.size() >= 1);
  const std::vector<Leased> again = fixture.lease();
  REQUIRE(again.size() == 1);
  CHECK(again[0].task == given[0].task);
  CHECK(again[0].attempt == 2);
  CHECK(timer_rows(fixture, store::TaskTimerKind::wake) == 1);
  REQUIRE(fixture.ack(again[0]).ok());
  CHECK(timer_rows(fixture, store::TaskTimerKind::wake) == 0);
  fixture.audit();
}

TEST_CASE("queues: an old token is refused and counted, before and after a restart") {
  // rabbitmq #4029: a late ack must neither end another worker's attempt nor break the worker.
  QueuesFixture fixture;
  fixture.first().backoff.min = milliseconds(1);
  fixture.begin();
  fixture.put("a");
  const std::vector<Leased> old = fixture.lease(1, seconds(1));
  fixture.pass(seconds(1));
  fixture.pass(seconds(1));
  const std::vector<Leased> current = fixture.lease(1, seconds(100));
  REQUIRE(current.size() == 1);
  CHECK(current[0].token != old[0].token);
  CHECK(fixture.ack(old[0]).error().code == ErrorCode::conflict);
  CHECK(fixture.nack(old[0]).error().code == ErrorCode::conflict);
  CHECK(fixture.queues->extend(old[0].ref(), seconds(1)).error().code == ErrorCode::conflict);
  CHECK(fixture.stats().stale == 3);
  CHECK(fixture.stats().leased == 1);
  fixture.begin();
  CHECK(fixture.ack(current[0]).error().code == ErrorCode::conflict);
  CHECK(fixture.stats().stale == 1);
  const std::vector<Leased> after = fixture.lease();
  REQUIRE(after.size() == 1);
  CHECK(fixture.ack(current[0]).error().code == ErrorCode::conflict);
  REQUIRE(fixture.ack(after[0]).ok());
  CHECK(fixture.ack(after[0]).error().code == ErrorCode::conflict);
  CHECK(fixture.ack({Sequence(999), after[0].token, 1, 5, {}, {}, {}}).error().code ==
        ErrorCode::not_found);
}

TEST_CASE("queues: a worker that extends its lease keeps its task") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  const std::vector<Leased> given = fixture.lease(1, seconds(10));
  for (int step = 0; step < 10; ++step) {
    fixture.pass(seconds(8));
    REQUIRE(fixture.queues->extend(given[0].ref(), seconds(10)).ok());
  }
  CHECK(fixture.queues->next_alarm() == fixture.store->now_ms() + 10000);
  CHECK(fixture.take().empty());
  REQUIRE(fixture.ack(given[0]).ok());
  CHECK(fixture.queues->extend(given[0].ref(), seconds(1)).error().code == ErrorCode::conflict);
}

TEST_CASE("queues: a release is no attempt, and the task is ready at once at its old place") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  fixture.put("b");
  for (int round = 0; round < 10; ++round) {
    const std::vector<Leased> given = fixture.lease(1);
    REQUIRE(given.size() == 1);
    CHECK(given[0].payload == "a");
    CHECK(given[0].attempt == 1);
    REQUIRE(fixture.release(given[0]).ok());
  }
  CHECK(fixture.stats().released == 10);
  CHECK(fixture.take() == Texts{"a", "b"});
}

TEST_CASE("queues: after a failure a task waits as its queue says, over a restart too") {
  QueuesFixture fixture;
  fixture.first().backoff.min = seconds(2);
  fixture.first().attempts_max = 10;
  fixture.begin();
  fixture.put("a");
  int64_t wait_s = 2;
  for (int attempt = 1; attempt <= 4; ++attempt, wait_s *= 2) {
    const std::vector<Leased> given = fixture.lease();
    REQUIRE(given.size() == 1);
    CHECK(given[0].attempt == attempt);
    REQUIRE(fixture.nack(given[0], {Failure::transient, {}, "no"}).ok());
    CHECK(fixture.stats().delayed == 1);
    if (attempt % 2 == 0) fixture.begin();
    CHECK(fixture.stats().delayed == 1);
    fixture.pass(seconds(wait_s) + milliseconds(-1));
    CHECK(fixture.take().empty());
    fixture.pass(milliseconds(1));
    CHECK(fixture.stats().delayed == 0);
  }
  CHECK(fixture.take() == Texts{"a"});
  CHECK(timer_rows(fixture, store::TaskTimerKind::wake) == 1);
}

TEST_CASE("queues: a nack's own delay goes before the queue's, and none is at once") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  REQUIRE(fixture.nack(fixture.lease()[0], {Failure::transient, seconds(60)}).ok());
  fixture.pass(seconds(59));
  CHECK(fixture.take().empty());
  fixture.pass(seconds(1));
  const std::vector<Leased> second = fixture.lease();
  REQUIRE(second.size() == 1);
  REQUIRE(fixture.nack(second[0], {Failure::transient, Duration{}}).ok());
  CHECK(timer_rows(fixture, store::TaskTimerKind::wake) == 0);
  const std::vector<Leased> third = fixture.lease();
  REQUIRE(third.size() == 1);
  CHECK(third[0].attempt == 3);
}

TEST_CASE("queues: a task that fails for good does not run for ever") {
  // redis #7386: without dead letters a permanent failure is retried for ever.
  QueuesFixture fixture;
  fixture.first().attempts_max = 3;
  fixture.begin();
  const Sequence poison = fixture.put("poison", {.correlation = "c", .run = RunId(5)});
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const std::vector<Leased> given = fixture.lease();
    REQUIRE(given.size() == 1);
    const Result<Settled> done = fixture.nack(given[0], {Failure::transient, Duration{}, "boom"});
    REQUIRE(done.ok());
    CHECK(done->dead == (attempt == 3));
    if (done->dead) CHECK(done->reason == store::DeathReason::attempts);
    CHECK(done->run == RunId(5));
  }
  CHECK(fixture.take().empty());
  REQUIRE(fixture.dead().size() == 1);
  const QueuesFixture::Dead dead = fixture.dead()[0];
  CHECK(dead.task == poison);
  CHECK(dead.payload == "poison");
  CHECK(dead.letter.reason == store::DeathReason::attempts);
  CHECK(dead.letter.attempts == 3);
  CHECK(dead.letter.deaths == 1);
  CHECK(dead.letter.error == "boom");
  CHECK(dead.letter.first_death == dead.letter.last_death);
  const std::vector<Event> events = fixture.events_of(event_type::task_dead);
  REQUIRE(events.size() == 1);
  CHECK(events[0].subject == "work");
  CHECK(events[0].correlation == "c");
  CHECK(events[0].run == RunId(5));
  CHECK(events[0].causation == qualified_id(Epoch(42), poison.value()));
  CHECK(fixture.stats().died == 1);
  CHECK(fixture.stats().dead == 1);
  CHECK(fixture.stats().tasks == 0);
  fixture.audit();
}

TEST_CASE("queues: a permanent failure is dead at once") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  const Result<Settled> done = fixture.nack(fixture.lease()[0], {Failure::permanent, {}, "bad"});
  REQUIRE(done.ok());
  CHECK(done->dead);
  CHECK(done->reason == store::DeathReason::rejected);
  CHECK(fixture.dead()[0].letter.attempts == 1);
}

TEST_CASE("queues: a lease that ends too often lets the task die, and its run is told") {
  QueuesFixture fixture;
  fixture.first().attempts_max = 2;
  fixture.begin();
  const Sequence task = fixture.put("a", {.run = RunId(9), .step = Ordinal(4)});
  for (int attempt = 0; attempt < 2; ++attempt) {
    REQUIRE(fixture.lease(1, seconds(1)).size() == 1);
    fixture.pass(seconds(1));
    fixture.pass(seconds(10));
  }
  REQUIRE(fixture.dead().size() == 1);
  CHECK(fixture.dead()[0].letter.error == "lease_expired");
  REQUIRE(fixture.settled.size() == 1);
  CHECK(fixture.settled[0].task == task);
  CHECK(fixture.settled[0].run == RunId(9));
  CHECK(fixture.settled[0].step == Ordinal(4));
  CHECK(fixture.settled[0].reason == store::DeathReason::attempts);
}

TEST_CASE("queues: what must not happen twice dies when its lease ends without an answer") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("pay", {.once = true});
  const auto leased = fixture.lease(1, seconds(1));
  REQUIRE(leased.size() == 1);
  REQUIRE(fixture.commit(
      [&](store::Change& change) { return fixture.queues->begin_once(change, leased[0].ref()); }));
  fixture.pass(seconds(1));
  CHECK(fixture.take().empty());
  REQUIRE(fixture.dead().size() == 1);
  CHECK(fixture.dead()[0].letter.reason == store::DeathReason::unknown_outcome);
}

TEST_CASE("queues: what must not happen twice and was begun dies after a crash, not before") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("pay", {.once = true});
  const auto leased = fixture.lease(1);
  REQUIRE(leased.size() == 1);
  REQUIRE(fixture.commit(
      [&](store::Change& change) { return fixture.queues->begin_once(change, leased[0].ref()); }));
  fixture.begin();
  CHECK(fixture.take().empty());
  fixture.run_due();
  REQUIRE(fixture.dead().size() == 1);
  CHECK(fixture.dead()[0].letter.reason == store::DeathReason::unknown_outcome);
  fixture.audit();
}

TEST_CASE("queues: what must not happen twice and was not begun is simply given again") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("pay", {.once = true});
  REQUIRE(fixture.lease(1, seconds(1)).size() == 1);
  fixture.pass(seconds(1));
  REQUIRE(fixture.lease(1).size() == 1);
  fixture.begin();
  const auto again = fixture.lease(1);
  REQUIRE(again.size() == 1);
  CHECK(again[0].attempt == 1);
}

TEST_CASE("queues: a worker that gives back what must not happen twice has not begun it") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("pay", {.once = true});
  const auto leased = fixture.lease(1);
  REQUIRE(leased.size() == 1);
  REQUIRE(fixture.commit(
      [&](store::Change& change) { return fixture.queues->begin_once(change, leased[0].ref()); }));
  REQUIRE(fixture.release(leased[0]).ok());
  fixture.begin();
  CHECK(fixture.take() == Texts{"pay"});
}

TEST_CASE("queues: an expired task is not given, but dies") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a", {.ttl = seconds(5)});
  fixture.put("b", {.group = "g"});
  fixture.put("c", {.ttl = seconds(5), .group = "g"});
  CHECK(fixture.queues->next_alarm() == fixture.store->now_ms() + 5000);
  fixture.clock.advance(seconds(5));
  CHECK(fixture.take() == Texts{"b"});  // before anybody looked at the clock
  fixture.run_due();
  CHECK(fixture.dead().size() == 2);
  for (const QueuesFixture::Dead& one : fixture.dead()) {
    CHECK(one.letter.reason == store::DeathReason::expired);
  }
  CHECK(timer_rows(fixture, store::TaskTimerKind::expiry) == 0);
  CHECK(fixture.stats().tasks == 1);
  fixture.audit();
}

TEST_CASE("queues: old work is not replayed after a long stop") {
  // openclaw #39138: 110 old messages were worked off after a restart.
  QueuesFixture fixture;
  fixture.first().ttl = seconds(60);
  fixture.begin();
  for (int index = 0; index < 300; ++index) fixture.put_unsettled("old");
  fixture.settle();
  REQUIRE(fixture.lease(10).size() == 10);
  fixture.queues.reset();
  fixture.clock.advance(seconds(3600));
  fixture.begin();
  CHECK(fixture.take().empty());
  fixture.run_due();
  CHECK(fixture.stats().dead == 300);
  CHECK(fixture.stats().tasks == 0);
  fixture.audit();
}

TEST_CASE("queues: a task that expires in a worker's hands may still be acknowledged") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a", {.ttl = seconds(5)});
  fixture.put("b", {.ttl = seconds(5)});
  fixture.put("c", {.ttl = seconds(5)});
  const std::vector<Leased> given = fixture.lease(3, seconds(20));
  REQUIRE(given.size() == 3);
  fixture.pass(seconds(6));
  CHECK(fixture.stats().dead == 0);
  REQUIRE(fixture.ack(given[0]).ok());
  const Result<Settled> back = fixture.nack(given[1], {Failure::release});
  REQUIRE(back.ok());
  CHECK(back->reason == store::DeathReason::expired);
  fixture.pass(seconds(15));
  CHECK(fixture.stats().dead == 2);
  CHECK(fixture.stats().tasks == 0);
  CHECK(timer_rows(fixture, store::TaskTimerKind::expiry) == 0);
  fixture.audit();
}

TEST_CASE("queues: a task whose expiry passes while it is being given back still dies") {
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a", {.ttl = seconds(5)});
  const std::vector<Leased> given = fixture.lease();
  fixture.clock.advance(milliseconds(4999));
  REQUIRE(fixture
              .submit([&](store::Change& change) -> Result<void> {
                LIMPET_TRY(const Settled done,
                           fixture.queues->nack(change, given[0].ref(), {Failure::release}));
                CHECK_FALSE(done.dead);
                return {};
              })
              .ok());
  fixture.clock.advance(milliseconds(1));
  // The expiry is due, and the task is neither ready nor leased.
  store::Change change = fixture.store->begin();
  CHECK(fixture.queues->run_due(change, nullptr).value() == 0);
  fixture.queues->dropped();
  fixture.run_due();
  CHECK(fixture.stats().dead == 1);
  fixture.audit();
}

TEST_CASE("queues: a delay that is shorter than a commit is not forgotten") {
  // The wake row becomes visible after its time has come.
  QueuesFixture fixture;
  fixture.begin();
  fixture.put("a");
  const std::vector<Leased> given = fixture.lease();
  store::Change change = fixture.store->begin();
  fixture.clock.advance(milliseconds(50));
  fixture.queues->deliver();
  REQUIRE(fixture.queues->nack(change, given[0].ref(), {Failure::transient, milliseconds(5)}).ok());
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.queues->submitted();
  fixture.clock.advance(milliseconds(50));
  fixture.queues->deliver();
  fixture.settle();
  CHECK(fixture.take() == Texts{"a"});
}

TEST_CASE("queues: more tasks come back at once than a lane keeps in mind, and none is forgotten") {
  QueuesFixture fixture;
  fixture.first().in_flight_max = 10000;
  fixture.first().attempts_max = 100;
  fixture.begin();
  constexpr size_t count = 3000;
  for (size_t index = 0; index < count; ++index) fixture.put_unsettled(std::to_string(index));
  fixture.settle();
  std::vector<Leased> given = fixture.lease(count);
  REQUIRE(given.size() == count);
  // From the last to the first, so that no one of them lies before the cursor.
  std::ranges::reverse(given);
  for (size_t index = 0; index < count; ++index) {
    const Failure failure = index % 3 == 0 ? Failure::transient : Failure::release;
    REQUIRE(fixture
                .submit([&](store::Change& change) -> Result<void> {
                  LIMPET_TRY(const Settled done,
                             fixture.queues->nack(change, given[index].ref(), {failure}));
                  CHECK_FALSE(done.dead);
                  return {};
                })
                .ok());
    if (index % 1000 == 999) fixture.settle();
  }
  fixture.settle();
  std::vector<Leased> again = fixture.lease(count);
  CHECK(again.size() == count - count / 3);
  fixture.pass(seconds(2));
  for (const Leased& one : fixture.lease(count)) again.push_back(one);
  CHECK(again.size() == count);
  std::set<Sequence> tasks;
  for (const Leased& one : again) tasks.insert(one.task);
  CHECK(tasks.size() == count);
  fixture.audit();
}

namespace {

// Does this and that to a queue, as a seed says.
struct Chaos : QueuesFixture {
  std::map<Sequence, Leased> held;
  uint64_t state = 99;

  Chaos() {
    first().attempts_max = 3;
    first().tasks_max = 60;
    first().overflow = Overflow::drop_oldest;
    first().dead_max = 20;
    begin();
  }
  uint64_t random(uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  }
  void put_one(int step) {
    const Texts tenants = {"", "a", "b"};
    const Texts groups = {"", "", "g", "h"};
    NewTask task;
    task.priority = static_cast<uint8_t>(random(10));
    task.tenant = tenants[random(3)];
    task.group = groups[random(4)];
    if (task.group.empty() && random(4) == 0) task.delay = milliseconds(500);
    if (random(4) == 0) task.ttl = seconds(3);
    const auto done = try_put(std::to_string(step), task);
    if (!done.ok()) CHECK(done.error().code == ErrorCode::full);
  }
  void lease_some() {
    for (const Leased& one : lease(1 + random(4), seconds(2))) {
      CHECK_FALSE(held.contains(one.task));
      held[one.task] = one;
    }
  }
  void settle_one() {
    if (held.empty()) return;
    const auto chosen = std::next(held.begin(), static_cast<std::ptrdiff_t>(random(held.size())));
    const Leased one = chosen->second;
    held.erase(chosen);
    const uint64_t how = random(6);
    if (how < 3) CHECK(ack(one).ok());
    if (how == 3) CHECK(nack(one).ok());
    if (how == 4) CHECK(nack(one, {Failure::permanent}).ok());
    if (how == 5) CHECK(release(one).ok());
  }
  void raise_dead() {
    const std::vector<Dead> letters = dead();
    if (letters.empty()) return;
    const Sequence task = letters[random(letters.size())].task;
    const Result<void> done = commit([&](store::Change& change) -> Result<void> {
      if (random(3) == 0) return queues->drop_dead(change, task);
      LIMPET_TRY(const Enqueued again, queues->redrive(change, task, {}));
      CHECK(again.task == task);
      return {};
    });
    if (!done.ok()) CHECK(done.error().code == ErrorCode::full);
  }
  void step(int number) {
    const uint64_t what = random(20);
    if (what < 8) return put_one(number);
    if (what < 12) return lease_some();
    if (what < 17) return settle_one();
    if (what == 17) {
      pass(milliseconds(static_cast<int64_t>(random(900))));
      std::erase_if(held, [&](const auto& one) { return !queues->queue_of(one.first); });
    } else if (what == 18) {
      raise_dead();
    } else if (random(10) == 0) {
      held.clear();
      begin();
    }
  }
};

}  // namespace

TEST_CASE("queues: whatever is done to them, counters match rows and nobody shares a task") {
  Chaos chaos;
  for (int step = 0; step < 1500; ++step) {
    chaos.step(step);
    if (step % 10 == 0) chaos.audit();
  }
  chaos.audit();
  // Everything that is left can be worked off.
  chaos.begin();
  for (int round = 0; round < 200 && chaos.stats().tasks > 0; ++round) {
    for (const Leased& one : chaos.lease()) CHECK(chaos.ack(one).ok());
    chaos.pass(seconds(1));
  }
  CHECK(chaos.stats().tasks == 0);
  CHECK(timer_rows(chaos, store::TaskTimerKind::wake) == 0);
  CHECK(timer_rows(chaos, store::TaskTimerKind::expiry) == 0);
  CHECK(chaos.count_rows(store::Key('g')) == 0);
  chaos.audit();
}
