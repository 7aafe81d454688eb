#include "store/hot_record.hpp"

#include <algorithm>

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

// Those in use, each with its number: a store with two queues pays for two.
void write_queues(codec::CborWriter& writer, const HotRecord& hot) {
  const QueueCount unused;
  const auto used = [&](const QueueCount& queue) { return queue != unused; };
  writer.array(static_cast<size_t>(std::ranges::count_if(hot.queues, used)));
  for (size_t index = 0; index < hot.queues.size(); ++index) {
    const QueueCount& queue = hot.queues[index];
    if (!used(queue)) continue;
    writer.array(4);
    writer.uint(index);
    writer.uint(queue.tasks);
    writer.uint(queue.bytes);
    writer.uint(queue.dead);
  }
}

void write_classes(codec::CborWriter& writer, const HotRecord& hot) {
  const ClassCount unused;
  const auto used = [&](const ClassCount& one) { return one != unused; };
  writer.array(static_cast<size_t>(std::ranges::count_if(hot.classes, used)));
  for (size_t index = 0; index < hot.classes.size(); ++index) {
    const ClassCount& one = hot.classes[index];
    if (!used(one)) continue;
    writer.array(4);
    writer.uint(index);
    writer.uint(one.first.value());
    writer.uint(one.events);
    writer.uint(one.bytes);
  }
}

struct Row {
  uint64_t index = 0;
  std::array<uint64_t, 3> values{};
};

// An array that may grow at its end, as all of the hot record.
Row read_row(codec::CborReader& reader) {
  Row row;
  const size_t fields = reader.array();
  row.index = reader.uint();
  for (uint64_t& value : row.values) value = reader.uint();
  for (size_t field = 4; field < fields; ++field) reader.skip();
  return row;
}

void read_queues(codec::CborReader& reader, HotRecord& hot) {
  const size_t count = reader.array();
  for (size_t queue = 0; queue < count && reader.ok(); ++queue) {
    const Row row = read_row(reader);
    if (row.index >= hot.queues.size()) continue;
    hot.queues[row.index] = {row.values[0], row.values[1], row.values[2]};
  }
}

void read_classes(codec::CborReader& reader, HotRecord& hot) {
  const size_t count = reader.array();
  for (size_t one = 0; one < count && reader.ok(); ++one) {
    const Row row = read_row(reader);
    if (row.index >= hot.classes.size()) continue;
    hot.classes[row.index] = {Sequence(row.values[0]), row.values[1], row.values[2]};
  }
}

// Events that no class has counted were stored before there were classes: they are `work`.
void count_unclassed(HotRecord& hot) {
  uint64_t events = 0;
  uint64_t bytes = 0;
  for (const ClassCount& one : hot.classes) {
    events += one.events;
    bytes += one.bytes;
  }
  if (events >= hot.events) return;
  ClassCount& work = hot.classes[0];
  work.first = Sequence(1);
  work.events += hot.events - events;
  work.bytes += hot.event_bytes - std::min(hot.event_bytes, bytes);
}

}  // namespace

Result<ByteSpan> encode_hot(const HotRecord& hot, std::span<uint8_t> buffer) {
  if (buffer.size() < hot_record_bytes_max) {
    return Error{ErrorCode::internal, "store: buffer of the hot record"};
  }
  codec::CborWriter writer(buffer.subspan(head_bytes));
  writer.array(10);
  writer.uint(hot.epoch.value());
  writer.uint(hot.incarnation.value());
  writer.uint(hot.next_sequence.value());
  writer.uint(hot.next_ticket);
  writer.uint(hot.store_ms);
  writer.uint(hot.events);
  writer.uint(hot.event_bytes);
  writer.array(hot.runs.size());
  for (const uint64_t count : hot.runs) writer.uint(count);
  write_queues(writer, hot);
  write_classes(writer, hot);
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
  if (fields > 8) read_queues(reader, hot);
  if (fields > 9) read_classes(reader, hot);
  for (size_t index = 10; index < fields; ++index) reader.skip();
  if (!reader.finish().ok()) return Error{ErrorCode::corrupt, "store: hot record's fields"};
  count_unclassed(hot);
  return hot;
}

}  // namespace limpet::store
