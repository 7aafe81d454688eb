// The queues' producers and workers: enqueue, lease, ack, nack, extend.

#include <doctest/doctest.h>

#include "codec/cbor_value.hpp"
#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr std::string_view first_token = "13835058055282163713";

// Leases the task 7, which is the only one.
void lease_seven(ServerFixture& server) {
  server.on_loop([&] { server.queues.add(make_task(7)); });
  CHECK(contains(server.expect(200, "POST", "/v1/queues/jobs/lease"), R"("id":"04hmasw9-7")"));
}

std::string with_token(std::string_view more = "") {
  return R"({"token":")" + std::string(first_token) + "\"" + std::string(more) + "}";
}

}  // namespace

TEST_CASE("tasks: one object or an array is enqueued, all members as they were sent") {
  ServerFixture server;
  CHECK(server.expect(200, "POST", "/v1/queues/jobs/tasks",
                      R"({"payload":{"n":1},"priority":7,"delay_ms":5,"ttl_ms":null,"group":"g",)"
                      R"("key":"k","tenant":"t","correlationid":"c"})") ==
        R"({"ids":["04hmasw9-1"],"duplicates":[]})");
  CHECK(server.expect(200, "POST", "/v1/queues/jobs/tasks",
                      R"([{"payload":1,"ttl_ms":9},{"key":"k"},{}])") ==
        R"({"ids":["04hmasw9-2","04hmasw9-1","04hmasw9-3"],"duplicates":["04hmasw9-1"]})");
  server.on_loop([&] {
    REQUIRE(server.queues.enqueued.size() == 3);
    const api::TaskRequest& task = server.queues.enqueued[0];
    CHECK(task.payload == codec::cbor_map({{"n", 1}}));
    CHECK(task.priority == 7);
    CHECK(task.delay_ms == 5);
    CHECK_FALSE(task.ttl_ms.has_value());
    CHECK(task.group == "g");
    CHECK(task.tenant == "t");
    CHECK(task.correlation == "c");
    CHECK(server.queues.enqueued[1].ttl_ms == 9);
    CHECK(server.queues.enqueued[2].payload == ByteVector{0xf6});
    CHECK(server.queues.principals[0].substr(0, 4) == "uid:");
  });
}

TEST_CASE("tasks: an array with one wrong item is refused whole, with the item's place") {
  ServerFixture server;
  const std::string target = "/v1/queues/jobs/tasks";
  CHECK(contains(server.expect(400, "POST", target, R"([{"payload":1},{"priorty":2}])"),
                 "Item 2: Member `priorty` is not known here"));
  CHECK(contains(server.expect(400, "POST", target, R"([{"payload":1},{"priority":10}])"),
                 "Item 2: Member `priority` is not a whole number from 0 to 9"));
  CHECK(contains(server.expect(400, "POST", target, R"([1])"), "Item 1: not an object"));
  CHECK(contains(server.expect(400, "POST", target, "[]"), "The array is empty"));
  CHECK(contains(server.expect(400, "POST", target, "7"), "not a JSON object"));
  CHECK(contains(server.expect(400, "POST", target, ""), "\"status\":400"));
  CHECK(contains(
      server.expect(400, "POST", target, R"({"payload":")" + std::string(70000, 'x') + "\"}"),
      "larger than 64 KiB"));
  std::string many = "[{}";
  for (int count = 0; count < 256; ++count) many.append(",{}");
  CHECK(contains(server.expect(413, "POST", target, many + "]"), "more than 256"));
  server.on_loop([&] { CHECK(server.queues.enqueued.empty()); });
}

TEST_CASE("tasks: a full queue is 429 queue-full with a time to come back") {
  ServerFixture server;
  server.on_loop([&] {
    server.queues.refuse_next =
        api::Refusal{{ErrorCode::full, "test: queue"}, "The queue is full.", 2500};
  });
  const cli::HttpResponse response = server.post("/v1/queues/jobs/tasks", "{}");
  CHECK(response.status == 429);
  CHECK(response.header("retry-after") == "3");
  CHECK(contains(response.body, "problems/queue-full"));
  CHECK(contains(response.body, R"("retry_after_ms":2500)"));
  CHECK(contains(server.expect(404, "POST", "/v1/queues/none/tasks", "{}"), "`none`"));
}

