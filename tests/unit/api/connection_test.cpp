// The server as a client sees it: limits, order, half-closed and slow clients. HTTP only; what the
// requests mean is in the other files.

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr std::string_view get_health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

cli::HttpResponse answer_to(const ServerFixture& server, std::string_view raw) {
  cli::HttpClient client = server.connect();
  REQUIRE(client.send_raw(raw));
  auto response = client.read_response();
  REQUIRE(response);
  return std::move(response).value();
}

std::string head_of_post(size_t body_bytes) {
  return "POST /v1/events HTTP/1.1\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n";
}

}  // namespace

TEST_CASE("connection: garbage gets 400 and the connection ends") {
  const ServerFixture server;
  cli::HttpClient client = server.connect();
  REQUIRE(client.send_raw("\x16\x03\x01 this is not HTTP\r\n\r\n"));
  const auto response = client.read_response();
  REQUIRE(response);
  CHECK(response->status == 400);
  CHECK(response->header("content-type") == "application/problem+json");
  CHECK(response->header("connection") == "close");
  CHECK(client.at_end());
  CHECK(server.stats().requests_refused == 1);
}

TEST_CASE("connection: keep-alive serves many requests, Connection: close ends it") {
  const ServerFixture server;
  cli::HttpClient client = server.connect();
  for (int count = 0; count < 3; ++count) {
    const auto response = client.call({"GET", "/healthz", {}, ""});
    REQUIRE(response);
    CHECK(response->status == 200);
  }
  const auto last = client.call({"GET", "/healthz", {{"Connection", "close"}}, ""});
  REQUIRE(last);
  CHECK(client.at_end());
  CHECK(server.stats().connections == 1);
}

TEST_CASE("connection: HTTP/1.0 gets its answer and the end of the connection") {
  const ServerFixture server;
  cli::HttpClient client = server.connect();
  REQUIRE(client.send_raw("GET /v1/events HTTP/1.0\r\n\r\n"));
  const auto response = client.read_response();
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->header("transfer-encoding").empty());
  CHECK(client.at_end());
}

TEST_CASE("connection: pipelined requests are answered in their order") {
  ServerFixture server;
  server.on_loop([&] { server.services.hold_ingest = true; });
  cli::HttpClient client = server.connect();
  const std::string event = R"({"specversion":"1.0","type":"a.b","source":"s","id":"1"})";
  std::string raw = head_of_post(event.size()) + "\r\n" + event;
  for (int count = 0; count < 100; ++count) raw.append("GET /nowhere HTTP/1.1\r\n\r\n");
  raw.append(get_health);
  REQUIRE(client.send_raw(raw));
  // The first is not answered yet, so none is; then all come.
  REQUIRE(server.eventually([&] { return server.services.events.size() == 1; }));
  server.on_loop([&] { server.services.release(); });
  const auto first = client.read_response();
  REQUIRE(first);
  CHECK(first->body == R"({"epoch":"04hmasw9","first":1,"last":1,"duplicates":0})");
  for (int count = 0; count < 100; ++count) {
    const auto response = client.read_response();
    REQUIRE(response);
    CHECK(response->status == 404);
  }
  const auto last = client.read_response();
  REQUIRE(last);
  CHECK(last->status == 200);
}

