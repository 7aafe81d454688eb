#include "codec/event_json.hpp"

#include <doctest/doctest.h>

#include <string>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/json.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

constexpr Epoch epoch{0x123456789a};

std::string refusal_of(std::string_view json) {
  const Explained<Event> event = event_from_json(json);
  return event.ok() ? "" : event.detail();
}

std::string batch_refusal_of(std::string_view json) {
  const Explained<std::vector<Event>> events = events_from_json(json);
  return events.ok() ? "" : events.detail();
}

size_t count_of(std::string_view json) { return events_from_json(json).value().size(); }

std::string event_with(std::string_view members) {
  return "{\"type\":\"a.b\"," + std::string(members) + "}";
}

}  // namespace

TEST_CASE("event json: every attribute passes both ways") {
  const std::string id = to_string(epoch);
  const std::string json =
      R"({"specversion":"1.0","id":"x-1","source":"limpet/g","type":"a.b","subject":"board",)"
      R"("time":"2026-07-13T08:24:56.123456789Z","datacontenttype":"application/json",)"
      R"("dataschema":"https://example.org/s","sequence":42,"epoch":")" +
      id + R"(","correlationid":"c","causationid":"d","runid":")" + id +
      R"(-17","tenant":"t","principal":"uid:1000","traceparent":"00-4b-00-01",)"
      R"("severity":3,"live":true,"note":"n","data":{"load":0.25,"list":[1,null]}})";
  const Explained<Event> event = event_from_json(json);
  REQUIRE_MESSAGE(event.ok(), event.detail());
  CHECK(event->sequence == Sequence(42));
  CHECK(event->run == RunId(17));
  CHECK(event->time.ns == 1783931096123456789);
  CHECK(event->trace_parent == "00-4b-00-01");
  CHECK(*cbor_to_json(event->extensions) == R"({"severity":3,"live":true,"note":"n"})");
  CHECK(*event_to_json(view(*event), epoch) == json);
}

TEST_CASE("event json: what is absent is not printed, and an empty id is epoch and sequence") {
  Event event;
  event.type = "a.b";
  event.source = "s";
  event.sequence = Sequence(7);
  CHECK(*event_to_json(view(event), epoch) ==
        R"({"specversion":"1.0","id":")" + qualified_id(epoch, 7) +
            R"(","source":"s","type":"a.b","sequence":7,"epoch":")" + to_string(epoch) + "\"}");
  event.sequence = Sequence();
  CHECK(*event_to_json(view(event), Epoch()) ==
        R"({"specversion":"1.0","source":"s","type":"a.b"})");
}

TEST_CASE("event json: type alone is enough; null attributes are absent ones") {
  const Explained<Event> event =
      event_from_json(R"({"type":"a","subject":null,"time":null,"note":null})");
  REQUIRE(event.ok());
  CHECK(event->subject.empty());
  CHECK(event->time.ns == 0);
  CHECK(event->data.empty());
  CHECK(event->extensions.empty());
}

TEST_CASE("event json: bytes pass as data_base64") {
  const Explained<Event> event = event_from_json(event_with(R"("data_base64":"AP+A")"));
  REQUIRE(event.ok());
  CHECK(event->data == cbor_item(ByteVector{0x00, 0xff, 0x80}));
  CHECK(event_to_json(view(*event), epoch)->find(R"("data_base64":"AP+A")") != std::string::npos);
  CHECK(refusal_of(event_with(R"("data_base64":"A")")) == "`data_base64` is not base 64 text");
  CHECK(refusal_of(event_with(R"("data_base64":"AA==","data":1)")) ==
        "`data` is given beside the other form of data");
  CHECK(refusal_of(event_with(R"("data_base64":null,"data":1)")) == "");
  CHECK(refusal_of(event_with(R"("data":1,"data_base64":null)")) == "");
}

TEST_CASE("event json: data may be any value, also null") {
  for (const char* data : {"null", "0", "\"text\"", "[]", "{\"type\":{\"type\":1}}", "false"}) {
    const Explained<Event> event =
        event_from_json(event_with("\"source\":\"s\",\"data\":" + std::string(data)));
    REQUIRE(event.ok());
    CHECK(*cbor_to_json(event->data) == data);
    CHECK(event_to_json(view(*event), epoch)->ends_with("\"data\":" + std::string(data) + "}"));
  }
}

TEST_CASE("event json: a refusal names the attribute and what is wrong with it") {
  CHECK(refusal_of(R"({"source":"s"})") == "`type` is missing");
  CHECK(refusal_of(R"({"type":7})") == "`type` is not text");
  CHECK(refusal_of(R"({"type":""})") == "`type` is missing");
  CHECK(refusal_of(R"({"type":"a..b"})") ==
        "`type` is not of letters, digits and _-:/ in segments divided by dots");
  CHECK(refusal_of(event_with(R"("specversion":"0.3")")) == "`specversion` is not \"1.0\"");
  CHECK(refusal_of(event_with(R"("time":"noon")")) ==
        "`time` is not an RFC 3339 time since 1970: 'noon'");
  CHECK(refusal_of(event_with(R"("subject":["x"])")) == "`subject` is not text");
  CHECK(refusal_of(event_with(R"("epoch":"x")")) == "`epoch` is not an epoch like \"7k2m9qxc\"");
  CHECK(refusal_of(event_with(R"("runid":"x")")) ==
        "`runid` is not a run's id like \"7k2m9qxc-1042\"");
  CHECK(refusal_of(event_with(R"("sequence":-1)")) == "`sequence` is not a number of one or more");
  CHECK(refusal_of(event_with(R"("subject":"a","subject":"b")")) == "`subject` is given twice");
  CHECK(refusal_of(event_with(R"("note":1,"note":2)")) == "`note` is given twice");
  CHECK(refusal_of(event_with(R"("Note":1)")) == "an extension's name is not of a-z and 0-9");
  CHECK(refusal_of(event_with(R"("note":{})")) ==
        "an extension's value is neither text, number nor boolean");
  CHECK(refusal_of("[]") == "one event is one JSON object");
  CHECK(refusal_of("").starts_with("one event is"));
  CHECK(refusal_of("{\"type\":").starts_with("not JSON: parse error at line 1, column 9"));
}

