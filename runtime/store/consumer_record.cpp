#include "store/consumer_record.hpp"

#include <charconv>

#include "base/check.hpp"
#include "codec/cbor.hpp"
#include "codec/crc32c.hpp"

namespace limpet::store {

namespace {

// version, then CRC-32C of version and body, then the body: a map with small integer keys.
constexpr uint8_t record_version = 1;
constexpr size_t head_bytes = 5;
constexpr size_t fields_bytes_max = 256;  // all but texts and the outstanding
constexpr size_t range_bytes_max = 18;

// Numbers for ever: FORMAT.md.
enum Key : uint64_t {
  key_type_pattern = 1,
  key_subject_pattern = 2,
  key_run = 3,
  key_start = 4,
  key_start_sequence = 5,
  key_start_time = 6,
  key_pace = 7,
  key_speed_percent = 8,
  key_ack = 9,
  key_in_flight_max = 10,
  key_ack_wait_ms = 11,
  key_backoff_max_ms = 12,
  key_paused = 13,
  key_next = 14,
  key_outstanding = 15,
  key_gaps = 16,
};

uint32_t checksum(ByteSpan record) {
  return codec::crc32c(codec::crc32c(0, record.first(1)), record.subspan(head_bytes));
}

// Ranges of neighbours: the distance from the end of the range before, then the count.
std::vector<uint64_t> ranges_of(const std::vector<Sequence>& outstanding) {
  std::vector<uint64_t> ranges;
  uint64_t end = 0;
  for (const Sequence sequence : outstanding) {
    if (!ranges.empty() && sequence.value() == end) {
      ++ranges.back();
    } else {
      ranges.push_back(sequence.value() - end);
      ranges.push_back(1);
    }
    end = sequence.value() + 1;
  }
  return ranges;
}

void write_fields(codec::CborWriter& writer, const ConsumerRecord& record) {
  const auto uint = [&writer](Key key, uint64_t value) {
    writer.uint(key);
    writer.uint(value);
  };
  writer.map(16);
  writer.uint(key_type_pattern);
  writer.text(record.type_pattern);
  writer.uint(key_subject_pattern);
  writer.text(record.subject_pattern);
  uint(key_run, record.run.value());
  uint(key_start, record.start);
  uint(key_start_sequence, record.start_sequence.value());
  uint(key_start_time, record.start_time.ns);
  uint(key_pace, record.pace);
  uint(key_speed_percent, record.speed_percent);
  uint(key_ack, record.ack);
  uint(key_in_flight_max, record.in_flight_max);
  uint(key_ack_wait_ms, record.ack_wait_ms);
  uint(key_backoff_max_ms, record.backoff_max_ms);
  uint(key_paused, record.paused ? 1 : 0);
  uint(key_next, record.next.value());
  const std::vector<uint64_t> ranges = ranges_of(record.outstanding);
  writer.uint(key_outstanding);
  writer.array(ranges.size());
  for (const uint64_t number : ranges) writer.uint(number);
  writer.uint(key_gaps);
  writer.array(2 * record.gaps.size());
  for (const LogGap& gap : record.gaps) {
    writer.uint(gap.from.value());
    writer.uint(gap.to.value());
  }
}

bool read_outstanding(codec::CborReader& reader, std::vector<Sequence>& outstanding) {
  const size_t count = reader.array();
  uint64_t end = 0;
  for (size_t index = 0; index + 1 < count && reader.ok(); index += 2) {
    const uint64_t first = end + reader.uint();
    const uint64_t length = reader.uint();
    if (length > consumer_outstanding_max - outstanding.size()) return false;
    for (uint64_t offset = 0; offset < length; ++offset) {
      outstanding.emplace_back(first + offset);
    }
    end = first + length;
  }
  return count % 2 == 0;
}

bool read_gaps(codec::CborReader& reader, std::vector<LogGap>& gaps) {
  const size_t count = reader.array();
  if (count % 2 != 0 || count / 2 > consumer_outstanding_max) return false;
  for (size_t index = 0; index < count && reader.ok(); index += 2) {
    const Sequence from(reader.uint());
    gaps.push_back({from, Sequence(reader.uint())});
  }
  return true;
}

bool read_field(codec::CborReader& reader, ConsumerRecord& record) {
  switch (reader.uint()) {
    case key_type_pattern: record.type_pattern = reader.text(); break;
    case key_subject_pattern: record.subject_pattern = reader.text(); break;
    case key_run: record.run = RunId(reader.uint()); break;
    case key_start: record.start = static_cast<uint8_t>(reader.uint()); break;
    case key_start_sequence: record.start_sequence = Sequence(reader.uint()); break;
    case key_start_time: record.start_time = WallTime{reader.uint()}; break;
    case key_pace: record.pace = static_cast<uint8_t>(reader.uint()); break;
    case key_speed_percent: record.speed_percent = static_cast<uint32_t>(reader.uint()); break;
    case key_ack: record.ack = static_cast<uint8_t>(reader.uint()); break;
    case key_in_flight_max: record.in_flight_max = static_cast<uint32_t>(reader.uint()); break;
    case key_ack_wait_ms: record.ack_wait_ms = reader.uint(); break;
    case key_backoff_max_ms: record.backoff_max_ms = reader.uint(); break;
    case key_paused: record.paused = reader.uint() != 0; break;
    case key_next: record.next = Sequence(reader.uint()); break;
    case key_outstanding: return read_outstanding(reader, record.outstanding);
    case key_gaps: return read_gaps(reader, record.gaps);
    default: reader.skip(); break;  // of a later Limpet
  }
  return true;
}

}  // namespace

ByteVector encode_consumer(const ConsumerRecord& record) {
  LIMPET_ASSERT(record.outstanding.size() + record.gaps.size() <= consumer_outstanding_max);
  ByteVector bytes(head_bytes + fields_bytes_max + record.type_pattern.size() +
                   record.subject_pattern.size() +
                   (record.outstanding.size() + record.gaps.size()) * range_bytes_max);
  codec::CborWriter writer(std::span<uint8_t>(bytes).subspan(head_bytes));
  write_fields(writer, record);
  const Result<ByteSpan> body = writer.finish();
  LIMPET_ASSERT(body.ok());  // the buffer was made for it
  bytes.resize(head_bytes + body->size());
  bytes[0] = record_version;
  const uint32_t crc = checksum(bytes);
  for (size_t index = 0; index < 4; ++index) {
    bytes[1 + index] = static_cast<uint8_t>(crc >> (8 * index));
  }
  return bytes;
}

Result<ConsumerRecord> decode_consumer(ByteSpan record) {
  if (record.size() <= head_bytes) return Error{ErrorCode::corrupt, "store: consumer is cut"};
  if (record[0] != record_version) {
    return Error{ErrorCode::unsupported, "store: a consumer of a newer Limpet"};
  }
  uint32_t crc = 0;
  for (size_t index = 4; index-- > 0;) crc = (crc << 8) | record[1 + index];
  if (crc != checksum(record)) return Error{ErrorCode::corrupt, "store: consumer's checksum"};
  codec::CborReader reader(record.subspan(head_bytes));
  ConsumerRecord decoded;
  bool good = true;
  const size_t fields = reader.map();
  for (size_t field = 0; field < fields && reader.ok() && good; ++field) {
    good = read_field(reader, decoded);
  }
  if (!good || !reader.finish().ok()) {
    return Error{ErrorCode::corrupt, "store: consumer's fields"};
  }
  return decoded;
}

GapEvent::GapEvent(LogGap gap, Sequence sequence) {
  char* at = id_.data();
  char* const end = at + id_.size();
  for (const char letter : std::string_view("gap-")) *at++ = letter;
  at = std::to_chars(at, end, gap.from.value()).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, gap.to.value()).ptr;
  codec::CborWriter writer(data_);
  writer.map(2);
  writer.text("from");
  writer.uint(gap.from.value());
  writer.text("to");
  writer.uint(gap.to.value());
  const Result<ByteSpan> data = writer.finish();
  LIMPET_ASSERT(data.ok());  // two numbers fit
  view_.sequence = sequence;
  view_.type = event_type::log_gap;
  view_.source = "limpet";
  view_.id = {id_.data(), static_cast<size_t>(at - id_.data())};
  view_.data = *data;
}

}  // namespace limpet::store
