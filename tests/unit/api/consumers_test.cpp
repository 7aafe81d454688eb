// The log's durable consumers over the API.

#include <doctest/doctest.h>

#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

dispatch::ConsumerSettings settings_of(ServerFixture& server, const std::string& body) {
  CHECK(server.expect(200, "PUT", "/v1/consumers/c", body) == R"({"consumer":"c"})");
  dispatch::ConsumerSettings settings;
  server.on_loop([&] {
    settings = server.consumers.made.at("c");
    server.consumers.made.erase("c");
  });
  return settings;
}

void make(ServerFixture& server) {
  CHECK(contains(server.expect(200, "PUT", "/v1/consumers/c", "{}"), "\"c\""));
}

}  // namespace

TEST_CASE("consumers: are made with all that they can be set to") {
  ServerFixture server;
  const dispatch::ConsumerSettings all = settings_of(
      server, R"({"type":"a.*","subject":"s.#","run":"04hmasw9-3","start":{"sequence":"7"},)"
              R"("pace":"original","speed":2.5,"ack":"none","max_in_flight":5,)"
              R"("ack_wait_ms":1000,"backoff_max_ms":2000})");
  CHECK(all.name == "c");
  CHECK(all.type_pattern == "a.*");
  CHECK(all.subject_pattern == "s.#");
  CHECK(all.run == RunId(3));
  CHECK(all.start == dispatch::StartAt::sequence);
  CHECK(all.start_sequence == Sequence(7));
  CHECK(all.pace == dispatch::Pace::original);
  CHECK(all.speed_percent == 250);
  CHECK(all.ack == dispatch::AckMode::none);
  CHECK(all.in_flight_max == 5);
  CHECK(all.ack_wait == seconds(1));
  CHECK(all.backoff_max == seconds(2));
}

TEST_CASE("consumers: without settings they are what their type says, and start where asked") {
  ServerFixture server;
  const dispatch::ConsumerSettings plain = settings_of(server, "");
  CHECK(plain.start == dispatch::StartAt::all);
  CHECK(plain.pace == dispatch::Pace::instant);
  CHECK(plain.ack == dispatch::AckMode::explicit_each);
  CHECK(plain.ack_wait == seconds(30));
  CHECK(settings_of(server, R"({"start":"all"})").start == dispatch::StartAt::all);
  CHECK(settings_of(server, R"({"start":"new"})").start == dispatch::StartAt::fresh);
  CHECK(settings_of(server, R"({"start":"last"})").start == dispatch::StartAt::last);
  const auto timed = settings_of(server, R"({"start":{"time":"2023-11-14T22:13:20Z"},"speed":1})");
  CHECK(timed.start == dispatch::StartAt::time);
  CHECK(timed.start_time == WallTime{1'700'000'000'000'000'000U});
  CHECK(timed.speed_percent == 100);
}

TEST_CASE("consumers: settings that are wrong are refused with the member at fault") {
  ServerFixture server;
  const auto refused = [&](const std::string& body, std::string_view part) {
    CHECK_MESSAGE(contains(server.expect(400, "PUT", "/v1/consumers/c", body), part), body);
  };
  for (const char* const start :
       {R"("first")", "7", R"({"sequence":0})", R"({"sequence":-1})", R"({"time":"noon"})",
        R"({"sequence":1,"time":"2023-11-14T22:13:20Z"})", "{}", "[]", R"({"day":1})"}) {
    refused(std::string(R"({"start":)") + start + "}", "`start`");
  }
  refused(R"({"speed":0})", "`speed`");
  refused(R"({"speed":101})", "`speed`");
  refused(R"({"speed":"fast"})", "`speed`");
  refused(R"({"pace":"slow"})", "`pace`");
  refused(R"({"ack":"all"})", "`ack`");
  refused(R"({"type":"a..b"})", "`type`");
  refused(R"({"run":"3"})", "`run`");
  refused(R"({"max_in_flight":0})", "`max_in_flight`");
  refused(R"({"typ":"a"})", "`typ` is not known here");
  CHECK(contains(server.expect(400, "PUT", "/v1/consumers/a%20b", "{}"), "name"));
  server.on_loop([&] { CHECK(server.consumers.made.empty()); });
}

TEST_CASE("consumers: other settings for the same name are a conflict; dropping ends it") {
  ServerFixture server;
  make(server);
  make(server);
  CHECK(contains(server.expect(409, "PUT", "/v1/consumers/c", R"({"type":"a"})"), "conflict"));
  CHECK(contains(server.expect(200, "DELETE", "/v1/consumers/c"), "\"c\""));
  CHECK(contains(server.expect(404, "DELETE", "/v1/consumers/c"), "not-found"));
  CHECK(server.expect(200, "GET", "/v1/consumers") == R"({"consumers":[]})");
}