TEST_CASE("tasks: a lease shows what a worker needs, with the token as text") {
  ServerFixture server;
  server.on_loop([&] {
    api::TaskView task = make_task(7);
    task.attempt = 2;
    task.group = "g";
    task.expires_ms = 1'700'000'060'000;
    server.queues.add(task);
    server.queues.add(make_task(8));
  });
  const std::string body = server.expect(200, "POST", "/v1/queues/jobs/lease",
                                         R"({"max":1,"wait_ms":20000,"lease_ms":30000})");
  CHECK(body == R"({"tasks":[{"id":"04hmasw9-7","token":"13835058055282163713","attempt":2,)"
                R"("payload":"p","priority":5,"group":"g","tenant":null,"principal":null,)"
                R"("correlationid":null,"enqueued":"2023-11-14T22:13:20Z",)"
                R"("expires":"2023-11-14T22:14:20Z","lease_until":"2023-11-14T22:13:50Z"}]})");
  server.on_loop([&] {
    CHECK(server.queues.lease_requests[0].tasks_max == 1);
    CHECK(server.queues.lease_requests[0].wait_ms == 20000);
    CHECK(server.queues.lease_requests[0].lease_ms == 30000);
    CHECK(server.queues.lease_requests[0].principal.substr(0, 4) == "uid:");
    server.queues.ready.clear();
  });
  CHECK(server.expect(200, "POST", "/v1/queues/jobs/lease") == R"({"tasks":[]})");
  CHECK(contains(server.expect(404, "POST", "/v1/queues/none/lease"), "`none`"));
  CHECK(contains(server.expect(400, "POST", "/v1/queues/jobs/lease?max=5"), "no parameters"));
  for (const char* const wrong : {R"({"max":0})", R"({"max":257})", R"({"wait_ms":60001})",
                                  R"({"lease_ms":1})", R"({"wait":1})", "[]"}) {
    CHECK(contains(server.expect(400, "POST", "/v1/queues/jobs/lease", wrong), "\"status\":400"));
  }
}

TEST_CASE("tasks: an ack with the token, as text or number, ends the task; again it is stale") {
  ServerFixture server;
  lease_seven(server);
  CHECK(server.expect(200, "POST", "/v1/tasks/04hmasw9-7/ack",
                      with_token(R"(,"result":{"n":1})")) == R"({"id":"04hmasw9-7"})");
  const std::string again = server.expect(409, "POST", "/v1/tasks/04hmasw9-7/ack", with_token());
  CHECK(contains(again, "problems/stale-lease"));
  server.on_loop([&] {
    REQUIRE(server.queues.settled.size() == 2);
    CHECK(server.queues.settled[0].verdict == api::Verdict::ack);
    CHECK(server.queues.settled[0].result == codec::cbor_map({{"n", 1}}));
    CHECK(server.queues.settled[1].result.empty());
    server.queues.add(make_task(8));
  });
  CHECK(contains(server.expect(200, "POST", "/v1/queues/jobs/lease"), "13835058055282163714"));
  CHECK(server.expect(200, "POST", "/v1/tasks/04hmasw9-8/ack",
                      R"({"token":13835058055282163714})") == R"({"id":"04hmasw9-8"})");
}

TEST_CASE("tasks: a nack says how the attempt failed") {
  ServerFixture server;
  lease_seven(server);
  CHECK(server.expect(200, "POST", "/v1/tasks/04hmasw9-7/nack",
                      with_token(R"(,"delay_ms":0,"permanent":true,"reason":"no")")) ==
        R"({"id":"04hmasw9-7"})");
  server.on_loop([&] {
    const api::SettleRequest& request = server.queues.settled.at(0);
    CHECK(request.verdict == api::Verdict::nack);
    CHECK(request.delay_ms == 0);
    CHECK(request.permanent);
    CHECK_FALSE(request.release);
    CHECK(request.reason == "no");
  });
}

TEST_CASE("tasks: an extension answers the lease's new end") {
  ServerFixture server;
  lease_seven(server);
  CHECK(server.expect(200, "POST", "/v1/tasks/04hmasw9-7/extend",
                      with_token(R"(,"lease_ms":60000)")) ==
        R"({"id":"04hmasw9-7","lease_until":"2023-11-14T22:14:20Z"})");
  CHECK(contains(server.expect(409, "POST", "/v1/tasks/04hmasw9-7/extend", R"({"token":"5"})"),
                 "problems/stale-lease"));
}

