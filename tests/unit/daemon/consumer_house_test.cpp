#include "daemon/consumer_house.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

struct Reply {
  bool answered = false;
  std::optional<api::Fetched> events;
  std::optional<ErrorCode> refused;
};

struct ConsumerFixture : HouseFixture {
  std::unique_ptr<dispatch::Consumers> consumers;
  std::unique_ptr<daemon::ConsumerHouse> readers;
  std::deque<Reply> replies;

  void begin() {
    readers.reset();
    consumers.reset();
    REQUIRE(restart());
    consumers =
        std::make_unique<dispatch::Consumers>(*life->store, std::vector<dispatch::ClassTypes>());
    REQUIRE(consumers->load().ok());
    readers =
        std::make_unique<daemon::ConsumerHouse>(life->house, *consumers, [this] { ++stirred; });
  }
  void make(const std::string& name, uint32_t in_flight_max = 256) {
    dispatch::ConsumerSettings settings;
    settings.name = name;
    settings.in_flight_max = in_flight_max;
    CHECK_FALSE(settle([&](auto done) { readers->make_consumer(settings, done); }));
  }
  // Runs `request`, waits for the disk; the refusal's code, if there is one.
  template <class Request>
  std::optional<ErrorCode> settle(Request request) {
    std::optional<api::Answer<std::monostate>> answer;
    request([&answer](api::Answer<std::monostate> one) { answer = std::move(one); });
    life->store->drain();
    REQUIRE(answer);
    const auto* const refusal = std::get_if<api::Refusal>(&*answer);
    return refusal == nullptr ? std::nullopt : std::optional(refusal->error.code);
  }
  std::optional<ErrorCode> ack(const std::string& name, std::vector<Sequence> events) {
    return settle([&](auto done) { readers->ack_events(name, events, Sequence(), done); });
  }
  Reply& fetch(const std::string& name, int64_t wait_ms = 0, uint32_t events_max = 100) {
    Reply& reply = replies.emplace_back();
    wait = readers->fetch({name, events_max, wait_ms}, [&reply](api::Answer<api::Fetched> answer) {
      CHECK_FALSE(reply.answered);
      reply.answered = true;
      if (auto* events = std::get_if<api::Fetched>(&answer)) reply.events = std::move(*events);
      if (auto* refusal = std::get_if<api::Refusal>(&answer)) reply.refused = refusal->error.code;
    });
    return reply;
  }
  // A commit, and what the daemon does after one.
  void arrive(std::string_view type = "a.one") {
    ingest(type);
    life->store->drain();
    readers->pump();
  }

  uint64_t wait = 0;
  int stirred = 0;
};

size_t count(const Reply& reply) { return reply.events ? reply.events->events.size() : 0; }

}  // namespace

TEST_CASE("consumer house: a reader waits until an event is on disk, then has it as JSON") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  const Reply& reply = f.fetch("c", 20000);
  CHECK(f.stirred == 1);
  f.readers->pump();
  CHECK_FALSE(reply.answered);
  f.arrive();
  REQUIRE(count(reply) == 1);
  CHECK(reply.events->events[0].find("\"type\":\"a.one\"") != std::string::npos);
  CHECK(reply.events->deliveries == std::vector<uint32_t>{1});
  CHECK(reply.events->sequences == std::vector<Sequence>{Sequence(1)});
  CHECK(reply.events->pending == 1);
  CHECK_FALSE(f.ack("c", {Sequence(1)}));
  f.begin();
  CHECK(count(f.fetch("c")) == 0);
}

TEST_CASE("consumer house: a wait ends with nothing at its time, and the alarm is set for it") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  const Reply& reply = f.fetch("c", 5000);
  REQUIRE(f.readers->next_due());
  CHECK(*f.readers->next_due() == f.life->store->now_ms() + 5000);
  f.advance(milliseconds(4999));
  f.readers->pump();
  CHECK_FALSE(reply.answered);
  f.advance(milliseconds(1));
  f.readers->pump();
  CHECK(reply.events);
  CHECK(count(reply) == 0);
  CHECK_FALSE(f.readers->next_due());
}

TEST_CASE("consumer house: readers of one consumer are served in the order in which they came") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  const Reply& first = f.fetch("c", 20000, 1);
  const Reply& second = f.fetch("c", 20000, 1);
  f.arrive();
  CHECK(count(first) == 1);
  CHECK_FALSE(second.answered);
  f.arrive();
  CHECK(count(second) == 1);
}

