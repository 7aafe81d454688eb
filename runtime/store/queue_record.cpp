#include "store/queue_record.hpp"

#include "base/check.hpp"

namespace limpet::store {

namespace {

void put(uint8_t*& to, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    *to++ = static_cast<uint8_t>(value >> shift);
  }
}

uint64_t take(const uint8_t*& from, int bytes) {
  uint64_t value = 0;
  for (int index = 0; index < bytes; ++index) value = (value << 8) | *from++;
  return value;
}

}  // namespace

ByteSpan encode_queue_record(const QueueRecord& record, std::span<uint8_t> buffer) {
  LIMPET_ASSERT(buffer.size() >= queue_record_bytes);
  uint8_t* to = buffer.data();
  put(to, record.number, 2);
  put(to, record.state, 1);
  return buffer.first(queue_record_bytes);
}

std::optional<QueueRecord> parse_queue_record(ByteSpan value) {
  if (value.size() != queue_record_bytes) return std::nullopt;
  const uint8_t* from = value.data();
  QueueRecord record;
  record.number = static_cast<uint16_t>(take(from, 2));
  record.state = static_cast<uint8_t>(take(from, 1));
  return record;
}

ByteSpan encode_tenant_record(const TenantRecord& record, std::span<uint8_t> buffer) {
  LIMPET_ASSERT(buffer.size() >= tenant_record_bytes);
  uint8_t* to = buffer.data();
  put(to, record.number, 2);
  put(to, record.tasks, 8);
  put(to, record.bytes, 8);
  return buffer.first(tenant_record_bytes);
}

std::optional<TenantRecord> parse_tenant_record(ByteSpan value) {
  if (value.size() != tenant_record_bytes) return std::nullopt;
  const uint8_t* from = value.data();
  TenantRecord record;
  record.number = static_cast<uint16_t>(take(from, 2));
  record.tasks = take(from, 8);
  record.bytes = take(from, 8);
  return record;
}

ByteSpan encode_task_key_record(const TaskKeyRecord& record, std::span<uint8_t> buffer) {
  LIMPET_ASSERT(buffer.size() >= task_key_record_bytes);
  uint8_t* to = buffer.data();
  put(to, record.at, 6);
  put(to, record.hash, 8);
  return buffer.first(task_key_record_bytes);
}

std::optional<TaskKeyRecord> parse_task_key_record(ByteSpan value) {
  if (value.size() != task_key_record_bytes) return std::nullopt;
  const uint8_t* from = value.data();
  TaskKeyRecord record;
  record.at = take(from, 6);
  record.hash = take(from, 8);
  return record;
}

}  // namespace limpet::store
