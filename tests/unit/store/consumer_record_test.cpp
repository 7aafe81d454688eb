#include "store/consumer_record.hpp"

#include <doctest/doctest.h>

#include "codec/records.hpp"

using namespace limpet;
using namespace limpet::store;

namespace {

ConsumerRecord sample() {
  ConsumerRecord record;
  record.type_pattern = "sensor.#";
  record.subject_pattern = "line1/*";
  record.run = RunId(7);
  record.start = 4;
  record.pace = 1;
  record.ack = 1;
  record.start_sequence = Sequence(12);
  record.start_time = WallTime{1767225600ull * 1000000000ull};
  record.speed_percent = 250;
  record.in_flight_max = 16;
  record.ack_wait_ms = 30000;
  record.backoff_max_ms = 60000;
  record.paused = true;
  record.next = Sequence(100);
  record.outstanding = {Sequence(3), Sequence(4), Sequence(5), Sequence(90)};
  record.gaps = {{Sequence(10), Sequence(60)}};
  return record;
}

}  // namespace

TEST_CASE("consumer record: what is written comes back") {
  const ConsumerRecord record = sample();
  const Result<ConsumerRecord> back = decode_consumer(encode_consumer(record));
  REQUIRE(back.ok());
  CHECK(*back == record);
  CHECK(*decode_consumer(encode_consumer(ConsumerRecord())) == ConsumerRecord());
}

TEST_CASE("consumer record: neighbours cost nothing") {
  ConsumerRecord one;
  one.next = Sequence(5000);
  one.outstanding = {Sequence(100)};
  ConsumerRecord many = one;
  for (uint64_t sequence = 101; sequence < 4000; ++sequence)
    many.outstanding.emplace_back(sequence);
  CHECK(encode_consumer(many).size() <= encode_consumer(one).size() + 2);
  CHECK(decode_consumer(encode_consumer(many))->outstanding == many.outstanding);
}

TEST_CASE("consumer record: a changed or cut byte is noticed, wherever it is") {
  const ByteVector bytes = encode_consumer(sample());
  for (size_t index = 0; index < bytes.size(); ++index) {
    ByteVector changed = bytes;
    changed[index] ^= 0x10;
    CHECK_FALSE(decode_consumer(changed).ok());
    CHECK_FALSE(decode_consumer(ByteSpan(bytes).first(index)).ok());
  }
}

TEST_CASE("consumer record: one of a newer Limpet is unsupported, not corrupt") {
  ByteVector bytes = encode_consumer(sample());
  bytes[0] = 2;
  CHECK(decode_consumer(bytes).error().code == ErrorCode::unsupported);
}

TEST_CASE("gap event: it is an event like others, with its ends as data") {
  const GapEvent gap({Sequence(UINT64_MAX - 9), Sequence(UINT64_MAX)}, Sequence(4));
  CHECK(codec::check_event(gap.view()).ok());
  CHECK(gap.view().type == "limpet.log.gap");
  CHECK(gap.view().id == "gap-18446744073709551606-18446744073709551615");
  CHECK(gap.view().sequence == Sequence(4));
}
