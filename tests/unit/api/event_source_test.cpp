#include "api/event_source.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/cbor.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/api/fake_services.hpp"

using namespace limpet;
using namespace limpet::api;
using limpet::testing::FakeServices;
using limpet::testing::make_event;
using limpet::testing::ManualClock;

namespace {

// Says what was missing.
struct Holes : FakeServices {
  std::vector<uint64_t> missing;
  bool concerns = true;
  bool damaged = false;

  Result<ReadEnd> read_events(const EventFilter& filter, Sequence from, size_t records_max,
                              const EventVisitor& visit) override {
    auto end = FakeServices::read_events(filter, from, records_max, [&](const EventView& event) {
      const bool gone = std::ranges::find(missing, event.sequence.value()) != missing.end();
      return gone || visit(event);
    });
    if (end.ok()) end->damaged = damaged;
    return end;
  }
  bool may_have_matched(const EventFilter&, Sequence) const override { return concerns; }
};

struct Fixture {
  Holes services;
  ManualClock clock;

  void append(std::string type, int64_t second = 0) {
    Event event = make_event(std::move(type), 4);
    event.time = clock.wall() + seconds(second);
    services.append(std::move(event));
  }
  std::unique_ptr<EventSource> open(EventQuery query) {
    return std::make_unique<EventSource>(services, std::move(query),
                                         [this] { return clock.boot(); });
  }
  // Pulls until nothing more comes now: sequences, and "[a,b)" for gaps.
  std::string read(EventSource& source) {
    std::string all;
    do {
      std::string piece;
      last = source.pull(piece);
      all += piece;
    } while (last == Pull::more);
    return told(all);
  }
  std::string read(EventQuery query) { return read(*open(std::move(query))); }

  static std::string told(const std::string& lines) {
    std::string seen;
    for (size_t begin = 0; begin < lines.size(); begin = lines.find('\n', begin) + 1) {
      const std::string line = lines.substr(begin, lines.find('\n', begin) - begin);
      if (!seen.empty()) seen += " ";
      const auto number = [&line](std::string_view name) {
        const size_t at = line.find(name);
        return at == std::string::npos ? std::string()
                                       : std::to_string(std::stoull(line.substr(at + name.size())));
      };
      const std::string sequence = number("\"sequence\":");
      seen +=
          sequence.empty() ? "[" + number("\"from\":") + "," + number("\"to\":") + ")" : sequence;
    }
    return seen;
  }

  Pull last = Pull::failed;
};

EventQuery query_of(std::string type) {
  EventQuery query;
  query.filter.type_pattern = std::move(type);
  return query;
}

}  // namespace

TEST_CASE("event source: every hole of the log is told, many small ones as one") {
  Fixture f;
  for (int index = 0; index < 10; ++index) f.append(index % 2 == 0 ? "a.x" : "b.y");
  f.services.missing = {3, 5, 6, 10};
  CHECK(f.read(EventQuery()) == "1 2 [3,4) 4 [5,7) 7 8 9 [10,11)");
  CHECK(f.read(query_of("b.*")) == "2 [3,4) 4 [5,7) 8 [10,11)");
  f.services.missing = {3, 5, 7};
  CHECK(f.read(query_of("c")) == "[3,8)");
}

TEST_CASE("event source: what could not have matched is no gap; a damaged record always is one") {
  Fixture f;
  for (int index = 0; index < 6; ++index) f.append(index % 2 == 0 ? "a.x" : "b.y");
  f.services.missing = {3};
  f.services.concerns = false;
  CHECK(f.read(query_of("b.*")) == "2 4 6");
  f.services.damaged = true;
  CHECK(f.read(query_of("b.*")) == "2 4 6 [3,4)");
}

TEST_CASE("event source: since begins at the first event of a time") {
  Fixture f;
  for (int64_t second = 0; second < 100; ++second) f.append("a", second);
  EventQuery query;
  query.since = f.clock.wall() + seconds(97);
  CHECK(f.read(query) == "98 99 100");
  query.since = f.clock.wall() + seconds(1000);
  CHECK(f.read(query).empty());
}

TEST_CASE(
    "event source: at the original pace events wait for their time, and it says for how long") {
  Fixture f;
  for (const int64_t second : {0, 4, 4, 10}) f.append("a", second);
  EventQuery query;
  query.from = Sequence(1);
  query.speed_percent = 200;
  const auto source = f.open(query);
  CHECK(f.read(*source) == "1");
  CHECK(f.last == Pull::waiting);
  REQUIRE(source->due_in());
  CHECK(*source->due_in() == seconds(2));
  f.clock.advance(milliseconds(1999));
  CHECK(f.read(*source).empty());
  f.clock.advance(milliseconds(1));
  CHECK(f.read(*source) == "2 3");
  f.clock.advance(seconds(3));
  CHECK(f.read(*source) == "4");
  CHECK(f.last == Pull::finished);
}

TEST_CASE("event source: as a CBOR sequence it says the same, and a sign of life is no event") {
  Fixture f;
  for (int index = 0; index < 300; ++index) f.append("a.b", index);
  f.services.missing = {2};
  EventQuery query;
  query.format = EventFormat::cbor;
  const auto source = f.open(query);
  std::string all;
  for (Pull pulled = Pull::more; pulled == Pull::more;) {
    std::string piece;
    pulled = source->pull(piece);
    CHECK(piece.size() < 2 * body_slice_bytes);
    all += piece;
  }
  size_t count = 0;
  codec::CborReader reader(as_bytes(all));
  while (!reader.at_end()) {
    const ByteSpan item = reader.item();
    REQUIRE(reader.ok());
    const auto event = codec::events_from_cbor(item, codec::Origin::drop);
    REQUIRE_MESSAGE(event.ok(), event.detail());
    CHECK(event->front().type == (count == 1 ? "limpet.log.gap" : "a.b"));
    ++count;
  }
  CHECK(count == 300);
  codec::CborReader sign(as_bytes(source->heartbeat()));
  CHECK(sign.map() == 0);
  CHECK(sign.finish().ok());
}
