#include "store/hot_record.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace limpet;
using namespace limpet::store;

namespace {

HotRecord sample() {
  HotRecord hot;
  hot.epoch = Epoch(epoch_mask);
  hot.incarnation = Incarnation(7);
  hot.next_sequence = Sequence(1ull << 50);
  hot.next_ticket = 99;
  hot.store_ms = 1767225600000;
  hot.events = 12;
  hot.event_bytes = 3400;
  hot.runs = {1, 2, 3, 4, 5, 6, 7};
  hot.classes[0] = {Sequence(3), 2, 400};
  hot.classes[15] = {Sequence(9), 10, 3000};
  return hot;
}

}  // namespace

TEST_CASE("hot record: comes back as it was written") {
  std::array<uint8_t, hot_record_bytes_max> buffer{};
  const Result<ByteSpan> record = encode_hot(sample(), buffer);
  REQUIRE(record.ok());
  const Result<HotRecord> decoded = decode_hot(*record);
  REQUIRE(decoded.ok());
  CHECK(*decoded == sample());
}

TEST_CASE("hot record: a cut or changed record is refused") {
  std::array<uint8_t, hot_record_bytes_max> buffer{};
  const Result<ByteSpan> encoded = encode_hot(sample(), buffer);
  REQUIRE(encoded.ok());
  const ByteVector record(encoded->begin(), encoded->end());
  for (size_t size = 0; size < record.size(); ++size) {
    CHECK_FALSE(decode_hot(ByteSpan(record).first(size)).ok());
  }
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    ByteVector flipped = record;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
    CHECK_FALSE(decode_hot(flipped).ok());
  }
}

TEST_CASE("hot record: events that were stored before there were classes are of class work") {
  HotRecord old = sample();
  old.classes = {};
  std::array<uint8_t, hot_record_bytes_max> buffer{};
  const Result<ByteSpan> record = encode_hot(old, buffer);
  REQUIRE(record.ok());
  const Result<HotRecord> decoded = decode_hot(*record);
  REQUIRE(decoded.ok());
  CHECK(decoded->classes[0] == ClassCount{Sequence(1), old.events, old.event_bytes});
}
