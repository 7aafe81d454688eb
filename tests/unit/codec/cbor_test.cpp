#include "codec/cbor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "codec/cbor_value.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

ByteVector hex(std::string_view digits) {
  ByteVector bytes;
  for (size_t index = 0; index + 1 < digits.size(); index += 2) {
    bytes.push_back(
        static_cast<uint8_t>(std::stoi(std::string(digits.substr(index, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string why_invalid(const ByteVector& item) {
  const Result<void> result = validate(item);
  return result.ok() ? "" : result.error().where;
}

// An array in an array ... `depth` times, the innermost empty.
ByteVector nested_arrays(size_t depth) {
  ByteVector item(depth - 1, 0x81);
  item.push_back(0x80);
  return item;
}

}  // namespace

TEST_CASE("cbor: what the writer writes, the reader reads back") {
  std::array<uint8_t, 256> buffer{};
  CborWriter writer(buffer);
  writer.map(4);
  writer.text("numbers");
  writer.array(7);
  writer.uint(std::numeric_limits<uint64_t>::max());
  writer.integer(std::numeric_limits<int64_t>::min());
  writer.integer(-1);
  writer.integer(23);
  writer.number(0.1);
  writer.number(1.5);
  writer.number(-std::numeric_limits<double>::infinity());
  writer.text("bytes");
  writer.bytes(hex("00ff"));
  writer.integer(-7);
  writer.boolean(true);
  writer.uint(1000);
  writer.null();
  const Result<ByteSpan> item = writer.finish();
  REQUIRE(item.ok());
  CHECK(validate(*item).ok());

  CborReader reader(*item);
  CHECK(reader.map() == 4);
  CHECK(reader.text() == "numbers");
  CHECK(reader.array() == 7);
  CHECK(reader.uint() == std::numeric_limits<uint64_t>::max());
  CHECK(reader.integer() == std::numeric_limits<int64_t>::min());
  CHECK(reader.integer() == -1);
  CHECK(reader.integer() == 23);
  CHECK(reader.number() == 0.1);
  CHECK(reader.number() == 1.5);
  CHECK(std::isinf(reader.number()));
  CHECK(reader.text() == "bytes");
  CHECK(reader.bytes().size() == 2);
  CHECK(reader.integer() == -7);
  CHECK(reader.boolean());
  CHECK(reader.uint() == 1000);
  reader.null();
  CHECK(reader.finish().ok());
}

TEST_CASE("cbor: the writer's bytes are those of RFC 8949, appendix A") {
  const auto same = [](const CborScalar& value, std::string_view digits) {
    CHECK(cbor_item(value) == hex(digits));
  };
  same(0, "00");
  same(23, "17");
  same(24, "1818");
  same(1000000, "1a000f4240");
  same(UINT64_MAX, "1bffffffffffffffff");
  same(-1000, "3903e7");
  same(1.1, "fb3ff199999999999a");
  same(100000.0, "fa47c35000");
  same(true, "f5");
  same(nullptr, "f6");
  same("\xc3\xbc", "62c3bc");
  same(hex("01020304"), "4401020304");
}

TEST_CASE("cbor: a writer that overflows says so once at the end and writes nothing outside") {
  std::array<uint8_t, 8> buffer{};
  for (size_t size = 0; size < 7; ++size) {
    buffer.fill(0xee);
    CborWriter writer(std::span<uint8_t>(buffer).first(size));
    writer.array(2);
    writer.text("abc");
    writer.uint(300);
    writer.null();
    CHECK_FALSE(writer.ok());
    CHECK(writer.finish().error().code == ErrorCode::too_large);
    for (size_t index = size; index < buffer.size(); ++index) CHECK(buffer[index] == 0xee);
  }
}

TEST_CASE("cbor: after one wrong read every read answers nothing") {
  const ByteVector item = cbor_array({1, "two", 3});
  CborReader reader(item);
  reader.array();
  CHECK(reader.text().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.uint() == 0);
  CHECK_FALSE(reader.peek().has_value());
  CHECK(reader.finish().error().where == std::string("cbor: expected text"));
}

TEST_CASE("cbor: an integer out of int64's range is an error, not another number") {
  const ByteVector item = hex("1b8000000000000000");
  CborReader reader(item);
  CHECK(reader.integer() == 0);
  CHECK_FALSE(reader.ok());
}

TEST_CASE("cbor: a loop over a count ends although the input lies about it") {
  const ByteVector lies = hex("9b00000000ffffffff00");
  CborReader reader(lies);
  CHECK(reader.array() == 0);
  CHECK_FALSE(reader.ok());
  const ByteVector beyond_memory = hex("5b000000010000000100");
  CborReader other(beyond_memory);
  CHECK(other.bytes().empty());
  CHECK_FALSE(other.ok());
}

TEST_CASE("cbor: skip and item pass one whole item") {
  const ByteVector inner = cbor_map({{"a", 1}, {"b", CborRaw{cbor_array({1, 2})}}});
  const ByteVector outer = cbor_array({CborRaw{inner}, "after"});
  CborReader reader(outer);
  reader.array();
  const ByteSpan item = reader.item();
  CHECK(ByteVector(item.begin(), item.end()) == inner);
  CHECK(reader.text() == "after");
  CHECK(reader.finish().ok());

  CborReader skipper(outer);
  skipper.array();
  skipper.skip();
  CHECK(skipper.text() == "after");
  CHECK(skipper.finish().ok());
}

TEST_CASE("cbor: a reader that left something is not finished") {
  const ByteVector item = cbor_array({1, 2});
  CborReader reader(item);
  reader.array();
  reader.uint();
  CHECK_FALSE(reader.finish().ok());
  const ByteVector two_items = hex("0102");
  CborReader second(two_items);
  second.uint();
  CHECK_FALSE(second.finish().ok());
  const ByteVector short_map = hex("a10180");
  CborReader third(ByteSpan(short_map).first(2));
  CHECK(third.map() == 0);
  CHECK_FALSE(third.finish().ok());
}

TEST_CASE("cbor: sixteen containers inside each other are read, seventeen are not") {
  CHECK(validate(nested_arrays(limits::nesting_depth_max)).ok());
  CHECK(why_invalid(nested_arrays(limits::nesting_depth_max + 1)) == "cbor: nested too deeply");
  CHECK(why_invalid(nested_arrays(100000)) == "cbor: nested too deeply");
  const ByteVector deep = nested_arrays(limits::nesting_depth_max + 1);
  CborReader reader(deep);
  reader.skip();
  CHECK_FALSE(reader.ok());
}

TEST_CASE("cbor: depth is given back when a container ends") {
  ByteVector item = {0x98, 100};
  for (int index = 0; index < 100; ++index) {
    const ByteVector inner = nested_arrays(limits::nesting_depth_max - 1);
    item.insert(item.end(), inner.begin(), inner.end());
  }
  CHECK(validate(item).ok());
}

TEST_CASE("cbor: what is outside the profile is refused with its name") {
  CHECK(why_invalid({}) == "cbor: the input ends within an item");
  CHECK(why_invalid(hex("0000")) == "cbor: bytes after the last item");
  CHECK(why_invalid(hex("c000")) == "cbor: a tag");
  CHECK(why_invalid(hex("d9d9f700")) == "cbor: a tag");
  CHECK(why_invalid(hex("c6")) == "cbor: a tag");  // libcbor 0.8 knows this one as no item at all
  CHECK(why_invalid(hex("f7")) == "cbor: the value undefined");
  CHECK(why_invalid(hex("9fff")) == "cbor: an indefinite length");
  CHECK(why_invalid(hex("bfff")) == "cbor: an indefinite length");
  CHECK(why_invalid(hex("7f6161ff")) == "cbor: an indefinite length");
  CHECK(why_invalid(hex("5f4161ff")) == "cbor: an indefinite length");
  CHECK(why_invalid(hex("ff")) == "cbor: an indefinite length");
  CHECK(why_invalid(hex("3b8000000000000000")) == "cbor: an integer below -2^63");
  CHECK(why_invalid(hex("3b7fffffffffffffff")) == "");
  CHECK(why_invalid(hex("61ff")) == "cbor: text that is not UTF-8");
  CHECK(why_invalid(hex("1c")) == "cbor: a byte that begins no item");
  CHECK(why_invalid(hex("f8ff")) == "cbor: a byte that begins no item");
  CHECK(why_invalid(hex("a1f500")) == "cbor: a key that is neither text nor an integer");
  CHECK(why_invalid(hex("a18000")) == "cbor: a key that is neither text nor an integer");
  CHECK(why_invalid(hex("a1a00000")) == "cbor: a key that is neither text nor an integer");
}

TEST_CASE("cbor: keys are told from values at every level") {
  CHECK(why_invalid(hex("a2018102028103")) == "");  // {1: [2], 2: [3]}
  CHECK(why_invalid(hex("a2016178206179")) == "");  // {1: "x", -1: "y"}
  CHECK(why_invalid(hex("82a101f5a1f501")) != "");  // [{1: true}, {true: 1}]
  CHECK(why_invalid(hex("a201a102f5f501")) != "");  // {1: {2: true}, true: 1}
  CHECK(why_invalid(hex("a101a10280")) == "");      // {1: {2: []}}
}

TEST_CASE("cbor: a truncated item is invalid at every byte") {
  const ByteVector item = cbor_map({{"text", "some text"},
                                    {"number", 2.5},
                                    {"list", CborRaw{cbor_array({1, 300, 70000, UINT64_MAX})}}});
  REQUIRE(validate(item).ok());
  for (size_t size = 0; size < item.size(); ++size) {
    CHECK_FALSE(validate(ByteSpan(item).first(size)).ok());
  }
}

TEST_CASE("cbor: skip and validate agree about seeded garbage, and neither goes astray") {
  std::mt19937 random(20240713);
  size_t valid_count = 0;
  for (int round = 0; round < 200000; ++round) {
    ByteVector garbage(1 + random() % 24);
    for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random());
    CborReader reader(garbage);
    reader.skip();
    const bool well_formed = reader.finish().ok();
    if (validate(garbage).ok()) {
      ++valid_count;
      CHECK(well_formed);
    }
  }
  CHECK(valid_count > 100);
}

TEST_CASE("cbor_value: maps keep their fields' order and take every kind") {
  const ByteVector bytes = hex("0102");
  const ByteVector map = cbor_map({{"none", nullptr},
                                   {"flag", false},
                                   {"size", size_t{7}},
                                   {"less", -3},
                                   {"half", 0.5},
                                   {"name", std::string("x")},
                                   {"bytes", bytes},
                                   {"raw", CborRaw{}}});
  CHECK(validate(map).ok());
  CborReader reader(map);
  CHECK(reader.map() == 8);
  CHECK(reader.text() == "none");
  reader.null();
  CHECK(reader.text() == "flag");
  CHECK_FALSE(reader.boolean());
  CHECK(reader.text() == "size");
  CHECK(reader.uint() == 7);
  CHECK(reader.text() == "less");
  CHECK(reader.integer() == -3);
  CHECK(reader.text() == "half");
  CHECK(reader.number() == 0.5);
  CHECK(reader.text() == "name");
  CHECK(reader.text() == "x");
  CHECK(reader.text() == "bytes");
  CHECK(reader.bytes().size() == 2);
  CHECK(reader.text() == "raw");
  reader.null();
  CHECK(reader.finish().ok());
}

TEST_CASE("cbor: an item from outside leaves room for the maps it is put into") {
  CHECK(validate_item(nested_arrays(limits::item_depth_max)).ok());
  CHECK_FALSE(validate_item(nested_arrays(limits::item_depth_max + 2)).ok());
  CHECK(validate(nested_arrays(limits::item_depth_max + 2)).ok());
}
