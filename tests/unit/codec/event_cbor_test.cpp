#include "codec/event_cbor.hpp"

#include <doctest/doctest.h>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/event_json.hpp"
#include "codec/json.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

constexpr Epoch epoch{0x123456789a};

Explained<std::vector<Event>> read(const std::string& bytes, Origin origin = Origin::drop) {
  return events_from_cbor(as_bytes(bytes), origin);
}

std::string as_cbor(const EventView& event) {
  std::string out;
  REQUIRE(EventCborWriter(epoch).append(out, event).ok());
  REQUIRE(validate(as_bytes(out)).ok());
  return out;
}

Event full_event() {
  Event event;
  event.sequence = Sequence(42);
  event.type = "a.b";
  event.source = "limpet/g";
  event.id = "x-1";
  event.subject = "board";
  event.time.ns = 1783931096123456789;
  event.content_type = "text/plain";
  event.data_schema = "https://example.org/s";
  event.correlation = "c";
  event.causation = "d";
  event.run = RunId(17);
  event.tenant = "t";
  event.principal = "uid:1000";
  event.trace_parent = "00-4b-00-01";
  event.extensions = cbor_map({{"severity", 3}, {"note", std::string(300, 'n')}});
  event.data = cbor_map({{"load", 0.25}, {"raw", ByteSpan()}});
  return event;
}

}  // namespace

TEST_CASE("event cbor: it says what the JSON form says, and reads back") {
  const Event event = full_event();
  const Explained<std::vector<Event>> back = read(as_cbor(view(event)));
  REQUIRE_MESSAGE(back.ok(), back.detail());
  REQUIRE(back->size() == 1);
  CHECK(*event_to_json(view(back->front()), epoch) == *event_to_json(view(event), epoch));
  CHECK(back->front().data == event.data);
}

TEST_CASE("event cbor: what is absent is not written, and an empty id is epoch and sequence") {
  Event event;
  event.type = "a.b";
  event.source = "s";
  event.sequence = Sequence(UINT64_MAX);
  event.time.ns = 1;
  const Explained<std::vector<Event>> back = read(as_cbor(view(event)));
  REQUIRE(back.ok());
  CHECK(back->front().id == qualified_id(epoch, UINT64_MAX));
  CHECK(back->front().data.empty());
  CHECK(back->front().extensions.empty());
}

TEST_CASE("event cbor: numbers of every width are as the reader has them") {
  for (int shift = 0; shift < 64; ++shift) {
    for (const uint64_t value : {uint64_t{1} << shift, (uint64_t{1} << shift) - 1}) {
      if (value == 0) continue;
      Event event;
      event.type = "a";
      event.source = "s";
      event.time.ns = value;
      event.sequence = Sequence(value);
      const auto back = read(as_cbor(view(event)));
      REQUIRE(back.ok());
      CHECK(back->front().sequence == Sequence(value));
      CHECK(back->front().time.ns == value);
    }
  }
}

TEST_CASE("event cbor: extensions that are no map, or too much, leave the output as it was") {
  Event event = full_event();
  const ByteVector text = cbor_item("no map");
  event.extensions = text;
  std::string out = "before";
  CHECK_FALSE(EventCborWriter(epoch).append(out, view(event)).ok());
  event.extensions.clear();
  event.subject.assign(9000, 's');
  CHECK_FALSE(EventCborWriter(epoch).append(out, view(event)).ok());
  CHECK(out == "before");
}

TEST_CASE("event cbor: a sequence is read whole or not at all, and says which event was wrong") {
  const std::string good = as_cbor(view(full_event()));
  const auto refusal = [](const std::string& bytes) {
    const auto events = read(bytes);
    return events.ok() ? "" : events.detail();
  };
  CHECK(read(good + good)->size() == 2);
  CHECK(refusal("") == "there is no event in it");
  CHECK(refusal(good + good.substr(0, 40)).starts_with("event 2: "));
  CHECK(refusal(good + "\x05").starts_with("event 2: "));
  std::string many;
  for (size_t count = 0; count <= limits::batch_events_max; ++count) many += good;
  CHECK(refusal(many) == "more than 256 events at once");
}

TEST_CASE(
    "event cbor: where an event was stored is kept among its extensions, the first place only") {
  Event event = full_event();
  event.extensions.clear();
  const auto once = read(as_cbor(view(event)), Origin::keep);
  REQUIRE(once.ok());
  const std::string origin = to_string(epoch);
  const std::string extensions = R"({"originsequence":42,"originepoch":")" + origin +
                                 R"(","originrunid":")" + origin +
                                 R"(-17","originprincipal":"uid:1000"})";
  CHECK(*cbor_to_json(once->front().extensions) == extensions);
  // On to a third log.
  Event second = once->front();
  second.sequence = Sequence(7);
  const auto twice = read(as_cbor(view(second)), Origin::keep);
  REQUIRE(twice.ok());
  CHECK(*cbor_to_json(twice->front().extensions) == extensions);
  const auto json = events_from_json(*event_to_json(view(event), epoch), Origin::keep);
  REQUIRE(json.ok());
  CHECK(*cbor_to_json(json->front().extensions) == extensions);
}
