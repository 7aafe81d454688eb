#include "codec/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "codec/base64.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/rfc3339.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

// To CBOR and back; the refusal's sentence in brackets if there is one.
std::string around(std::string_view json) {
  const Explained<ByteVector> item = json_to_cbor(json);
  if (!item) return "[refused: " + item.detail() + "]";
  const Result<void> valid = validate(*item);
  if (!valid) return valid.error().where;
  return *cbor_to_json(*item);
}

void check_same(std::string_view json) { CHECK(around(json) == json); }

std::string brackets(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("json: values pass to CBOR and back unchanged") {
  check_same("null");
  check_same("true");
  check_same("0");
  check_same("18446744073709551615");
  check_same("-9223372036854775808");
  check_same("9007199254740993");  // not a double
  check_same("0.1");
  check_same("1.0");
  check_same("-1.5e-300");
  check_same("\"\"");
  check_same("\"caf\xc3\xa9 \\\"quoted\\\" \\\\ \\n\\t\\u0001\"");
  check_same("[]");
  check_same("{}");
  check_same(R"({"b":[1,{"a":null}],"a":{"x":{}},"":[[],[[]]]})");
}

TEST_CASE("json: numbers beyond 64 bits become the nearest double") {
  CHECK(around("18446744073709551616") == "18446744073709551616.0");
  CHECK(around("-9223372036854775809") == "-9223372036854775808.0");
}

TEST_CASE("json: escapes and white space are read") {
  CHECK(around(" { \"a\" :\n[ 1 , 2 ] } ") == R"({"a":[1,2]})");
  CHECK(around(R"("\u00e9\ud83d\udc1a\/")") == "\"\xc3\xa9\xf0\x9f\x90\x9a/\"");
}

TEST_CASE("json: what is not JSON is refused with its place") {
  const auto detail = [](std::string_view text) {
    const Explained<ByteVector> item = json_to_cbor(text);
    REQUIRE_FALSE(item.ok());
    CHECK(item.error().code == ErrorCode::invalid);
    return item.detail();
  };
  CHECK(detail("").starts_with("not JSON: parse error at line 1, column 1"));
  CHECK(detail("{\n\"a\": }").starts_with("not JSON: parse error at line 2, column 6"));
  for (const char* text : {"[1,]", "{'a':1}", "01", "nul", "[1] 2", "\"\x80\"", "\"\n\"", "NaN",
                           "1e999", "\"\\ud800\"", "// no\n1", "{\"a\"}", "[", "\"open"}) {
    CAPTURE(text);
    CHECK_FALSE(detail(text).empty());
  }
}

TEST_CASE("json: a sentence about bad input is short and printable") {
  const std::string hostile = "\"" + std::string(100000, '\x1b');
  const Explained<ByteVector> item = json_to_cbor(hostile);
  REQUIRE_FALSE(item.ok());
  CHECK(item.detail().size() < 300);
  for (const char character : item.detail()) CHECK((character >= 0x20 && character < 0x7f));
}

TEST_CASE("json: nesting and size are bounded") {
  check_same(brackets(limits::nesting_depth_max));
  CHECK(json_to_cbor(brackets(limits::nesting_depth_max + 1)).error().code == ErrorCode::too_large);
  CHECK(json_to_cbor(std::string(1000000, '[')).error().code == ErrorCode::too_large);
  CHECK(json_to_cbor(std::string(json_bytes_max + 1, ' ')).error().code == ErrorCode::too_large);
  const std::string large = "\"" + std::string(limits::batch_bytes_max, 'x') + "\"";
  CHECK(json_to_cbor(large).error().code == ErrorCode::too_large);
}

TEST_CASE("json: what CBOR has and JSON has not gets a form of its own") {
  CHECK(*cbor_to_json(cbor_item(ByteVector{0xfb, 0xff, 0x00})) == "\"-_8A\"");
  CHECK(*cbor_to_json(cbor_item(std::numeric_limits<double>::infinity())) == "null");
  CHECK(*cbor_to_json(cbor_item(std::nan(""))) == "null");
  CHECK(*cbor_to_json(ByteVector{0xa2, 0x01, 0x02, 0x20, 0x03}) == R"({"1":2,"-1":3})");
}

TEST_CASE("json: an item that is not valid CBOR is an error and adds nothing") {
  std::string out = "before";
  for (const ByteVector& item : {ByteVector{}, ByteVector{0x82, 0x01}, ByteVector{0x61, 0xff},
                                 ByteVector{0x01, 0x02}, ByteVector{0x9f, 0xff}}) {
    CHECK_FALSE(append_json(out, item).ok());
    CHECK(out == "before");
  }
}

TEST_CASE("json: seeded doubles survive the way to JSON and back exactly") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20000; ++round) {
    const uint64_t bits = random();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const ByteVector item = cbor_item(value);
    CHECK(*json_to_cbor(*cbor_to_json(item)) == item);
  }
}

