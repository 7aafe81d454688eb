#include <doctest/doctest.h>

#include <string>

#include "base/limits.hpp"
#include "codec/cbor_value.hpp"
#include "codec/records.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

Event good_event() {
  Event event;
  event.type = "sysinfo.reading";
  event.source = "limpet/gateway-7";
  event.subject = "board";
  event.data = cbor_map({{"load", 0.25}});
  return event;
}

std::string why_refused(const Event& event) {
  const Result<void> result = check_event(view(event));
  return result.ok() ? "" : result.error().where;
}

}  // namespace

TEST_CASE("check_event: a good event passes, with data and without") {
  Event event = good_event();
  CHECK(why_refused(event) == "");
  event.data.clear();
  CHECK(why_refused(event) == "");
}

TEST_CASE("check_event: type and source are required") {
  Event event = good_event();
  event.type.clear();
  CHECK(why_refused(event) == "event: `type` is missing");
  event = good_event();
  event.source.clear();
  CHECK(why_refused(event) == "event: `source` is missing");
}

TEST_CASE("check_event: a type is dotted segments without wildcards") {
  for (const char* type : {"a", "a.b", "com.example/x:y.z_1-2", "limpet.run.created"}) {
    CAPTURE(type);
    CHECK(event_type_valid(type));
  }
  for (const char* type : {"", ".", ".a", "a.", "a..b", "a b", "a.*", "#", "caf\xc3\xa9", "a\n"}) {
    CAPTURE(type);
    CHECK_FALSE(event_type_valid(type));
  }
  Event event = good_event();
  event.type = std::string(limits::event_type_bytes_max, 'a');
  CHECK(why_refused(event) == "");
  event.type += "a";
  CHECK(why_refused(event) == "event: `type` is longer than 128 bytes");
}

TEST_CASE("check_event: each attribute has its limit, and so have all together") {
  Event event = good_event();
  event.subject = std::string(limits::event_attribute_bytes_max, 's');
  CHECK(why_refused(event) == "");
  event.subject += "s";
  CHECK(why_refused(event) == "event: `subject` is longer than 512 bytes");
  CHECK(check_event(view(event)).error().code == ErrorCode::too_large);

  event = good_event();
  const std::string longest(limits::event_attribute_bytes_max, 'x');
  event.id = event.subject = event.data_schema = event.correlation = longest;
  event.causation = event.tenant = event.principal = longest;
  CHECK(why_refused(event) == "");
  event.trace_parent = longest;
  CHECK(why_refused(event) == "event: the attributes together are larger than 4 KiB");
}

TEST_CASE("check_event: attributes are UTF-8 text without control characters") {
  Event event = good_event();
  event.source = "a\nb";
  CHECK(why_refused(event) == "event: `source` is not UTF-8 text without control characters");
  event = good_event();
  event.subject = "\xff";
  CHECK(why_refused(event) == "event: `subject` is not UTF-8 text without control characters");
}

TEST_CASE("check_event: data is one item within its limit") {
  Event event = good_event();
  event.data = cbor_item(ByteVector(limits::event_data_bytes_max - 3));
  REQUIRE(event.data.size() == limits::event_data_bytes_max);
  CHECK(why_refused(event) == "");
  event.data = cbor_item(ByteVector(limits::event_data_bytes_max - 2));
  CHECK(why_refused(event) == "event: the data is larger than 64 KiB as CBOR");
  event.data = {0x01, 0x02};
  CHECK(why_refused(event) == "cbor: bytes after the last item");
  event.data = {0x9f, 0xff};
  CHECK(why_refused(event) == "cbor: an indefinite length");
}

TEST_CASE("check_event: extensions are a map of lower-case names to scalars") {
  Event event = good_event();
  event.extensions = cbor_map({{"severity", 3}, {"note", "x"}, {"live", true}});
  CHECK(why_refused(event) == "");
  event.extensions = cbor_array({1});
  CHECK(why_refused(event) == "event: the extensions are not a map");
  event.extensions = cbor_map({{"Severity", 3}});
  CHECK(why_refused(event) == "event: an extension's name is not of a-z and 0-9");
  event.extensions = cbor_map({{"", 3}});
  CHECK(why_refused(event) == "event: an extension's name is not of a-z and 0-9");
  event.extensions = cbor_map({{"list", CborRaw{cbor_array({1})}}});
  CHECK(why_refused(event) == "event: an extension's value is neither text, number nor boolean");
}