TEST_CASE("connection: a chunked request body is put together") {
  ServerFixture server;
  const auto response = answer_to(server,
                                  "POST /v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "1e\r\n{\"specversion\":\"1.0\",\"type\":\"a\r\n"
                                  "1a\r\n.b\",\"source\":\"s\",\"id\":\"1\"}\r\n0\r\n\r\n");
  CHECK(response.status == 200);
  server.on_loop([&] {
    CHECK(server.services.events.size() == 1);
    CHECK(server.services.events.at(0).type == "a.b");
  });
}

TEST_CASE("connection: Expect: 100-continue is answered before the body is sent") {
  ServerFixture server;
  cli::HttpClient client = server.connect();
  const std::string event = R"({"specversion":"1.0","type":"a.b","source":"s","id":"1"})";
  REQUIRE(client.send_raw(head_of_post(event.size()) + "Expect: 100-continue\r\n\r\n"));
  const auto go_on = client.read_head();
  REQUIRE(go_on);
  CHECK(go_on->status == 100);
  REQUIRE(client.send_raw(event));
  const auto response = client.read_response();
  REQUIRE(response);
  CHECK(response->status == 200);
}

TEST_CASE("connection: a body that is too large is refused before it is sent") {
  const ServerFixture server;
  const auto response =
      answer_to(server, head_of_post(3 * 1024 * 1024) + "Expect: 100-continue\r\n\r\n");
  CHECK(response.status == 413);
}

TEST_CASE("connection: a chunked body that grows too large is refused while it grows") {
  const ServerFixture server(
      [](api::ServerOptions& options) { options.limits.request.body_bytes_max = 1000; });
  std::string raw = "POST /v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int count = 0; count < 20; ++count) raw += "64\r\n" + std::string(100, 'x') + "\r\n";
  CHECK(answer_to(server, raw).status == 413);
}

TEST_CASE("connection: a client that goes on sending after the refusal still reads it") {
  const ServerFixture server(
      [](api::ServerOptions& options) { options.limits.request.body_bytes_max = 1000; });
  const std::string body(4 * 1024 * 1024, 'x');
  CHECK(server.post("/v1/events", body).status == 413);
}

TEST_CASE("connection: headers that are too large or too many are refused") {
  const ServerFixture server;
  const std::string large = "X-Large: " + std::string(20 * 1024, 'x') + "\r\n";
  CHECK(answer_to(server, "GET /healthz HTTP/1.1\r\n" + large + "\r\n").status == 431);
  CHECK(answer_to(server, "GET /" + std::string(20 * 1024, 'x')).status == 431);
  std::string many = "GET /healthz HTTP/1.1\r\n";
  for (int count = 0; count < 65; ++count) many.append("X: y\r\n");
  CHECK(answer_to(server, many + "\r\n").status == 431);
}

TEST_CASE("connection: unfinished bodies share one budget") {
  const ServerFixture server([](api::ServerOptions& options) { options.bodies_bytes_max = 1500; });
  cli::HttpClient first = server.connect();
  REQUIRE(first.send_raw(head_of_post(2000) + "\r\n" + std::string(1000, ' ')));
  const auto refused = [&] {
    return answer_to(server, head_of_post(1000) + "\r\n" + std::string(1000, ' '));
  };
  // Whichever of the two comes second finds the budget used up; the first may still be on its way.
  cli::HttpResponse response = refused();
  while (response.status == 400) response = refused();
  CHECK(response.status == 503);
  CHECK(response.header("retry-after") == "1");
}

TEST_CASE(
    "connection: the one over the limit is told to come back; a place that is freed is given") {
  const ServerFixture server([](api::ServerOptions& options) { options.connections_max = 64; });
  std::vector<cli::HttpClient> clients;
  for (int count = 0; count < 64; ++count) {
    clients.push_back(server.connect());
    REQUIRE(clients.back().call({"GET", "/healthz", {}, ""}));
  }
  const cli::HttpResponse refused = server.get("/healthz");
  CHECK(refused.status == 503);
  CHECK(refused.header("retry-after") == "1");
  CHECK(server.stats().connections_refused == 1);
  clients.pop_back();
  CHECK(server.eventually([&] { return server.api->stats().open < 64; }));
  CHECK(server.get("/healthz").status == 200);
}

TEST_CASE("connection: a client that has finished sending still gets its answer") {
  const ServerFixture server;
  cli::HttpClient client = server.connect();
  REQUIRE(client.send_raw(get_health));
  client.finish_sending();
  const auto response = client.read_response();
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(client.at_end());
}

TEST_CASE("connection: an answer to a client that is gone goes nowhere") {
  ServerFixture server;
  server.on_loop([&] { server.services.hold_ingest = true; });
  {
    cli::HttpClient client = server.connect();
    const std::string event = R"({"specversion":"1.0","type":"a.b","source":"s","id":"1"})";
    REQUIRE(client.send_raw(head_of_post(event.size()) + "\r\n" + event));
    REQUIRE(server.eventually([&] { return server.services.events.size() == 1; }));
  }
  CHECK(server.eventually([&] { return server.api->stats().open == 0; }));
  server.on_loop([&] { server.services.release(); });
  CHECK(server.get("/healthz").status == 200);
}

TEST_CASE("connection: one that is idle too long is closed, one that is slow gets 408") {
  const ServerFixture server([](api::ServerOptions& options) {
    options.limits.idle = milliseconds(20);
    options.limits.request_time = milliseconds(20);
  });
  cli::HttpClient idle = server.connect();
  CHECK(idle.at_end());
  CHECK(server.stats().idle_closed == 1);
  CHECK(answer_to(server, "GET /healthz HTTP/1.1\r\nX-Slow: ").status == 408);
}

TEST_CASE("connection: a client that reads nothing is not pushed to, and is closed in the end") {
  ServerFixture server(
      [](api::ServerOptions& options) { options.limits.stall = milliseconds(50); });
  constexpr size_t event_count = 2000;
  server.on_loop([&] {
    for (size_t count = 0; count < event_count; ++count) {
      server.services.append(make_event("a.b", 1000));
    }
  });
  cli::HttpClient client = server.connect();
  REQUIRE(client.send_raw("GET /v1/events HTTP/1.1\r\n\r\n"));
  CHECK(server.eventually([&] { return server.api->stats().stalled_closed == 1; }));
  // About one slice, the output buffer and the kernel's: far less than there is.
  std::string text;
  REQUIRE(client.read_head());
  while (true) {
    auto piece = client.read_some();
    if (!piece || !*piece) break;
    text.append(**piece);
  }
  CHECK(text.size() < 1024 * 1024);
  CHECK(text.size() > 16 * 1024);
}

TEST_CASE("connection: closing ends streams properly and lets answers finish") {
  ServerFixture server;
  cli::HttpClient stream = server.connect();
  REQUIRE(stream.send_raw("GET /v1/events?follow=true HTTP/1.1\r\n\r\n"));
  REQUIRE(stream.read_head());
  cli::HttpClient waiting = server.connect();
  const std::string event = R"({"specversion":"1.0","type":"a.b","source":"s","id":"1"})";
  server.on_loop([&] { server.services.hold_ingest = true; });
  REQUIRE(waiting.send_raw(head_of_post(event.size()) + "\r\n" + event));
  REQUIRE(server.eventually([&] { return server.services.events.size() == 1; }));
  bool idle = false;
  server.on_loop([&] { server.api->close([&] { idle = true; }); });
  CHECK_FALSE(cli::HttpClient::connect(server.socket, seconds(1)).ok());
  while (true) {
    auto piece = stream.read_some();
    REQUIRE(piece);
    if (!*piece) break;
  }
  server.on_loop([&] { server.services.release(); });
  const auto response = waiting.read_response();
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(waiting.at_end());
  CHECK(stream.at_end());
  { const cli::HttpClient gone = std::move(waiting); }
  { const cli::HttpClient gone = std::move(stream); }
  CHECK(server.eventually([&] { return idle; }));
}

TEST_CASE(
    "api: an unknown path is 404, a wrong method 405 with what is allowed, HEAD has no body") {
  const ServerFixture server;
  CHECK(server.get("/v2/events").status == 404);
  CHECK(server.get("/").status == 404);
  const cli::HttpResponse wrong = server.call({"DELETE", "/v1/runs", {}, ""});
  CHECK(wrong.status == 405);
  CHECK(wrong.header("allow") == "POST, GET");
  CHECK(answer_to(server, "GET /%ff HTTP/1.1\r\n\r\n").status == 400);
  cli::HttpClient client = server.connect();
  REQUIRE(client.send_raw("HEAD /healthz HTTP/1.1\r\n\r\n" + std::string(get_health)));
  const auto head = client.read_head();
  REQUIRE(head);
  CHECK(head->header("content-length") == "15");
  const auto next = client.read_response();
  REQUIRE(next);
  CHECK(next->status == 200);  // at once: no body lies between
}

TEST_CASE("api: health says what does not make progress") {
  ServerFixture server;
  CHECK(server.get("/healthz").body == R"({"status":"ok"})");
  server.on_loop([&] { server.services.healthy = false; });
  const cli::HttpResponse response = server.get("/healthz");
  CHECK(response.status == 503);
  CHECK(response.body.find("has not committed for 10 s") != std::string::npos);
}
