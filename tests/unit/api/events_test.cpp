// POST and GET of events: shapes, filters, streams that resume, gaps.

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr const char* one_event =
    R"({"specversion":"1.0","type":"door.opened","source":"s","id":"1",)"
    R"("subject":"d7","data":{"n":1}})";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void append_many(ServerFixture& server, size_t count) {
  server.on_loop([&] {
    for (size_t index = 0; index < count; ++index) server.services.append(make_event("a.b", 10));
  });
}

}  // namespace

TEST_CASE("events: one event is acknowledged with its sequence, a batch with its range") {
  ServerFixture server;
  const cli::HttpResponse one = server.post("/v1/events", one_event);
  CHECK(one.status == 200);
  CHECK(one.body == R"({"epoch":"04hmasw9","first":1,"last":1,"duplicates":0})");
  const std::string batch = std::string("[") + one_event + "," + one_event + "]";
  CHECK(has(server.post("/v1/events", batch).body, R"("first":2,"last":3)"));
  const std::string lines = std::string(one_event) + "\n" + one_event + "\n";
  const cli::HttpResponse ndjson =
      server.call({"POST", "/v1/events", {{"Content-Type", "application/x-ndjson"}}, lines});
  CHECK(has(ndjson.body, R"("first":4,"last":5)"));
  server.on_loop(
      [&] { CHECK(server.services.principals.front() == "uid:" + std::to_string(getuid())); });
}

TEST_CASE("events: what is not an event is refused with what and where") {
  const ServerFixture server;
  const cli::HttpResponse malformed = server.post("/v1/events", "{\"type\":}");
  CHECK(malformed.status == 400);
  CHECK(has(malformed.body, "line 1"));
  const cli::HttpResponse incomplete = server.post("/v1/events", R"([{"specversion":"1.0"}])");
  CHECK(incomplete.status == 400);
  CHECK(has(incomplete.body, "`type`"));
  CHECK(server.post("/v1/events", "").status == 400);
  const cli::HttpResponse text =
      server.call({"POST", "/v1/events", {{"Content-Type", "text/plain"}}, one_event});
  CHECK(text.status == 415);
}

