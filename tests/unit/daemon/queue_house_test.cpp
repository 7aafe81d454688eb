#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

using Tasks = std::vector<api::TaskView>;

api::LeaseRequest wants(uint32_t count, int64_t wait_ms = 0) {
  api::LeaseRequest request;
  request.queue = "ocr";
  request.tasks_max = count;
  request.wait_ms = wait_ms;
  request.principal = "uid:1";
  return request;
}

// An agent whose one tool is answered by the workers of the queue `ocr`.
struct QueueHouseFixture : HouseFixture {
  explicit QueueHouseFixture(ToolHints hints = acts_once) {
    dispatch::QueueSettings queue;
    queue.name = "ocr";
    queue.lease = seconds(30);
    queue.backoff.jitter_percent = 0;
    wanted_queues.queues.push_back(queue);
    daemon::ToolRule rule;
    rule.pattern = "ocr.page";
    rule.queue = "ocr";
    rule.hints = hints;
    wanted_queues.tools.push_back(rule);
    add_agent("reader", [](const SeenTurn& seen, Decide& decide) {
      if (seen.type == "page.new") decide.call("read", "ocr.page");
      if (seen.step == "read" && seen.outcome == "done") decide.complete();
      if (seen.step == "read" && seen.outcome == "failed") decide.fail("unreadable");
    });
    add_trigger("reader", "page.new", "{subject}");
  }

  Tasks lease(uint32_t count = 10) {
    Tasks tasks;
    life->queue_house.lease(wants(count), [&](api::Answer<Tasks> answer) {
      if (auto* got = std::get_if<Tasks>(&answer)) tasks = std::move(*got);
    });
    life->store->drain();  // the answer waits for the disk when the task must not happen twice
    return tasks;
  }
  // Answers the first refusal, or nothing.
  std::optional<api::Refusal> settle_task(const api::SettleRequest& request) {
    std::optional<api::Refusal> refusal;
    bool answered = false;
    life->queue_house.settle({request}, [&](api::Answer<api::SettleAnswers> answer) {
      answered = true;
      if (auto* all = std::get_if<api::SettleAnswers>(&answer)) refusal = all->at(0);
      if (auto* whole = std::get_if<api::Refusal>(&answer)) refusal = *whole;
    });
    REQUIRE(settle());
    REQUIRE(answered);
    return refusal;
  }
  static api::SettleRequest ack(const api::TaskView& task, ByteVector result = {}) {
    api::SettleRequest request;
    request.task = task.task;
    request.token = task.token;
    request.result = std::move(result);
    return request;
  }
  static api::SettleRequest nack(const api::TaskView& task, bool permanent) {
    api::SettleRequest request = ack(task);
    request.verdict = api::Verdict::nack;
    request.permanent = permanent;
    request.reason = "as the test says";
    return request;
  }
  api::TasksTaken enqueue(std::vector<api::TaskRequest> requests) {
    api::TasksTaken taken;
    life->queue_house.enqueue("ocr", std::move(requests), "uid:1",
                              [&](api::Answer<api::TasksTaken> answer) {
                                if (auto* ok = std::get_if<api::TasksTaken>(&answer)) taken = *ok;
                              });
    REQUIRE(settle());
    return taken;
  }
  static api::TaskRequest request(std::string_view text) {
    api::TaskRequest task;
    task.payload = codec::cbor_item(text);
    return task;
  }
  RunState state() { return runs().at(0).state; }
};

}  // namespace

TEST_CASE("worker tools: the result of a worker is the result of the run's call") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  const Tasks tasks = fixture.lease();
  REQUIRE(tasks.size() == 1);
  CHECK(fixture.host.calls.empty());
  CHECK(fixture.state() == RunState::waiting);
  CHECK(tasks[0].principal == "agent:reader");
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::ack(tasks[0], codec::cbor_item("text"))));
  CHECK(fixture.state() == RunState::completed);
  CHECK(fixture.life->queues.stats("ocr")->tasks == 0);
  CHECK(fixture.log("limpet.step.started").size() == 1);
}

