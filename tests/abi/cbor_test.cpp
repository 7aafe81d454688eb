#include <doctest/doctest.h>
#include <limpet/cbor.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<uint8_t>;

limpet_bytes borrow(const Bytes& bytes) {
  return {bytes.data(), static_cast<uint32_t>(bytes.size())};
}

limpet_cbor cursor(const Bytes& bytes) { return limpet_cbor_read(borrow(bytes)); }

bool valid(const Bytes& bytes) { return limpet_cbor_validate(borrow(bytes)); }

// Runs `put` twice, as a plugin would: to learn the size, then to write.
template <typename Put>
Bytes written(Put put) {
  limpet_cbor_writer counter = limpet_cbor_writer_to(nullptr, 0);
  put(&counter);
  Bytes bytes(counter.size);
  limpet_cbor_writer writer = limpet_cbor_writer_to(bytes.data(), bytes.size());
  put(&writer);
  CHECK(limpet_cbor_written(&writer));
  CHECK(writer.size == counter.size);
  return bytes;
}

Bytes written_uint(uint64_t value) {
  return written([=](limpet_cbor_writer* writer) { limpet_cbor_put_uint(writer, value); });
}

Bytes written_double(double value) {
  return written([=](limpet_cbor_writer* writer) { limpet_cbor_put_double(writer, value); });
}

double read_double(const Bytes& bytes) {
  double value = -12345.0;
  CHECK(limpet_cbor_get_double(cursor(bytes), &value));
  return value;
}

// Exact copies on the heap, so that a sanitizer sees a read of even one byte too many.
void exercise(const Bytes& bytes) {
  limpet_cbor item = cursor(bytes);
  const bool whole = limpet_cbor_skip(&item);
  if (whole)
    CHECK(item.at <= bytes.data() + bytes.size());
  else
    CHECK(item.at == bytes.data());
  limpet_cbor found = limpet_cbor_find(cursor(bytes), "data");
  const limpet_bytes raw = limpet_cbor_raw(found);
  if (raw.size > 0) CHECK(limpet_cbor_validate(raw));
  limpet_cbor_walk walk = limpet_cbor_enter(cursor(bytes));
  limpet_cbor key;
  limpet_cbor value;
  size_t count = 0;
  while (limpet_cbor_next(&walk, &key, &value)) {
    const char* text = nullptr;
    uint32_t size = 0;
    double number = 0;
    limpet_cbor_get_text(value, &text, &size);
    limpet_cbor_get_double(value, &number);
    REQUIRE(++count <= bytes.size());
  }
}

const Bytes& sample() {
  static const Bytes bytes = written([](limpet_cbor_writer* writer) {
    limpet_cbor_put_map(writer, 4);
    limpet_cbor_put_string(writer, "type");
    limpet_cbor_put_string(writer, "sysinfo.reading");
    limpet_cbor_put_string(writer, "time");
    limpet_cbor_put_uint(writer, 1700000000000000000u);
    limpet_cbor_put_string(writer, "data");
    limpet_cbor_put_map(writer, 2);
    limpet_cbor_put_string(writer, "value");
    limpet_cbor_put_double(writer, 42.5);
    limpet_cbor_put_string(writer, "list");
    limpet_cbor_put_open_array(writer);
    limpet_cbor_put_int(writer, -7);
    limpet_cbor_put_open_map(writer);
    limpet_cbor_put_string(writer, "yes");
    limpet_cbor_put_bool(writer, true);
    limpet_cbor_put_end(writer);
    limpet_cbor_put_null(writer);
    limpet_cbor_put_end(writer);
    limpet_cbor_put_string(writer, "raw");
    limpet_cbor_put_bytes(writer, "\x01\x02", 2);
  });
  return bytes;
}

}  // namespace

TEST_CASE("cbor.h: integers take the shortest form and come back") {
  CHECK(written_uint(0) == Bytes{0x00});
  CHECK(written_uint(23) == Bytes{0x17});
  CHECK(written_uint(24) == Bytes{0x18, 24});
  CHECK(written_uint(256) == Bytes{0x19, 1, 0});
  CHECK(written_uint(65536) == Bytes{0x1a, 0, 1, 0, 0});
  CHECK(written_uint(UINT64_MAX) == Bytes{0x1b, 255, 255, 255, 255, 255, 255, 255, 255});
  for (int64_t value : std::initializer_list<int64_t>{0, -1, -24, -25, INT64_MIN, INT64_MAX}) {
    const Bytes bytes =
        written([=](limpet_cbor_writer* writer) { limpet_cbor_put_int(writer, value); });
    int64_t back = 1;
    CHECK(limpet_cbor_get_int(cursor(bytes), &back));
    CHECK(back == value);
  }
}