TEST_CASE("events: a full house answers 429 with a time to come back") {
  ServerFixture server;
  server.on_loop([&] {
    server.services.refuse_next =
        api::Refusal{{ErrorCode::full, "test: store"}, "The class `work` is full.", 2500};
  });
  const cli::HttpResponse response = server.post("/v1/events", one_event);
  CHECK(response.status == 429);
  CHECK(response.header("retry-after") == "3");
  CHECK(has(response.body, R"("type":"https://limpet.invalid/problems/full")"));
  CHECK(has(response.body, R"("retry_after_ms":2500)"));
  CHECK(has(response.body, "The class `work` is full."));
}

TEST_CASE("events: as NDJSON, from a place, to a place, filtered, limited") {
  ServerFixture server;
  static_cast<void>(server.post("/v1/events", one_event));
  append_many(server, 5);
  const cli::HttpResponse all = server.get("/v1/events");
  CHECK(all.header("content-type") == "application/x-ndjson");
  CHECK(std::count(all.body.begin(), all.body.end(), '\n') == 6);
  CHECK(has(all.body, R"("data":{"n":1})"));
  CHECK(has(all.body, R"("sequence":1,"epoch":"04hmasw9")"));
  const auto lines = [&](const std::string& query) {
    const std::string body = server.get("/v1/events?" + query).body;
    return std::count(body.begin(), body.end(), '\n');
  };
  CHECK(lines("from=3") == 4);
  CHECK(lines("from=3&to=5") == 2);
  CHECK(lines("type=door.*") == 1);
  CHECK(lines("type=door.%23&subject=d7") == 1);
  CHECK(lines("subject=d8") == 0);
  CHECK(lines("limit=2") == 2);
  CHECK(lines("limit=0") == 0);
  CHECK(lines("from=100") == 0);
}

TEST_CASE("events: a parameter that is unknown or wrong is named") {
  const ServerFixture server;
  const cli::HttpResponse unknown = server.get("/v1/events?form=3");
  CHECK(unknown.status == 400);
  CHECK(has(unknown.body, "`form` is not known here"));
  CHECK(server.get("/v1/events?from=x").status == 400);
  CHECK(server.get("/v1/events?follow=maybe").status == 400);
  CHECK(server.get("/v1/events?type=a..b").status == 400);
  CHECK(server.get("/v1/events?run=1").status == 400);
}

TEST_CASE("events: more than fits in any buffer arrives whole and in order") {
  ServerFixture server;
  constexpr size_t event_count = 500;
  server.on_loop([&] {
    for (size_t index = 0; index < event_count; ++index) {
      server.services.append(make_event("a.b", index % 50 == 0 ? 60000 : 2000));
    }
  });
  const std::string body = server.get("/v1/events").body;
  CHECK(std::count(body.begin(), body.end(), '\n') == event_count);
  size_t at = 0;
  for (size_t index = 1; index <= event_count; ++index) {
    at = body.find("\"sequence\":" + std::to_string(index) + ",", at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("events: a filter that matches nothing among many still comes to its end") {
  ServerFixture server;
  append_many(server, 20000);
  CHECK(server.get("/v1/events?type=nothing").body.empty());
  server.on_loop([&] { CHECK(server.services.reads >= 20); });
}

TEST_CASE("events: SSE follows, and Last-Event-ID resumes without loss or repetition") {
  ServerFixture server;
  append_many(server, 2);
  const cli::HttpRequest follow = {
      "GET", "/v1/events?from=1", {{"Accept", "text/event-stream"}}, ""};
  {
    cli::HttpClient client = server.connect();
    REQUIRE(client.send(follow));
    const auto head = client.read_head();
    REQUIRE(head);
    CHECK(head->header("content-type") == "text/event-stream");
    const std::string begin = read_until(client, "\n\n", 2);
    CHECK(has(begin, "id: 1\nevent: a.b\ndata: {"));
    append_many(server, 1);
    CHECK(has(read_until(client, "\n\n", 1), "id: 3\n"));
  }
  append_many(server, 2);
  cli::HttpRequest resume = follow;
  resume.headers.push_back({"Last-Event-ID", "3"});
  cli::HttpClient client = server.connect();
  REQUIRE(client.send(resume));
  REQUIRE(client.read_head());
  const std::string rest = read_until(client, "\n\n", 2);
  CHECK(rest.rfind("id: 4\n", 0) == 0);
  CHECK(has(rest, "id: 5\n"));
  cli::HttpRequest wrong = follow;
  wrong.headers.push_back({"Last-Event-ID", "three"});
  CHECK(server.call(wrong).status == 400);
}

TEST_CASE("events: following without a place begins with what is new, as NDJSON too") {
  ServerFixture server;
  append_many(server, 3);
  cli::HttpClient client = server.connect();
  REQUIRE(client.send({"GET", "/v1/events?follow=true", {}, ""}));
  REQUIRE(client.read_head());
  append_many(server, 1);
  CHECK(has(read_until(client, "\n", 1), R"("sequence":4,)"));
}

TEST_CASE("events: a stream without events shows that it is alive") {
  const ServerFixture server(
      [](api::ServerOptions& options) { options.limits.heartbeat = milliseconds(5); });
  cli::HttpClient client = server.connect();
  REQUIRE(client.send({"GET", "/v1/events", {{"Accept", "text/event-stream"}}, ""}));
  REQUIRE(client.read_head());
  CHECK(read_until(client, ":\n\n", 2) == ":\n\n:\n\n");
}

TEST_CASE("events: what is no longer stored is told as a gap, also to a reader that fell behind") {
  ServerFixture server;
  append_many(server, 3);
  server.on_loop([&] {
    server.services.events.erase(server.services.events.begin(),
                                 server.services.events.begin() + 2);
    server.services.trimmed = 2;
  });
  const std::string body = server.get("/v1/events?from=1").body;
  CHECK(has(body, R"("type":"limpet.log.gap","data":{"from":1,"to":3})"));
  CHECK(std::count(body.begin(), body.end(), '\n') == 2);
  const std::string unasked = server.get("/v1/events").body;
  CHECK_FALSE(has(unasked, "gap"));
  const cli::HttpResponse sse =
      server.call({"GET",
                   "/v1/events?follow=false",
                   {{"Accept", "text/event-stream"}, {"Last-Event-ID", "1"}},
                   ""});
  CHECK(sse.body.rfind("event: limpet.log.gap\ndata: {", 0) == 0);
}

TEST_CASE("events: a log that cannot be read breaks the stream off instead of ending it") {
  ServerFixture server;
  server.on_loop([&] { server.services.read_fails = true; });
  cli::HttpClient client = server.connect();
  REQUIRE(client.send({"GET", "/v1/events", {}, ""}));
  REQUIRE(client.read_head());
  CHECK_FALSE(client.read_some().ok());
}

TEST_CASE("events: many followers all see the same, and leave room for others") {
  ServerFixture server;
  std::vector<cli::HttpClient> clients;
  for (int count = 0; count < 48; ++count) {
    clients.push_back(server.connect());
    REQUIRE(clients.back().send({"GET", "/v1/events?follow=true", {}, ""}));
    REQUIRE(clients.back().read_head());
  }
  CHECK(server.stats().streaming == 48);
  const cli::HttpResponse refused = server.get("/v1/events?follow=true");
  CHECK(refused.status == 503);
  CHECK(refused.header("retry-after") == "5");
  CHECK(server.stats().streams_refused == 1);
  append_many(server, 10);
  for (cli::HttpClient& client : clients) {
    CHECK(has(read_until(client, "\n", 10), R"("sequence":10,)"));
  }
  clients.clear();
  CHECK(server.eventually([&] { return server.api->stats().streaming == 0; }));
}