TEST_CASE("worker tools: a permanent failure is the call's failure") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  const Tasks tasks = fixture.lease();
  REQUIRE(tasks.size() == 1);
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::nack(tasks[0], true)));
  CHECK(fixture.state() == RunState::failed);
  CHECK(fixture.runs().at(0).reason == "unreadable");
  CHECK(fixture.life->queues.stats("ocr")->dead == 1);
}

TEST_CASE(
    "worker tools: a worker that dies with a call that must not run twice leaves a question") {
  QueueHouseFixture fixture(acts_once);
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.lease().size() == 1);
  fixture.advance(seconds(31));
  REQUIRE(fixture.settle());
  CHECK(fixture.state() == RunState::paused);
  CHECK(fixture.runs().at(0).reason == "unknown_outcome");
  CHECK(fixture.lease().empty());
  // A person says that it did not happen: a new task, and the run goes on.
  fixture.life->calls.resolve(
      {fixture.runs().at(0).id, Ordinal(1), Outcome::retry, {}, {}, "uid:1000"}, [](auto) {});
  REQUIRE(fixture.settle());
  const Tasks again = fixture.lease();
  REQUIRE(again.size() == 1);
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::ack(again[0])));
  CHECK(fixture.state() == RunState::completed);
}

TEST_CASE("worker tools: oban #862: a call whose worker dies goes to the next one, and only once") {
  QueueHouseFixture fixture(acts_repeatably);
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  const Tasks first = fixture.lease();
  REQUIRE(first.size() == 1);
  fixture.advance(seconds(31));
  REQUIRE(fixture.settle());
  fixture.advance(seconds(10));
  REQUIRE(fixture.settle());
  const Tasks second = fixture.lease();
  REQUIRE(second.size() == 1);
  CHECK(second[0].attempt == 2);
  const auto stale = fixture.settle_task(QueueHouseFixture::ack(first[0]));
  REQUIRE(stale.has_value());
  CHECK(stale->error.code == ErrorCode::conflict);
  CHECK(fixture.state() == RunState::waiting);
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::ack(second[0])));
  CHECK(fixture.state() == RunState::completed);
}

TEST_CASE("worker tools: a crash between the task and its answer keeps both the task and the run") {
  QueueHouseFixture fixture(acts_repeatably);
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  const Tasks before = fixture.lease();
  REQUIRE(before.size() == 1);
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.settle_task(QueueHouseFixture::ack(before[0])).has_value());
  const Tasks after = fixture.lease();
  REQUIRE(after.size() == 1);
  CHECK(after[0].task == before[0].task);
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::ack(after[0])));
  CHECK(fixture.state() == RunState::completed);
  CHECK(fixture.log("limpet.step.started").size() == 1);
}

TEST_CASE("worker tools: after a crash nobody gets a task that a worker may have carried out") {
  QueueHouseFixture fixture(acts_once);
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  REQUIRE(fixture.lease().size() == 1);
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.lease().empty());
  REQUIRE(fixture.settle());
  CHECK(fixture.state() == RunState::paused);
  CHECK(fixture.runs().at(0).reason == "unknown_outcome");
  CHECK(fixture.life->queues.stats("ocr")->dead == 1);
}

TEST_CASE("worker tools: a worker that gives a task back unharmed has not begun it") {
  QueueHouseFixture fixture(acts_once);
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  const Tasks first = fixture.lease();
  REQUIRE(first.size() == 1);
  api::SettleRequest release = QueueHouseFixture::nack(first[0], false);
  release.release = true;
  CHECK_FALSE(fixture.settle_task(release));
  REQUIRE(fixture.restart());
  REQUIRE(fixture.settle());
  CHECK(fixture.lease().size() == 1);
  CHECK(fixture.state() == RunState::waiting);
}

TEST_CASE(
    "worker tools: the start of a task that must not run twice is on disk before its worker") {
  QueueHouseFixture fixture(acts_once);
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "7");
  REQUIRE(fixture.settle());
  fixture.hold_writer();
  bool answered = false;
  fixture.life->queue_house.lease(wants(1), [&](auto) { answered = true; });
  fixture.life->store->deliver();
  CHECK_FALSE(answered);
  fixture.release_writer();
  fixture.life->store->drain();
  CHECK(answered);
}