TEST_CASE(
    "consumer house: one that is full of unacknowledged events does not keep others waiting") {
  ConsumerFixture f;
  f.begin();
  f.make("slow", 1);
  f.make("live");
  f.arrive();
  CHECK(count(f.fetch("slow")) == 1);
  CHECK(count(f.fetch("live")) == 1);
  const Reply& slow = f.fetch("slow", 20000);
  const Reply& live = f.fetch("live", 20000);
  f.arrive();
  CHECK_FALSE(slow.answered);
  CHECK(count(live) == 1);
  CHECK_FALSE(f.ack("slow", {Sequence(1)}));
  f.readers->pump();
  CHECK(count(slow) == 1);
}

TEST_CASE(
    "consumer house: an unacknowledged event comes to a waiting reader when its time is over") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  f.arrive();
  CHECK(count(f.fetch("c")) == 1);
  const Reply& reply = f.fetch("c", 60000);
  REQUIRE(f.readers->next_due());
  CHECK(*f.readers->next_due() == f.life->store->now_ms() + 30000);
  f.advance(seconds(30));
  f.readers->pump();
  REQUIRE(count(reply) == 1);
  CHECK(reply.events->deliveries[0] == 2);
}

TEST_CASE("consumer house: at most 256 wait, the next one is told to come back") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  for (size_t index = 0; index < daemon::fetch_waits_max; ++index) f.fetch("c", 20000);
  CHECK(f.fetch("c", 20000).refused == ErrorCode::busy);
  CHECK(f.readers->counters().waits_refused == 1);
  f.readers->cancel_fetch(f.wait == 0 ? 1 : f.wait);
  CHECK(f.readers->waiting() == daemon::fetch_waits_max - 1);
  f.readers->close();
  CHECK(f.readers->waiting() == 0);
  for (const Reply& reply : f.replies) CHECK((reply.answered || &reply == &f.replies.front()));
  CHECK(f.fetch("c", 20000).events);
}

TEST_CASE("consumer house: one that is gone is not found, also by who waits for it") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  CHECK(f.fetch("nobody").refused == ErrorCode::not_found);
  CHECK(f.ack("nobody", {Sequence(1)}) == ErrorCode::not_found);
  const Reply& waiting = f.fetch("c", 20000);
  CHECK_FALSE(f.settle([&](auto done) { f.readers->drop_consumer("c", done); }));
  f.readers->pump();
  CHECK(waiting.refused == ErrorCode::not_found);
}

TEST_CASE("consumer house: closing writes the positions of consumers without acknowledgements") {
  ConsumerFixture f;
  f.begin();
  dispatch::ConsumerSettings settings;
  settings.name = "tail";
  settings.ack = dispatch::AckMode::none;
  CHECK_FALSE(f.settle([&](auto done) { f.readers->make_consumer(settings, done); }));
  f.arrive();
  CHECK(count(f.fetch("tail")) == 1);
  f.readers->close();
  f.begin();
  CHECK(count(f.fetch("tail")) == 0);
  f.arrive();
  const Reply& next = f.fetch("tail");
  REQUIRE(count(next) == 1);
  CHECK(next.events->sequences.empty());
}

TEST_CASE("consumer house: an answer is bounded by bytes") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  for (int index = 0; index < 30; ++index) {
    Event event = make_event("a.large");
    event.data = ByteVector(60003, 'x');
    event.data[0] = 0x79;  // text of 60,000 characters
    event.data[1] = 0xea;
    event.data[2] = 0x60;
    f.ingest(std::vector<Event>{event});
    f.life->store->drain();
  }
  CHECK(count(f.fetch("c")) == 18);
  CHECK(count(f.fetch("c")) == 12);
}

TEST_CASE("consumer house: the list tells settings, position and counters") {
  ConsumerFixture f;
  f.begin();
  f.make("c");
  f.arrive();
  CHECK(count(f.fetch("c")) == 1);
  f.advance(seconds(2));
  const std::string json = f.readers->consumers_json();
  for (const char* part : {"\"name\":\"c\"", "\"cursor\":1", "\"pending\":1", "\"lag\":1",
                           "\"oldest_age_ms\":2000", "\"ack\":\"explicit\"", "\"start\":\"all\""}) {
    CHECK_MESSAGE(json.find(part) != std::string::npos, json);
  }
}