TEST_CASE("base64: the examples of RFC 4648") {
  CHECK(base64(as_bytes("")) == "");
  CHECK(base64(as_bytes("f")) == "Zg==");
  CHECK(base64(as_bytes("fo")) == "Zm8=");
  CHECK(base64(as_bytes("foo")) == "Zm9v");
  CHECK(base64(as_bytes("foobar")) == "Zm9vYmFy");
  CHECK(base64url(as_bytes("fo")) == "Zm8");
}

TEST_CASE("base64: both alphabets are read, padded or not; anything else is not") {
  for (const char* text : {"+/8=", "-_8=", "+/8", "-_8"}) {
    CHECK(parse_base64(text) == ByteVector{0xfb, 0xff});
  }
  CHECK(parse_base64("") == ByteVector{});
  for (const char* text :
       {"A", "AB=C", "AA=", "====", "A===", "Zm9v ", "Zh==", "Zm9=", "Z\xff=="}) {
    CAPTURE(text);
    CHECK_FALSE(parse_base64(text).has_value());
  }
}

TEST_CASE("base64: seeded bytes survive the round trip") {
  std::mt19937 random(3);
  for (size_t size = 0; size < 70; ++size) {
    ByteVector bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    CHECK(parse_base64(base64(bytes)) == bytes);
    CHECK(parse_base64(base64url(bytes)) == bytes);
  }
}

TEST_CASE("rfc3339: times are written in UTC with the decimals they need") {
  CHECK(to_rfc3339(WallTime{0}) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(WallTime{951782399000000000}) == "2000-02-28T23:59:59Z");
  CHECK(to_rfc3339(WallTime{951782400500000000}) == "2000-02-29T00:00:00.500Z");
  CHECK(to_rfc3339(WallTime{1000}) == "1970-01-01T00:00:00.000001Z");
  CHECK(to_rfc3339(WallTime{1}) == "1970-01-01T00:00:00.000000001Z");
  CHECK(to_rfc3339(WallTime{UINT64_MAX}) == "2554-07-21T23:34:33.709551615Z");
}

TEST_CASE("rfc3339: every offset and precision is read") {
  const auto ns = [](std::string_view text) { return parse_rfc3339(text).value().ns; };
  CHECK(ns("1970-01-01T00:00:01Z") == 1000000000);
  CHECK(ns("1970-01-01t01:00:00.1+01:00") == 100000000);
  CHECK(ns("1969-12-31T23:00:00.000000009-01:00") == 9);
  CHECK(ns("1970-01-01 00:00:00.1234567899999z") == 123456789);
  CHECK(ns("2016-12-31T23:59:60Z") == ns("2017-01-01T00:00:00Z"));
}

TEST_CASE("rfc3339: what is no time, or outside the range, is refused") {
  for (const char* text :
       {"", "noon", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00", "2026-01-01",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zx", "1969-12-31T23:59:59Z", "2555-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01", "+026-01-01T00:00:00Z", "2026-00-00T00:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}

TEST_CASE("rfc3339: seeded times survive the round trip to the nanosecond") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 10000; ++round) {
    const WallTime time{random() % (UINT64_MAX - 1000000000)};
    CHECK(parse_rfc3339(to_rfc3339(time)) == time);
  }
}