TEST_CASE("worker tools: calls over the rate wait in the store and come in their time") {
  QueueHouseFixture fixture(acts_repeatably);
  fixture.wanted_queues.tools[0].rate = {1, seconds(10), 0};
  REQUIRE(fixture.open());
  for (const char* page : {"1", "2", "3"}) fixture.ingest("page.new", page);
  REQUIRE(fixture.settle());
  CHECK(fixture.lease().size() == 1);
  for (int round = 0; round < 2; ++round) {
    fixture.advance(seconds(10) + milliseconds(5));
    REQUIRE(fixture.settle());
    CHECK(fixture.lease().size() == 1);
  }
}

TEST_CASE("worker tools: a call for a full queue waits until there is room") {
  QueueHouseFixture fixture(acts_repeatably);
  fixture.wanted_queues.queues[0].tasks_max = 1;
  REQUIRE(fixture.open());
  fixture.ingest("page.new", "1");
  fixture.ingest("page.new", "2");
  REQUIRE(fixture.settle());
  const Tasks first = fixture.lease();
  REQUIRE(first.size() == 1);
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::ack(first[0])));
  for (int round = 0; round < 100 && fixture.life->queues.stats("ocr")->tasks == 0; ++round) {
    fixture.advance(seconds(1));
    REQUIRE(fixture.settle());
  }
  CHECK(fixture.lease().size() == 1);
}

TEST_CASE("queue house: a worker that waits gets the task as soon as it is on disk") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  Tasks got;
  int answers = 0;
  fixture.life->queue_house.lease(wants(5, 20000), [&](api::Answer<Tasks> answer) {
    ++answers;
    got = std::get<Tasks>(answer);
  });
  REQUIRE(fixture.settle());
  CHECK(answers == 0);
  fixture.enqueue({QueueHouseFixture::request("a")});
  CHECK(answers == 1);
  CHECK(got.size() == 1);
}

TEST_CASE("queue house: a wait ends empty when its time is over, or when the worker has gone") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  int answers = 0;
  const auto count = [&](api::Answer<Tasks> answer) {
    ++answers;
    CHECK(std::get<Tasks>(answer).empty());
  };
  fixture.life->queue_house.lease(wants(5, 20000), count);
  const uint64_t gone = fixture.life->queue_house.lease(wants(5, 20000), count);
  fixture.life->queue_house.cancel_lease(gone);
  fixture.advance(seconds(20));
  REQUIRE(fixture.settle());
  CHECK(answers == 1);
}

TEST_CASE("queue house: no more workers wait than the limit, and the next is told") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  for (size_t worker = 0; worker < daemon::waits_max; ++worker) {
    fixture.life->queue_house.lease(wants(1, 20000), [](auto) {});
  }
  bool busy = false;
  fixture.life->queue_house.lease(wants(1, 20000), [&](api::Answer<Tasks> answer) {
    const auto* refusal = std::get_if<api::Refusal>(&answer);
    busy = refusal != nullptr && refusal->error.code == ErrorCode::busy;
  });
  CHECK(busy);
}

TEST_CASE("queue house: tasks of one request are taken together or not at all") {
  QueueHouseFixture fixture;
  fixture.wanted_queues.queues[0].tasks_max = 2;
  REQUIRE(fixture.open());
  std::optional<api::Refusal> refusal;
  fixture.life->queue_house.enqueue(
      "ocr",
      {QueueHouseFixture::request("a"), QueueHouseFixture::request("b"),
       QueueHouseFixture::request("c")},
      "uid:1", [&](api::Answer<api::TasksTaken> answer) {
        if (auto* refused = std::get_if<api::Refusal>(&answer)) refusal = *refused;
      });
  REQUIRE(fixture.settle());
  REQUIRE(refusal.has_value());
  CHECK(refusal->error.code == ErrorCode::full);
  CHECK(refusal->retry_after_ms > 0);
  CHECK(fixture.life->queues.stats("ocr")->tasks == 0);
  CHECK(fixture.log("limpet.task.queued").empty());
}