TEST_CASE("consumers: a fetch answers events with their delivery counts") {
  ServerFixture server;
  make(server);
  server.on_loop([&] {
    server.consumers.events = {{"{\"id\":\"1\"}\n", "{\"id\":\"2\"}"}, {1, 3}, {}, 7};
  });
  CHECK(server.expect(200, "POST", "/v1/consumers/c/fetch", R"({"max":2})") ==
        R"({"events":[{"id":"1"},{"id":"2"}],"deliveries":[1,3],"pending":7})");
  CHECK(server.expect(200, "POST", "/v1/consumers/c/fetch") ==
        R"({"events":[],"deliveries":[],"pending":0})");
  server.on_loop([&] { CHECK(server.consumers.fetches.at(0).events_max == 2); });
  CHECK(contains(server.expect(404, "POST", "/v1/consumers/none/fetch"), "none"));
  CHECK(contains(server.expect(400, "POST", "/v1/consumers/c/fetch", R"({"max":257})"), "`max`"));
}

TEST_CASE("consumers: when the one who waits goes away the fetch ends, and events come again") {
  ServerFixture server;
  make(server);
  const cli::HttpRequest fetch = {"POST", "/v1/consumers/c/fetch", {}, R"({"wait_ms":20000})"};
  {
    cli::HttpClient client = server.connect();
    REQUIRE(client.send(fetch));
    REQUIRE(server.eventually([&] { return server.consumers.waiting(); }));
  }
  REQUIRE(server.eventually([&] { return server.consumers.cancelled.size() == 1; }));
  server.on_loop([&] { CHECK(server.consumers.cancelled[0] == 9); });

  std::optional<cli::HttpClient> client(server.connect());
  REQUIRE(client->send(fetch));
  REQUIRE(server.eventually([&] { return server.consumers.waiting(); }));
  server.on_loop([&] {
    client.reset();
    server.consumers.events = {{"{}", "{}"}, {1, 1}, {Sequence(4), Sequence(5)}, 2};
    server.consumers.arrive();
  });
  REQUIRE(server.eventually([&] { return server.consumers.nacks.size() == 1; }));
  server.on_loop([&] {
    CHECK(server.consumers.nacks[0].consumer == "c");
    CHECK(server.consumers.nacks[0].events == std::vector{Sequence(4), Sequence(5)});
    CHECK(server.consumers.nacks[0].delay_ms == 0);
  });
}

TEST_CASE("consumers: acks are of single events or of all up to one, nacks of single events") {
  ServerFixture server;
  make(server);
  const std::string ack = "/v1/consumers/c/ack";
  CHECK(contains(server.expect(200, "POST", ack, R"({"sequences":[4,"5"]})"), "\"c\""));
  CHECK(contains(server.expect(200, "POST", ack, R"({"upto":9})"), "\"c\""));
  CHECK(contains(server.expect(400, "POST", ack, "{}"), "either"));
  CHECK(contains(server.expect(400, "POST", ack, R"({"upto":9,"sequences":[1]})"), "either"));
  CHECK(contains(server.expect(400, "POST", ack, R"({"sequences":[1,-1]})"), "not a whole number"));
  CHECK(contains(server.expect(400, "POST", ack, R"({"sequences":7})"), "not an array"));
  CHECK(contains(
      server.expect(200, "POST", "/v1/consumers/c/nack", R"({"sequences":[4],"delay_ms":100})"),
      "\"c\""));
  CHECK(
      contains(server.expect(400, "POST", "/v1/consumers/c/nack", "{}"), "`sequences` is missing"));
  server.on_loop([&] {
    REQUIRE(server.consumers.acks.size() == 2);
    CHECK(server.consumers.acks[0].events == std::vector{Sequence(4), Sequence(5)});
    CHECK(server.consumers.acks[0].upto.none());
    CHECK(server.consumers.acks[1].events.empty());
    CHECK(server.consumers.acks[1].upto == Sequence(9));
    CHECK(server.consumers.nacks.at(0).delay_ms == 100);
  });
}

TEST_CASE("consumers: are paused, resumed and sent to another place") {
  ServerFixture server;
  make(server);
  CHECK(contains(server.expect(200, "POST", "/v1/consumers/c/pause"), "\"c\""));
  server.on_loop([&] { CHECK(server.consumers.paused.at("c")); });
  CHECK(contains(server.expect(200, "POST", "/v1/consumers/c/resume"), "\"c\""));
  server.on_loop([&] { CHECK_FALSE(server.consumers.paused.at("c")); });
  CHECK(
      contains(server.expect(200, "POST", "/v1/consumers/c/seek", R"({"sequence":12})"), "\"c\""));
  server.on_loop([&] { CHECK(server.consumers.sought.at("c") == Sequence(12)); });
  CHECK(
      contains(server.expect(400, "POST", "/v1/consumers/c/seek", "{}"), "`sequence` is missing"));
}
