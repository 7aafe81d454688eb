#pragma once

// The small rows around user queues: names with their numbers, and keys of tasks that are not to be
// queued twice. [any, no-alloc]
//
//   c q name        -> QueueRecord     number:u16 state:u8
//   c t queue name  -> TenantRecord    number:u16 tasks:u64 bytes:u64
//   d task 'q'      -> TaskKeyRecord   ms:u48 hash:u64
//
// A number is given once and means the same name for ever: places in the log carry it.

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "store/keys.hpp"

namespace limpet::store {

struct QueueRecord {
  uint16_t number = 0;
  uint8_t state = 0;  // dispatch::QueueState
};
inline constexpr size_t queue_record_bytes = 3;
[[nodiscard]] ByteSpan encode_queue_record(const QueueRecord& record, std::span<uint8_t> buffer);
[[nodiscard]] std::optional<QueueRecord> parse_queue_record(ByteSpan value);

// Tenant "" is number 0 and has no row: it holds what the others do not.
struct TenantRecord {
  uint16_t number = 0;
  uint64_t tasks = 0;
  uint64_t bytes = 0;
};
inline constexpr size_t tenant_record_bytes = 18;
[[nodiscard]] ByteSpan encode_tenant_record(const TenantRecord& record, std::span<uint8_t> buffer);
[[nodiscard]] std::optional<TenantRecord> parse_tenant_record(ByteSpan value);

struct TaskKeyRecord {
  StoreMs at = 0;
  uint64_t hash = 0;
};
inline constexpr size_t task_key_record_bytes = 14;
[[nodiscard]] ByteSpan encode_task_key_record(const TaskKeyRecord& record,
                                              std::span<uint8_t> buffer);
[[nodiscard]] std::optional<TaskKeyRecord> parse_task_key_record(ByteSpan value);

}  // namespace limpet::store