TEST_CASE("queue house: a redrive of many goes at its rate and ends") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  std::vector<api::TaskRequest> many;
  for (int count = 0; count < 20; ++count) many.push_back(QueueHouseFixture::request("x"));
  fixture.enqueue(many);
  for (const api::TaskView& task : fixture.lease(20)) {
    CHECK_FALSE(fixture.settle_task(QueueHouseFixture::nack(task, true)));
  }
  REQUIRE(fixture.life->queues.stats("ocr")->dead == 20);
  uint64_t promised = 0;
  fixture.life->queue_house.redrive({{}, "ocr", {}, 0, 10, "uid:1"},
                                    [&](auto answer) { promised = std::get<uint64_t>(answer); });
  CHECK(promised == 20);
  REQUIRE(fixture.settle());
  CHECK(fixture.life->queues.stats("ocr")->dead >= 16);
  for (int tick = 0; tick < 30; ++tick) {
    fixture.advance(milliseconds(100));
    REQUIRE(fixture.settle());
  }
  CHECK(fixture.life->queues.stats("ocr")->dead == 0);
  CHECK(fixture.lease(100).size() == 20);
}

TEST_CASE("queue house: a dead task reaches the agent that is to be told") {
  QueueHouseFixture fixture;
  fixture.add_agent("alarm", [](const SeenTurn&, Decide& decide) { decide.emit("alarm.raised"); });
  fixture.add_trigger("alarm", "limpet.task.dead");
  REQUIRE(fixture.open());
  fixture.enqueue({QueueHouseFixture::request("x")});
  const Tasks tasks = fixture.lease();
  REQUIRE(tasks.size() == 1);
  CHECK_FALSE(fixture.settle_task(QueueHouseFixture::nack(tasks[0], true)));
  CHECK(fixture.log("limpet.task.dead").size() == 1);
  CHECK(fixture.log("alarm.raised").size() == 1);
}

TEST_CASE("drops: a flood of refusals is one event an interval, with their number") {
  QueueHouseFixture fixture;
  fixture.wanted_queues.queues[0].tasks_max = 1;
  REQUIRE(fixture.open());
  fixture.life->drop_reports.pump();
  fixture.enqueue({QueueHouseFixture::request("a")});
  for (int count = 0; count < 500; ++count) fixture.enqueue({QueueHouseFixture::request("b")});
  fixture.life->drop_reports.pump();
  REQUIRE(fixture.settle());
  CHECK(fixture.log("limpet.drop").empty());
  for (int interval = 0; interval < 3; ++interval) {
    fixture.advance(milliseconds(daemon::drop_report_interval_ms));
    fixture.life->drop_reports.pump();
    REQUIRE(fixture.settle());
  }
  size_t full = 0;
  for (const Event& drop : fixture.log("limpet.drop")) {
    if (member(drop, "reason") != "queue_full") continue;
    ++full;
    CHECK(drop.subject == "ocr");
    CHECK(member(drop, "count") == "500");
  }
  CHECK(full == 1);
}

TEST_CASE("queue house: dropping all dead letters of a queue drops all of them") {
  QueueHouseFixture fixture;
  REQUIRE(fixture.open());
  const size_t count = limits::batch_events_max + 44;
  for (size_t sent = 0; sent < count; sent += 100) {
    fixture.enqueue(std::vector<api::TaskRequest>(100, QueueHouseFixture::request("x")));
    std::vector<api::SettleRequest> nacks;
    for (const api::TaskView& task : fixture.lease(100)) {
      nacks.push_back(QueueHouseFixture::nack(task, true));
    }
    fixture.life->queue_house.settle(nacks, [](const auto&) {});
    REQUIRE(fixture.settle());
  }
  REQUIRE(fixture.life->queues.stats("ocr")->dead == count);
  uint64_t dropped = 0;
  fixture.life->queue_house.drop_dead({}, "ocr",
                                      [&](auto answer) { dropped = std::get<uint64_t>(answer); });
  REQUIRE(fixture.settle());
  CHECK(dropped == count);
  CHECK(fixture.life->queues.stats("ocr")->dead == 0);
}
