#include "store/hot_record.hpp"

#include "codec/cbor.hpp"
#include "codec/crc32c.hpp"

namespace limpet::store {

namespace {

// version, then CRC-32C of version and body, then the body: an array that may grow at its end.
constexpr uint8_t record_version = 1;
constexpr size_t head_bytes = 5;

uint32_t checksum(ByteSpan record) {
  return codec::crc32c(codec::crc32c(0, record.first(1)), record.subspan(head_bytes));
}

}  // namespace

Result<ByteSpan> encode_hot(const HotRecord& hot, std::span<uint8_t> buffer) {
  if (buffer.size() < hot_record_bytes_max) {
    return Error{ErrorCode::internal, "store: buffer of the hot record"};
  }
  codec::CborWriter writer(buffer.subspan(head_bytes));
  writer.array(8);
  writer.uint(hot.epoch.value());
  writer.uint(hot.incarnation.value());
  writer.uint(hot.next_sequence.value());
  writer.uint(hot.next_ticket);
  writer.uint(hot.store_ms);
  writer.uint(hot.events);
  writer.uint(hot.event_bytes);
  writer.array(hot.runs.size());
  for (const uint64_t count : hot.runs) writer.uint(count);
  LIMPET_TRY(ByteSpan body, writer.finish());
  buffer[0] = record_version;
  const ByteSpan record(buffer.data(), head_bytes + body.size());
  const uint32_t crc = checksum(record);
  for (size_t index = 0; index < 4; ++index) {
    buffer[1 + index] = static_cast<uint8_t>(crc >> (8 * index));
  }
  return record;
}

Result<HotRecord> decode_hot(ByteSpan record) {
  if (record.size() <= head_bytes) return Error{ErrorCode::corrupt, "store: hot record is cut"};
  if (record[0] != record_version) {
    return Error{ErrorCode::unsupported, "store: written by a newer Limpet"};
  }
  uint32_t crc = 0;
  for (size_t index = 4; index-- > 0;) crc = (crc << 8) | record[1 + index];
  if (crc != checksum(record)) return Error{ErrorCode::corrupt, "store: hot record's checksum"};
  codec::CborReader reader(record.subspan(head_bytes));
  HotRecord hot;
  const size_t fields = reader.array();
  hot.epoch = Epoch(reader.uint());
  hot.incarnation = Incarnation(static_cast<uint32_t>(reader.uint()));
  hot.next_sequence = Sequence(reader.uint());
  hot.next_ticket = reader.uint();
  hot.store_ms = reader.uint();
  hot.events = reader.uint();
  hot.event_bytes = reader.uint();
  const size_t states = reader.array();
  for (size_t index = 0; index < states; ++index) {
    const uint64_t count = reader.uint();
    if (index < hot.runs.size()) hot.runs[index] = count;
  }
  for (size_t index = 8; index < fields; ++index) reader.skip();
  if (!reader.finish().ok()) return Error{ErrorCode::corrupt, "store: hot record's fields"};
  return hot;
}

}  // namespace limpet::store
