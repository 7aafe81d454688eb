#include "tests/unit/dispatch/queues_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using namespace limpet::testing;

namespace {

struct DeadFixture : QueuesFixture {
  // Puts a task and has it die.
  Sequence die(std::string_view text, const NewTask& task = {}) {
    const Sequence sequence = put(text, task);
    const std::vector<Leased> given = lease(1);
    REQUIRE(given.size() == 1);
    REQUIRE(given[0].task == sequence);
    REQUIRE(nack(given[0], {Failure::permanent}).ok());
    return sequence;
  }
  Result<Enqueued> redrive(Sequence task, ByteSpan payload = {}) {
    std::optional<Enqueued> done;
    LIMPET_CHECK(commit([&](store::Change& change) -> Result<void> {
      LIMPET_TRY(done, queues->redrive(change, task, payload));
      return {};
    }));
    return *done;
  }
  Result<void> drop(Sequence task) {
    return commit([&](store::Change& change) { return queues->drop_dead(change, task); });
  }
};

}  // namespace

TEST_CASE("queues: a redriven task is ready at its old place, its deaths counted") {
  DeadFixture fixture;
  fixture.begin();
  const Sequence task = fixture.die("a");
  const store::StoreMs first_death = fixture.dead()[0].letter.first_death;
  fixture.put("b");
  fixture.pass(seconds(10));
  REQUIRE(fixture.redrive(task).ok());
  CHECK(fixture.dead().empty());
  CHECK(fixture.stats().redriven == 1);
  fixture.audit();
  const std::vector<Leased> given = fixture.lease(1);
  REQUIRE(given.size() == 1);
  CHECK(given[0].task == task);
  CHECK(given[0].attempt == 1);
  REQUIRE(fixture.nack(given[0], {Failure::permanent}).ok());
  const store::DeadLetter letter = fixture.dead()[0].letter;
  CHECK(letter.deaths == 2);
  CHECK(letter.first_death == first_death);
  CHECK(letter.last_death == first_death + 10000);
}

TEST_CASE("queues: a redriven task survives a restart and does not expire") {
  DeadFixture fixture;
  fixture.begin();
  const Sequence task = fixture.put("a", {.ttl = seconds(1)});
  fixture.pass(seconds(1));
  REQUIRE(fixture.dead().size() == 1);
  REQUIRE(fixture.redrive(task).ok());
  fixture.pass(seconds(100));
  fixture.begin();
  fixture.run_due();
  CHECK(fixture.take() == Texts{"a"});
  fixture.audit();
}

TEST_CASE("queues: redriven with another payload it is a new task") {
  DeadFixture fixture;
  fixture.begin();
  const Sequence old = fixture.die("bad", {.tenant = "acme", .correlation = "c"});
  const Result<Enqueued> done = fixture.redrive(old, QueuesFixture::item("good"));
  REQUIRE(done.ok());
  CHECK(done->task != old);
  CHECK(fixture.dead().empty());
  fixture.audit();
  const std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 1);
  CHECK(given[0].payload == "good");
  CHECK(given[0].tenant == "acme");
  REQUIRE(fixture.nack(given[0], {Failure::permanent}).ok());
  CHECK(fixture.dead()[0].letter.deaths == 2);
  const std::vector<Event> queued = fixture.events_of(event_type::task_queued);
  CHECK(queued.back().causation == qualified_id(Epoch(42), old.value()));
  CHECK(queued.back().correlation == "c");
  CHECK(fixture.stats().redriven == 1);
}

TEST_CASE("queues: a redrive keeps the limits of its queue") {
  DeadFixture fixture;
  fixture.first().tasks_max = 1;
  fixture.begin();
  const Sequence task = fixture.die("a");
  fixture.put("b");
  CHECK(fixture.redrive(task).error().code == ErrorCode::full);
  CHECK(fixture.dead().size() == 1);
  CHECK(fixture.redrive(Sequence(12345)).error().code == ErrorCode::not_found);
  fixture.audit();
}

TEST_CASE("queues: a dead letter is dropped once, and not both dropped and redriven") {
  DeadFixture fixture;
  fixture.begin();
  const Sequence task = fixture.die("a");
  store::Change change = fixture.store->begin();
  REQUIRE(fixture.queues->drop_dead(change, task).ok());
  CHECK(fixture.queues->redrive(change, task, {}).error().code == ErrorCode::not_found);
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.queues->submitted();
  CHECK(fixture.drop(task).error().code == ErrorCode::not_found);
  CHECK(fixture.dead().empty());
  fixture.audit();
}

TEST_CASE("queues: the oldest dead letters leave beyond the limit, and are counted") {
  DeadFixture fixture;
  fixture.first().dead_max = 3;
  fixture.begin();
  std::vector<Sequence> tasks;
  for (int index = 0; index < 5; ++index) tasks.push_back(fixture.die(std::to_string(index)));
  const std::vector<QueuesFixture::Dead> dead = fixture.dead();
  REQUIRE(dead.size() == 3);
  CHECK(dead[0].task == tasks[2]);
  CHECK(fixture.stats().dead_dropped == 2);
  CHECK(fixture.stats().dead == 3);
  fixture.audit();
}

TEST_CASE("queues: dead letters of all queues are listed oldest first, page by page") {
  DeadFixture fixture;
  fixture.settings.push_back(QueuesFixture::work());
  fixture.settings.back().name = "second";
  fixture.begin();
  std::vector<Sequence> tasks;
  tasks.push_back(fixture.die("a"));
  REQUIRE(fixture.try_put("b", {.ttl = seconds(1)}, "second").ok());
  fixture.pass(seconds(1));
  tasks.push_back(fixture.dead("second").front().task);
  tasks.push_back(fixture.die("c"));
  std::vector<Sequence> listed;
  for (const QueuesFixture::Dead& one : fixture.dead("")) listed.push_back(one.task);
  CHECK(listed == tasks);
  CHECK(fixture.dead("", tasks[0].next()).size() == 2);
  CHECK(fixture.dead("work").size() == 2);
}

TEST_CASE("queues: triggers see every event of theirs in its change") {
  QueuesFixture fixture;
  fixture.begin();
  std::vector<std::string> seen;
  fixture.queues = std::make_unique<Queues>(Queues::Wiring{
      *fixture.store, fixture.clock, "limpet/test", 7,
      [&seen](const EventView& event) {
        CHECK_FALSE(event.sequence.none());
        seen.emplace_back(event.type);
      },
      [](std::string_view type) -> uint8_t { return type == event_type::task_dead ? 3 : 0; }});
  REQUIRE(fixture.queues->load(fixture.settings).ok());
  fixture.put("a");
  fixture.put("b");
  const std::vector<Leased> given = fixture.lease();
  REQUIRE(given.size() == 2);
  REQUIRE(fixture.ack(given[0], QueuesFixture::item("done")).ok());
  REQUIRE(fixture.nack(given[1], {Failure::permanent}).ok());
  CHECK(seen ==
        Texts{"limpet.task.queued", "limpet.task.queued", "limpet.task.done", "limpet.task.dead"});
  CHECK(fixture.store->newest().classes[3].events == 1);
}