TEST_CASE("cbor.h: an integer that does not fit the asked type leaves the default alone") {
  int64_t value = 99;
  CHECK_FALSE(limpet_cbor_get_int(cursor(written_uint(UINT64_MAX)), &value));
  CHECK(value == 99);
  uint64_t positive = 99;
  CHECK_FALSE(limpet_cbor_get_uint(cursor({0x20}), &positive));
  CHECK(positive == 99);
}

TEST_CASE("cbor.h: floats lose nothing and take four bytes where these do") {
  CHECK(written_double(1.5).size() == 5);
  CHECK(written_double(0.1).size() == 9);
  CHECK(written_double(std::numeric_limits<double>::quiet_NaN()) == Bytes{0xf9, 0x7e, 0x00});
  for (double value : {0.0, -0.0, 1.5, 0.1, -1e300, 5e-324, 3.4028234663852886e38,
                       std::numeric_limits<double>::infinity()}) {
    const double back = read_double(written_double(value));
    CHECK(back == value);
    CHECK(std::signbit(back) == std::signbit(value));
  }
}

TEST_CASE("cbor.h: half-precision floats are read") {
  CHECK(read_double({0xf9, 0x3c, 0x00}) == 1.0);
  CHECK(read_double({0xf9, 0xc4, 0x00}) == -4.0);
  CHECK(read_double({0xf9, 0x7b, 0xff}) == 65504.0);
  CHECK(read_double({0xf9, 0x00, 0x01}) == 5.960464477539063e-8);
  CHECK(std::isinf(read_double({0xf9, 0x7c, 0x00})));
  CHECK(std::isnan(read_double({0xf9, 0x7e, 0x01})));
}

TEST_CASE("cbor.h: nested values are found by name, missing ones are nothing") {
  CHECK(valid(sample()));
  const limpet_cbor data = limpet_cbor_find(cursor(sample()), "data");
  CHECK(read_double(Bytes(limpet_cbor_find(data, "value").at, sample().data() + sample().size())) ==
        42.5);
  CHECK(limpet_cbor_text_is(limpet_cbor_find(cursor(sample()), "type"), "sysinfo.reading"));
  const limpet_cbor nothing = limpet_cbor_find(limpet_cbor_find(data, "absent"), "value");
  CHECK(limpet_cbor_kind_of(nothing) == LIMPET_CBOR_NOTHING);
  CHECK(limpet_cbor_raw(nothing).size == 0);
}

TEST_CASE("cbor.h: an array is walked in order and ends") {
  const limpet_cbor list = limpet_cbor_find(limpet_cbor_find(cursor(sample()), "data"), "list");
  limpet_cbor_walk walk = limpet_cbor_enter(list);
  limpet_cbor key = {};
  limpet_cbor value = {};
  int64_t number = 0;
  REQUIRE(limpet_cbor_next(&walk, &key, &value));
  CHECK(limpet_cbor_get_int(value, &number));
  CHECK(number == -7);
  CHECK(limpet_cbor_kind_of(key) == LIMPET_CBOR_NOTHING);
  REQUIRE(limpet_cbor_next(&walk, nullptr, &value));
  bool yes = false;
  CHECK(limpet_cbor_get_bool(limpet_cbor_find(value, "yes"), &yes));
  CHECK(yes);
  REQUIRE(limpet_cbor_next(&walk, nullptr, &value));
  CHECK(limpet_cbor_kind_of(value) == LIMPET_CBOR_NULL);
  CHECK_FALSE(limpet_cbor_next(&walk, nullptr, &value));
  CHECK_FALSE(limpet_cbor_next(&walk, nullptr, &value));
}

TEST_CASE("cbor.h: a text is copied with its NUL, or not at all") {
  const limpet_cbor type = limpet_cbor_find(cursor(sample()), "type");
  char exact[16];
  char short_by_one[15] = "untouched";
  CHECK(limpet_cbor_copy_text(type, exact, sizeof exact));
  CHECK(std::string(exact) == "sysinfo.reading");
  CHECK_FALSE(limpet_cbor_copy_text(type, short_by_one, sizeof short_by_one));
  CHECK(std::string(short_by_one) == "untouched");
  CHECK_FALSE(limpet_cbor_copy_text(cursor({0x62, 'a', 0x00}), exact, sizeof exact));
}

