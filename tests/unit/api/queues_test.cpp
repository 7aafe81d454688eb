// The queues' operators: states and dead letters.

#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

api::DeadView make_dead(uint64_t number, std::string queue) {
  api::DeadView letter;
  letter.task = Sequence(number);
  letter.queue = std::move(queue);
  letter.reason = "attempts";
  letter.error = "no route";
  letter.attempts = 5;
  letter.deaths = 1;
  letter.first_death_ms = 1'700'000'000'000;
  letter.last_death_ms = 1'700'000'000'500;
  letter.enqueued = WallTime{1'600'000'000'000'000'000U};
  letter.payload = codec::cbor_map({{"n", 1}});
  return letter;
}

void add_dead(ServerFixture& server) {
  server.on_loop([&] {
    for (uint64_t number = 1; number <= 5; ++number) {
      server.queues.dead.push_back(make_dead(number, number == 3 ? "other" : "jobs"));
    }
  });
}

}  // namespace

TEST_CASE("queues: are shown, paused, drained and opened again") {
  ServerFixture server;
  CHECK(server.expect(200, "GET", "/v1/queues") == R"({"queues":[]})");
  const auto state = [&] {
    dispatch::QueueState now = {};
    server.on_loop([&] { now = server.queues.state; });
    return now;
  };
  CHECK(server.expect(200, "POST", "/v1/queues/jobs/pause") ==
        R"({"queue":"jobs","state":"paused"})");
  CHECK(state() == dispatch::QueueState::paused);
  CHECK(contains(server.expect(200, "POST", "/v1/queues/jobs/drain", "{}"), "draining"));
  CHECK(state() == dispatch::QueueState::draining);
  CHECK(contains(server.expect(200, "POST", "/v1/queues/jobs/resume"), R"("state":"open")"));
  CHECK(state() == dispatch::QueueState::open);
  CHECK(contains(server.expect(404, "POST", "/v1/queues/none/pause"), "`none`"));
  CHECK(contains(server.expect(400, "POST", "/v1/queues/jobs/pause", R"({"now":true})"), "`now`"));
}

TEST_CASE("queues: what changes them needs the right to operate, what reads them does not") {
  ServerFixture server;
  server.on_loop([&] { server.services.may_operate = false; });
  for (const char* const target :
       {"/v1/queues/jobs/pause", "/v1/queues/jobs/resume", "/v1/queues/jobs/drain",
        "/v1/dead/redrive", "/v1/dead/04hmasw9-1/redrive", "/v1/consumers/c/pause"}) {
    CHECK(contains(server.expect(403, "POST", target, "{}"), "problems/denied"));
  }
  CHECK(contains(server.expect(403, "DELETE", "/v1/dead?queue=jobs"), "problems/denied"));
  CHECK(contains(server.expect(403, "PUT", "/v1/consumers/c", "{}"), "problems/denied"));
  CHECK(contains(server.expect(200, "GET", "/v1/dead"), "\"dead\""));
}

TEST_CASE("dead: letters are listed by page and queue, without their payloads") {
  ServerFixture server;
  add_dead(server);
  const std::string page = server.expect(200, "GET", "/v1/dead?limit=2&queue=jobs");
  CHECK(page.find("04hmasw9-1") < page.find("04hmasw9-2"));
  CHECK(contains(page, R"("next":"04hmasw9-4"})"));
  CHECK_FALSE(contains(page, "payload"));
  const std::string rest = server.expect(200, "GET", "/v1/dead?from=04hmasw9-4");
  CHECK(contains(rest, R"("id":"04hmasw9-5")"));
  CHECK(contains(rest, R"("next":null})"));
  for (const char* const wrong : {"/v1/dead?limit=0", "/v1/dead?limit=101", "/v1/dead?from=7",
                                  "/v1/dead?from=zzzzzzzz-1", "/v1/dead?que=jobs"}) {
    CHECK(contains(server.expect(400, "GET", wrong), "\"status\":400"));
  }
}

TEST_CASE("dead: a page that the house cut short because of its size goes on behind it") {
  ServerFixture server;
  server.on_loop([&] {
    for (uint64_t number = 1; number <= 17; ++number) {
      server.queues.dead.push_back(make_dead(number, "jobs"));
      server.queues.dead.back().payload = make_task(number, 64000).payload;
    }
  });
  // The fake does not cut; what it shows is as much as the house would.
  CHECK(contains(server.expect(200, "GET", "/v1/dead"), R"("next":"04hmasw9-18"})"));
  CHECK(contains(server.expect(200, "GET", "/v1/dead?from=04hmasw9-2"), R"("next":null})"));
}

TEST_CASE("dead: one letter is shown whole") {
  ServerFixture server;
  add_dead(server);
  CHECK(server.expect(200, "GET", "/v1/dead/04hmasw9-3") ==
        R"({"id":"04hmasw9-3","queue":"other","reason":"attempts","error":"no route",)"
        R"("attempts":5,"deaths":1,"group":null,"tenant":null,)"
        R"("enqueued":"2020-09-13T12:26:40Z","first_death":"2023-11-14T22:13:20Z",)"
        R"("last_death":"2023-11-14T22:13:20.500Z","payload":{"n":1}})");
  CHECK(contains(server.expect(404, "GET", "/v1/dead/04hmasw9-9"), "There is no dead letter"));
  CHECK(contains(server.expect(404, "GET", "/v1/dead/zzzzzzzz-3"), "There is no dead letter"));
  CHECK(contains(server.expect(404, "GET", "/v1/dead/three"), "There is no dead letter"));
}

TEST_CASE("dead: one letter is redriven, as it was or with another payload") {
  ServerFixture server;
  add_dead(server);
  CHECK(server.expect(200, "POST", "/v1/dead/04hmasw9-3/redrive") == R"({"id":"04hmasw9-3"})");
  CHECK(server.expect(200, "POST", "/v1/dead/04hmasw9-3/redrive", R"({"payload":{"n":2}})") ==
        R"({"id":"04hmasw9-1003"})");
  server.on_loop([&] {
    CHECK(server.queues.redrives.at(0).payload.empty());
    CHECK(server.queues.redrives.at(1).payload == codec::cbor_map({{"n", 2}}));
    CHECK(server.queues.redrives.at(1).principal.substr(0, 4) == "uid:");
  });
}

TEST_CASE("dead: many are redriven at a rate, and dropped only with their queue's name") {
  ServerFixture server;
  add_dead(server);
  CHECK(server.expect(200, "POST", "/v1/dead/redrive",
                      R"({"queue":"jobs","per_second":10,"max":3})") == R"({"count":5})");
  server.on_loop([&] {
    CHECK(server.queues.redrives.at(0).task.none());
    CHECK(server.queues.redrives.at(0).queue == "jobs");
    CHECK(server.queues.redrives.at(0).per_second == 10);
    CHECK(server.queues.redrives.at(0).count_max == 3);
  });
  CHECK(contains(server.expect(400, "POST", "/v1/dead/redrive", "{}"), "`queue` is missing"));
  CHECK(contains(server.expect(400, "DELETE", "/v1/dead"), "`queue` is missing"));
  CHECK(server.expect(200, "DELETE", "/v1/dead/04hmasw9-1") == R"({"count":1})");
  CHECK(contains(server.expect(404, "DELETE", "/v1/dead/04hmasw9-1"), "no such letter"));
  CHECK(server.expect(200, "DELETE", "/v1/dead?queue=jobs") == R"({"count":3})");
  CHECK(server.expect(200, "DELETE", "/v1/dead?queue=jobs") == R"({"count":0})");
}
