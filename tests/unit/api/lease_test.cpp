// Long polls: what waits, and what happens when the worker goes away. Nothing may stay leased to
// a connection that is gone.

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

const cli::HttpRequest lease = {
    "POST", "/v1/queues/jobs/lease", {}, R"({"max":100,"wait_ms":20000})"};

bool one_waits(const ServerFixture& server) {
  return server.eventually([&] { return server.queues.waiting() == 1; });
}

}  // namespace

TEST_CASE("lease: a worker that waits is answered when a task comes") {
  ServerFixture server;
  cli::HttpClient worker = server.connect();
  REQUIRE(worker.send(lease));
  REQUIRE(one_waits(server));
  CHECK(server.stats().waiting == 1);
  server.on_loop([&] { server.queues.add(make_task(7)); });
  const auto response = worker.read_response();
  REQUIRE(response);
  CHECK(contains(response->body, R"("id":"04hmasw9-7")"));
  CHECK(server.stats().waiting == 0);
  // The connection serves on, and its end takes nothing back: the worker has its task.
  CHECK(worker.call({"GET", "/healthz", {}, ""})->status == 200);
  { const cli::HttpClient gone = std::move(worker); }
  REQUIRE(server.eventually([&] { return server.api->stats().open == 0; }));
  server.on_loop([&] {
    CHECK(server.queues.leased.size() == 1);
    CHECK(server.queues.cancelled.empty());
    CHECK(server.queues.settled.empty());
  });
}

TEST_CASE("lease: when the worker goes away its wait ends, and the next task is another's") {
  ServerFixture server;
  {
    cli::HttpClient worker = server.connect();
    REQUIRE(worker.send(lease));
    REQUIRE(one_waits(server));
  }
  REQUIRE(server.eventually([&] { return server.queues.cancelled.size() == 1; }));
  server.on_loop([&] { server.queues.add(make_task(7)); });
  server.on_loop([&] { CHECK(server.queues.ready.size() == 1); });
  CHECK(server.stats().waiting == 0);
  CHECK(contains(server.expect(200, "POST", "/v1/queues/jobs/lease"), R"("id":"04hmasw9-7")"));
}

TEST_CASE("lease: what comes for a worker that has gone is given back unharmed") {
  ServerFixture server;
  server.on_loop([&] { server.queues.late_answers = true; });
  {
    cli::HttpClient worker = server.connect();
    REQUIRE(worker.send(lease));
    REQUIRE(one_waits(server));
  }
  REQUIRE(server.eventually([&] { return server.queues.settled.size() == 1; }));
  server.on_loop([&] {
    CHECK(server.queues.settled[0].task == Sequence(77));
    CHECK(server.queues.settled[0].verdict == api::Verdict::nack);
    CHECK(server.queues.settled[0].release);
    CHECK(server.queues.leased.empty());
    CHECK(server.queues.ready.size() == 1);
  });
}

// The task comes in the same round in which the worker went, before anyone has noticed.
TEST_CASE("lease: a task answered to a worker that has just gone is given back") {
  ServerFixture server;
  std::optional<cli::HttpClient> worker(server.connect());
  REQUIRE(worker->send(lease));
  REQUIRE(one_waits(server));
  server.on_loop([&] {
    worker.reset();
    server.queues.add(make_task(7));
    CHECK(server.queues.leased.size() == 1);
  });
  REQUIRE(server.eventually([&] { return server.queues.ready.size() == 1; }));
  server.on_loop([&] {
    CHECK(server.queues.leased.empty());
    CHECK(server.queues.settled.at(0).release);
  });
  CHECK(server.stats().answers_lost == 1);
}

TEST_CASE("lease: a worker that reads only a part of its answer and goes gives all back") {
  ServerFixture server;
  server.on_loop([&] {
    for (uint64_t number = 1; number <= 12; ++number) {
      server.queues.ready.push_back(make_task(number, 60000));
    }
  });
  std::optional<cli::HttpClient> worker(server.connect());
  REQUIRE(worker->send(lease));
  REQUIRE(worker->read_head());
  server.on_loop([&] { CHECK(server.queues.leased.size() == 12); });
  worker.reset();
  REQUIRE(server.eventually([&] { return server.queues.ready.size() == 12; }));
  server.on_loop([&] { CHECK(server.queues.leased.empty()); });
}