TEST_CASE("cbor.h: a writer that overflows says so, and how much it would have needed") {
  uint8_t buffer[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  for (size_t capacity = 0; capacity < 6; capacity++) {
    limpet_cbor_writer writer = limpet_cbor_writer_to(buffer, capacity);
    limpet_cbor_put_string(&writer, "hello");
    CHECK_FALSE(limpet_cbor_written(&writer));
    CHECK(writer.size == 6);
    CHECK(buffer[capacity] == 1);
  }
  limpet_cbor_writer writer = limpet_cbor_writer_to(buffer, 6);
  limpet_cbor_put_string(&writer, "hello");
  CHECK(limpet_cbor_written(&writer));
  limpet_cbor_put_raw(&writer, buffer, SIZE_MAX);
  CHECK_FALSE(limpet_cbor_written(&writer));
}

TEST_CASE("cbor.h: nothing small fits any more after something that did not") {
  uint8_t buffer[4] = {};
  limpet_cbor_writer writer = limpet_cbor_writer_to(buffer, sizeof buffer);
  limpet_cbor_put_string(&writer, "too long");
  limpet_cbor_put_null(&writer);
  CHECK_FALSE(limpet_cbor_written(&writer));
  CHECK(buffer[1] == 0);
}

TEST_CASE("cbor.h: an item cut off at any byte is malformed") {
  for (size_t size = 0; size < sample().size(); size++) {
    const Bytes cut(sample().begin(), sample().begin() + static_cast<std::ptrdiff_t>(size));
    CAPTURE(size);
    CHECK_FALSE(valid(cut));
    exercise(cut);
  }
  Bytes longer = sample();
  longer.push_back(0);
  CHECK_FALSE(valid(longer));
}

TEST_CASE("cbor.h: depth is limited") {
  const auto nested = [](size_t depth, uint8_t head) {
    Bytes bytes(depth, head);
    bytes.push_back(0x00);
    return bytes;
  };
  CHECK(valid(nested(LIMPET_CBOR_DEPTH_MAX, 0x81)));
  CHECK_FALSE(valid(nested(LIMPET_CBOR_DEPTH_MAX + 1, 0x81)));
  CHECK_FALSE(valid(nested(100000, 0x81)));
  CHECK_FALSE(valid(nested(100000, 0x9f)));
  CHECK(valid(nested(1000, 0xc1)));  // tags are passed over without a stack
}

TEST_CASE("cbor.h: what it does not support is refused, not misread") {
  CHECK_FALSE(valid({0x5f, 0x41, 0x01, 0xff}));  // bytes in chunks
  CHECK_FALSE(valid({0x7f, 0x61, 'a', 0xff}));   // text in chunks
  CHECK_FALSE(valid({0xff}));                    // a break on its own
  CHECK_FALSE(valid({0xbf, 0x61, 'a', 0xff}));   // a key without a value
  CHECK_FALSE(valid({0x81, 0xff}));              // a break in a counted array
  CHECK_FALSE(valid({0xe0}));                    // simple value 0
  CHECK_FALSE(valid({0xf8, 0x20}));              // simple value 32
  CHECK_FALSE(valid({0x1c}));                    // reserved
  CHECK_FALSE(valid({0xdf, 0x00}));              // tag of indefinite length
  CHECK_FALSE(valid({0x9b, 255, 255, 255, 255, 255, 255, 255, 255}));
  CHECK_FALSE(valid({0xbb, 128, 0, 0, 0, 0, 0, 0, 0}));  // twice that would wrap around
  CHECK_FALSE(valid({0x7b, 255, 255, 255, 255, 255, 255, 255, 255, 'a'}));
  CHECK_FALSE(valid({}));
}

TEST_CASE("cbor.h: both lengths of arrays and maps are read") {
  CHECK(valid({0x80}));
  CHECK(valid({0x9f, 0xff}));
  CHECK(valid({0xa0}));
  CHECK(valid({0xbf, 0xff}));
  CHECK(valid({0x9f, 0x9f, 0xff, 0xbf, 0x00, 0x80, 0xff, 0xff}));
  const Bytes map = {0xbf, 0x61, 'k', 0x61, 'v', 0xff};
  CHECK(limpet_cbor_text_is(limpet_cbor_find(cursor(map), "k"), "v"));
}

TEST_CASE("cbor.h: garbage is survived, and what is taken for valid is") {
  std::mt19937 random(20261120);
  for (int round = 0; round < 20000; round++) {
    Bytes bytes(random() % 40);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    exercise(bytes);
    Bytes changed = sample();
    changed[random() % changed.size()] = static_cast<uint8_t>(random());
    exercise(changed);
  }
}
