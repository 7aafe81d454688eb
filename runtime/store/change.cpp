#include "store/change.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/records.hpp"

namespace limpet::store {

namespace {

// kind, size of the key, size of the value
constexpr size_t head_bytes = 1 + 2 + 4;

constexpr size_t trimmed_bytes_a_row = 4096;  // a row is reckoned as two pages

}  // namespace

void Change::add(OperationKind kind, ByteSpan key, ByteSpan value) {
  const auto key_size = static_cast<uint16_t>(key.size());
  const auto value_size = static_cast<uint32_t>(value.size());
  const size_t start = operations_.size();
  if (kind == OperationKind::put || kind == OperationKind::erase) ++rows_;
  const bool adds = kind == OperationKind::put || kind == OperationKind::append;
  (adds ? adds_ : erases_) = true;
  operations_.resize(start + head_bytes + key.size() + value.size());
  uint8_t* to = operations_.data() + start;
  *to = static_cast<uint8_t>(kind);
  std::memcpy(to + 1, &key_size, sizeof key_size);
  std::memcpy(to + 3, &value_size, sizeof value_size);
  std::memcpy(to + head_bytes, key.data(), key.size());
  if (!value.empty()) std::memcpy(to + head_bytes + key.size(), value.data(), value.size());
}

Operation Change::take(ByteSpan& rest) {
  LIMPET_ASSERT(rest.size() >= head_bytes);
  uint16_t key_size = 0;
  uint32_t value_size = 0;
  std::memcpy(&key_size, rest.data() + 1, sizeof key_size);
  std::memcpy(&value_size, rest.data() + 3, sizeof value_size);
  LIMPET_ASSERT(rest.size() >= head_bytes + key_size + value_size);
  const Operation operation{static_cast<OperationKind>(rest[0]), rest.subspan(head_bytes, key_size),
                            rest.subspan(head_bytes + key_size, value_size)};
  rest = rest.subspan(head_bytes + key_size + value_size);
  return operation;
}

Result<Sequence> Change::append(const EventView& event) {
  LIMPET_ASSERT(event.retention_class < classes_max);
  EventView numbered = event;
  numbered.sequence = hot_.next_sequence;
  const size_t record_size = codec::event_record_size(numbered);
  // The common event is small: encode where no heap is needed.
  uint8_t small[2048];
  ByteVector large;
  std::span<uint8_t> buffer(small);
  if (record_size > sizeof small) {
    large.resize(record_size);
    buffer = large;
  }
  LIMPET_TRY(ByteSpan record, codec::encode_event(numbered, buffer));
  const Sequence sequence = numbered.sequence;
  for (size_t offset = 0, part = 0; offset < record.size(); ++part) {
    const size_t size = std::min(record.size() - offset, limits::store_part_bytes_max);
    add(OperationKind::append, log_key(sequence, static_cast<uint8_t>(part)).bytes(),
        record.subspan(offset, size));
    offset += size;
  }
  hot_.next_sequence = sequence.next();
  hot_.events += 1;
  hot_.event_bytes += record.size();
  ClassCount& of_class = hot_.classes[event.retention_class];
  if (of_class.events == 0) of_class.first = sequence;
  of_class.events += 1;
  of_class.bytes += record.size();
  return sequence;
}

void Change::trim(const LogRecord& record) {
  LIMPET_ASSERT(record.retention_class < classes_max);
  const size_t parts =
      (record.bytes + limits::store_part_bytes_max - 1) / limits::store_part_bytes_max;
  for (size_t part = 0; part < parts; ++part) {
    add(OperationKind::trim, log_key(record.sequence, static_cast<uint8_t>(part)).bytes(), {});
  }
  // Neighbours share pages, which are at least half full.
  trimmed_bytes_ += record.bytes;
  if (record.sequence != trimmed_end_ || trimmed_bytes_ >= trimmed_bytes_a_row) {
    rows_ += 1 + trimmed_bytes_ / trimmed_bytes_a_row;
    trimmed_bytes_ = 0;
  }
  trimmed_end_ = record.sequence.next();
  ClassCount& of_class = hot_.classes[record.retention_class];
  LIMPET_EXPECT(hot_.events >= 1 && hot_.event_bytes >= record.bytes);
  LIMPET_EXPECT(of_class.events >= 1 && of_class.bytes >= record.bytes);
  hot_.events -= std::min<uint64_t>(hot_.events, 1);
  hot_.event_bytes -= std::min<uint64_t>(hot_.event_bytes, record.bytes);
  of_class.events -= std::min<uint64_t>(of_class.events, 1);
  of_class.bytes -= std::min<uint64_t>(of_class.bytes, record.bytes);
}

}  // namespace limpet::store