TEST_CASE("lease: a worker that takes nothing for too long is closed and gives all back") {
  ServerFixture server(
      [](api::ServerOptions& options) { options.limits.stall = milliseconds(50); });
  server.on_loop([&] {
    for (uint64_t number = 1; number <= 12; ++number) {
      server.queues.ready.push_back(make_task(number, 60000));
    }
  });
  cli::HttpClient worker = server.connect();
  REQUIRE(worker.send(lease));
  REQUIRE(server.eventually([&] { return server.queues.settled.size() == 12; }));
  server.on_loop([&] { CHECK(server.queues.leased.empty()); });
  CHECK(server.stats().stalled_closed == 1);
}

TEST_CASE("lease: a worker that sends no more is not given anything, and hears so at once") {
  ServerFixture server;
  cli::HttpClient worker = server.connect();
  REQUIRE(worker.send(lease));
  REQUIRE(one_waits(server));
  worker.finish_sending();
  const auto response = worker.read_response();
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->body == R"({"tasks":[]})");
  CHECK(worker.at_end());
  server.on_loop([&] { CHECK(server.queues.cancelled.size() == 1); });
}

TEST_CASE("lease: closing the server ends the waits instead of waiting for them") {
  ServerFixture server;
  cli::HttpClient worker = server.connect();
  REQUIRE(worker.send(lease));
  REQUIRE(one_waits(server));
  bool idle = false;
  server.on_loop([&] { server.api->close([&] { idle = true; }); });
  const auto response = worker.read_response();
  REQUIRE(response);
  CHECK(response->body == R"({"tasks":[]})");
  CHECK(worker.at_end());
  CHECK(server.eventually([&] { return idle; }));
}

TEST_CASE("lease: destroying the server ends the waits too") {
  ServerFixture server;
  cli::HttpClient worker = server.connect();
  REQUIRE(worker.send(lease));
  REQUIRE(one_waits(server));
  server.on_loop([&] {
    server.api.reset();
    CHECK(server.queues.cancelled.size() == 1);
    server.queues.add(make_task(7));
    CHECK(server.queues.ready.size() == 1);
  });
}

TEST_CASE("lease: beyond waits_max a wait is 503, and a lease that does not wait is served") {
  ServerFixture server([](api::ServerOptions& options) { options.waits_max = 2; });
  std::vector<cli::HttpClient> workers;
  for (int count = 0; count < 2; ++count) {
    workers.push_back(server.connect());
    REQUIRE(workers.back().send(lease));
  }
  REQUIRE(server.eventually([&] { return server.queues.waiting() == 2; }));
  const cli::HttpResponse refused = server.call(lease);
  CHECK(refused.status == 503);
  CHECK(refused.header("retry-after") == "1");
  CHECK(server.stats().waits_refused == 1);
  CHECK(server.expect(200, "POST", "/v1/queues/jobs/lease") == R"({"tasks":[]})");
  // One that ends makes room for another.
  server.on_loop([&] { server.queues.add(make_task(7)); });
  CHECK(server.eventually([&] { return server.api->stats().waiting == 1; }));
}

TEST_CASE("lease: what was sent ahead is answered after the wait") {
  ServerFixture server;
  cli::HttpClient worker = server.connect();
  REQUIRE(worker.send(lease));
  REQUIRE(worker.send({"GET", "/healthz", {}, ""}));
  REQUIRE(one_waits(server));
  server.on_loop([&] { server.queues.add(make_task(7)); });
  const auto first = worker.read_response();
  REQUIRE(first);
  CHECK(contains(first->body, "04hmasw9-7"));
  CHECK(contains(worker.read_response()->body, "ok"));
}