TEST_CASE("event json: sizes are bounded, each with its sentence") {
  const std::string text(limits::event_attribute_bytes_max + 1, 'x');
  CHECK(refusal_of(event_with("\"subject\":\"" + text + "\"")) ==
        "`subject` is longer than 512 bytes");
  const std::string large(limits::event_data_bytes_max, 'x');
  CHECK(refusal_of(event_with("\"data\":\"" + large + "\"")) ==
        "the data is larger than 64 KiB as CBOR");
  CHECK(refusal_of(event_with("\"data\":\"" + large.substr(5) + "\"")) == "");
  CHECK(refusal_of(event_with("\"data\":\"" + large + large + "\"")).starts_with("the data is"));
  std::string many = "\"a\":1";
  for (int index = 0; index < 2000; ++index) many += ",\"x" + std::to_string(index) + "\":1";
  CHECK(refusal_of(event_with(many)) == "the attributes together are larger than 4 KiB");
}

TEST_CASE("event json: data has its own levels, in a batch too") {
  const auto nested = [](size_t depth) {
    return event_with("\"data\":" + std::string(depth, '[') + std::string(depth, ']'));
  };
  CHECK(batch_refusal_of("[" + nested(limits::item_depth_max) + "]") == "");
  CHECK(batch_refusal_of("[" + nested(limits::nesting_depth_max + 1) + "]") ==
        "event 1: the data is larger than 64 KiB as CBOR or nested more than 16 levels deep");
}

TEST_CASE("event json: one event, an array, and one after the other are read") {
  CHECK(count_of(R"({"type":"a"})") == 1);
  CHECK(count_of(R"( [{"type":"a"},{"type":"b"}] )") == 2);
  CHECK(count_of("{\"type\":\"a\"}\n{\"type\":\"b\",\"data\":\"}{\\\"\"}\n\n{\"type\":\"c\"}\n") ==
        3);
  CHECK(count_of("{\n  \"type\": \"a\",\n  \"data\": [{}]\n}") == 1);
  CHECK(events_from_json(R"([{"type":"a","id":"1"},{"type":"b","id":"2"}])").value()[1].id == "2");
}

TEST_CASE("event json: a batch is refused whole, and says which event it was") {
  CHECK(batch_refusal_of(R"([{"type":"a"},{"type":7}])") == "event 2: `type` is not text");
  CHECK(batch_refusal_of("{\"type\":\"a\"}\n{\"typ\":\"b\"}") == "event 2: `type` is missing");
  CHECK(batch_refusal_of(R"([{"type":"a"},7])") == "event 2: an event is an object");
  CHECK(batch_refusal_of(R"([[{"type":"a"}]])") == "event 1: an event is an object");
  CHECK(batch_refusal_of("{\"type\":\"a\"} x").starts_with("event 2: not JSON: "));
  CHECK(batch_refusal_of("[]") == "there is no event in it");
  CHECK(batch_refusal_of("  ") == "there is no event in it");
}

TEST_CASE("event json: a batch holds at most 256 events") {
  std::string batch = "[";
  for (size_t index = 0; index < limits::batch_events_max; ++index) {
    batch += index == 0 ? R"({"type":"a"})" : R"(,{"type":"a"})";
  }
  CHECK(count_of(batch + "]") == limits::batch_events_max);
  CHECK(batch_refusal_of(batch + R"(,{"type":"a"}])") == "event 257: more than 256 events at once");
}

TEST_CASE("event map: a plugin's event is read with its names, times and data") {
  const ByteVector data = cbor_map({{"load", 0.25}});
  const ByteVector map = cbor_map({{"type", "sysinfo.reading"},
                                   {"subject", "board"},
                                   {"time", uint64_t{1783931096000000001}},
                                   {"data", CborRaw{data}}});
  const Explained<Event> event = event_from_map(map);
  REQUIRE(event.ok());
  CHECK(event->type == "sysinfo.reading");
  CHECK(event->subject == "board");
  CHECK(event->time.ns == 1783931096000000001);
  CHECK(event->data == data);
  CHECK_FALSE(event_from_map(cbor_array({1})).ok());
  CHECK_FALSE(event_from_map(ByteVector{0xa1, 0x01, 0x02}).ok());
  CHECK(event_from_map(ByteVector{0xbf, 0xff}).detail() ==
        "the event is not valid: cbor: an indefinite length");
}

TEST_CASE("event map: an agent sees the names of the contract and nothing absent") {
  Event event;
  event.type = "a.b";
  event.source = "s";
  event.sequence = Sequence(7);
  event.time = WallTime{5};
  event.run = RunId(3);
  event.principal = "uid:1000";
  event.data = cbor_item(true);
  const ByteVector map = event_to_map(view(event), epoch);
  REQUIRE(validate(map).ok());
  CHECK(*cbor_to_json(map) == R"({"type":"a.b","source":"s","id":")" + qualified_id(epoch, 7) +
                                  R"(","time":5,"sequence":7,"epoch":")" + to_string(epoch) +
                                  R"(","runid":")" + qualified_id(epoch, 3) + R"(","data":true})");
}