TEST_CASE("tasks: settling without a good id or token is refused before the house is asked") {
  ServerFixture server;
  CHECK(
      contains(server.expect(400, "POST", "/v1/tasks/04hmasw9-7/ack", "{}"), "`token` is missing"));
  CHECK(contains(server.expect(400, "POST", "/v1/tasks/04hmasw9-7/ack", R"({"token":"x"})"),
                 "`token` is not a whole number"));
  CHECK(contains(server.expect(400, "POST", "/v1/tasks/04hmasw9-7/ack", R"({"token":1.5})"),
                 "`token` is not a whole number"));
  CHECK(contains(
      server.expect(400, "POST", "/v1/tasks/04hmasw9-7/ack", R"({"token":1,"delay_ms":1})"),
      "`delay_ms` is not known here"));
  CHECK(contains(server.expect(400, "POST", "/v1/tasks/04hmasw9-7/nack",
                               R"({"token":1,"permanent":true,"release":true})"),
                 "exclude each other"));
  CHECK(contains(server.expect(404, "POST", "/v1/tasks/seven/ack", with_token()), "`seven`"));
  // A task of another store: whoever holds it has been overtaken, as with any old lease.
  CHECK(contains(server.expect(409, "POST", "/v1/tasks/zzzzzzzz-7/ack", with_token()),
                 "problems/stale-lease"));
  CHECK(contains(server.expect(400, "POST", "/v1/tasks/04hmasw9-7/ack",
                               with_token(R"(,"result":[[[[[[[[[[[[[1]]]]]]]]]]]]])")),
                 "nested too deeply"));
  server.on_loop([&] { CHECK(server.queues.settled.empty()); });
}

TEST_CASE("tasks: an array of acks answers each for itself") {
  ServerFixture server;
  lease_seven(server);
  const std::string body =
      server.expect(200, "POST", "/v1/tasks/ack",
                    R"([{"id":"zzzzzzzz-1","token":"1"},{"id":"04hmasw9-7","token":")" +
                        std::string(first_token) + R"("},{"id":"04hmasw9-9","token":"1"}])");
  CHECK(contains(body, R"({"results":[{"id":"zzzzzzzz-1","status":409,"problem":{"type":)"));
  CHECK(contains(body, R"({"id":"04hmasw9-7","status":200},{"id":"04hmasw9-9","status":409,)"));
  CHECK(contains(body, "problems/stale-lease"));
  CHECK(contains(
      server.expect(400, "POST", "/v1/tasks/nack", R"([{"id":"04hmasw9-7","token":"1"},{}])"),
      "Item 2: Member `id` is not the id of a task"));
  CHECK(contains(server.expect(400, "POST", "/v1/tasks/nack", R"({"id":"04hmasw9-7","token":"1"})"),
                 "The body is an array"));
  CHECK(
      contains(server.expect(200, "POST", "/v1/tasks/nack", R"([{"id":"zzzzzzzz-1","token":"1"}])"),
               R"("status":409)"));
  server.on_loop([&] { CHECK(server.queues.settled.size() == 2); });
}

TEST_CASE("tasks: what the house cannot take now is told with a time to come back") {
  ServerFixture server;
  server.on_loop([&] {
    server.queues.refuse_next = api::Refusal{{ErrorCode::busy, "test: store"}, "", 0};
  });
  const cli::HttpResponse response = server.post("/v1/tasks/04hmasw9-7/ack", with_token());
  CHECK(response.status == 429);
  CHECK(response.header("retry-after") == "1");
}

TEST_CASE("tasks: in a build without queues their paths are not there") {
  auto loop = loop::Loop::create({});
  REQUIRE(loop);
  const TemporaryDirectory directory;
  FakeServices services;
  api::ServerOptions options;
  options.socket.path = directory.file("s");
  const auto api = api::Api::create(**loop, services, options);
  REQUIRE(api);
  std::thread serving([&] { (*loop)->run(); });
  {
    auto client = cli::HttpClient::connect(options.socket.path, seconds(10));
    REQUIRE(client);
    for (const char* const target : {"/v1/queues", "/v1/dead", "/v1/consumers"}) {
      const auto response = client->call({"GET", target, {}, ""});
      REQUIRE(response);
      CHECK(response->status == 404);
    }
    CHECK(client->call({"GET", "/v1/status", {}, ""})->status == 200);
  }
  (*loop)->stop();
  serving.join();
}
