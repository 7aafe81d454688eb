#pragma once

// Keys of the one tree. The first byte is the region; integers are big-endian, so that byte order
// is number order; the log is the last region, so that appends go to the right edge. FORMAT.md is
// the grammar; this file and its test are its proof. [any, no-alloc]

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "model/ids.hpp"

namespace limpet::store {

// A key being built: at most store_key_bytes_max bytes, no heap.
class Key {
 public:
  explicit Key(char region) { byte(static_cast<uint8_t>(region)); }
  Key& byte(uint8_t value);
  Key& u16(uint16_t value) { return big_endian(value, 2); }
  Key& u32(uint32_t value) { return big_endian(value, 4); }
  Key& u48(uint64_t value) { return big_endian(value, 6); }
  Key& u64(uint64_t value) { return big_endian(value, 8); }
  // REQUIRES: it fits; callers check names against limits.hpp, whose asserts cover every key.
  Key& text(std::string_view value);

  [[nodiscard]] ByteSpan bytes() const LIMPET_LIFETIMEBOUND { return {data_.data(), size_}; }

 private:
  Key& big_endian(uint64_t value, size_t bytes);

  std::array<uint8_t, limits::store_key_bytes_max> data_;
  size_t size_ = 0;
};

// Milliseconds since 1970 in 48 bits: good until the year 10889.
using StoreMs = uint64_t;

// Where a task stands among the ready ones. The ticket is given out in the order of changes, so
// that no row can ever appear behind a cursor that has passed.
struct Lane {
  uint16_t queue = 0;
  uint16_t tenant = 0;
  uint8_t priority = 5;  // as the user says it: 9 goes first; stored inverted
  friend bool operator==(const Lane&, const Lane&) = default;
};
struct ReadyPlace {
  Lane lane;
  StoreMs ready_at = 0;
  uint64_t ticket = 0;
};

// The numbers of the queues that the runtime itself keeps (turns 1, calls 2) end below this one.
inline constexpr uint16_t first_user_queue = 16;

// Why the clock has something to say to a task of a user queue.
enum class TaskTimerKind : uint8_t { wake = 1, expiry = 2 };
struct TaskTimer {
  TaskTimerKind kind = TaskTimerKind::wake;
  StoreMs at = 0;
  Sequence task;
};
struct GroupPlace {
  uint16_t queue = 0;
  uint64_t group = 0;  // hash of the group's key
  Sequence task;
};

enum class TimerKind : uint8_t { step = 1, run_deadline = 2 };
struct TimerPlace {
  StoreMs at = 0;
  TimerKind kind = TimerKind::step;
  RunId run;
  Ordinal ordinal;
};

struct RunRow {
  RunId run;
  Ordinal ordinal;  // 0: the header; from state_ordinal_first: a part of the state; else a step
};
inline constexpr uint32_t state_ordinal_first = 0xff000000;
// The text of the idempotency key that a run was asked for with.
inline constexpr uint32_t idempotency_ordinal = 0xffffffff;

[[nodiscard]] Key hot_key();
[[nodiscard]] Key log_key(Sequence sequence, uint8_t part);
[[nodiscard]] Key run_key(RunId run, Ordinal ordinal);
[[nodiscard]] Key run_state_key(RunId run, uint32_t part);
[[nodiscard]] Key inbox_key(RunId run, Sequence event);
[[nodiscard]] Key inbox_prefix(RunId run);
[[nodiscard]] Key inboxes_prefix();  // of all runs
[[nodiscard]] Key ready_key(const ReadyPlace& place);
[[nodiscard]] Key lane_key(const Lane& lane);  // the prefix of all ready keys of a lane
[[nodiscard]] Key timer_key(const TimerPlace& place);
[[nodiscard]] Key timer_prefix();
[[nodiscard]] Key live_run_key(std::string_view agent, std::string_view key);
[[nodiscard]] Key idempotency_key(std::string_view text);
[[nodiscard]] Key dedup_key(Sequence first);
[[nodiscard]] Key dedup_prefix();  // of packs and of the keys of tasks
[[nodiscard]] Key task_dedup_key(Sequence task);
[[nodiscard]] Key source_position_key(std::string_view instance);
[[nodiscard]] Key group_key(const GroupPlace& place);
[[nodiscard]] Key group_prefix(uint16_t queue, uint64_t group);
[[nodiscard]] Key dead_key(uint16_t queue, Sequence task);
[[nodiscard]] Key dead_prefix(uint16_t queue);
[[nodiscard]] Key task_timer_key(const TaskTimer& timer);
[[nodiscard]] Key task_timer_prefix(TaskTimerKind kind);
[[nodiscard]] Key queue_prefix(uint16_t queue);  // of all ready keys of a queue
// Names, which are stored; their numbers are given once and mean the same for ever.
[[nodiscard]] Key queue_name_key(std::string_view name);
[[nodiscard]] Key queue_name_prefix();
[[nodiscard]] Key tenant_name_key(uint16_t queue, std::string_view name);
[[nodiscard]] Key tenant_name_prefix(uint16_t queue);
[[nodiscard]] Key class_name_key(std::string_view name);
[[nodiscard]] Key class_name_prefix();
[[nodiscard]] Key consumer_key(std::string_view name);
[[nodiscard]] Key consumer_prefix();
[[nodiscard]] Key schedule_key(std::string_view name);
// One bit an event of another log that was imported, so many events a row.
inline constexpr uint64_t import_block_events = 8192;
using ImportBlock = std::array<uint8_t, import_block_events / 8>;
static_assert(sizeof(ImportBlock) <= limits::store_part_bytes_max);
[[nodiscard]] Key import_key(Epoch origin, uint64_t block);

struct LogPlace {
  Sequence sequence;
  uint8_t part;
};
// nullopt: not a key of that region, or damaged.
[[nodiscard]] std::optional<LogPlace> parse_log_key(ByteSpan key);
[[nodiscard]] std::optional<RunRow> parse_run_key(ByteSpan key);
[[nodiscard]] std::optional<ReadyPlace> parse_ready_key(ByteSpan key);
[[nodiscard]] std::optional<TimerPlace> parse_timer_key(ByteSpan key);
struct InboxPlace {
  RunId run;
  Sequence event;
};
[[nodiscard]] std::optional<InboxPlace> parse_inbox_key(ByteSpan key);
[[nodiscard]] std::optional<Sequence> parse_dedup_key(ByteSpan key);
[[nodiscard]] std::optional<Sequence> parse_task_dedup_key(ByteSpan key);
[[nodiscard]] std::optional<GroupPlace> parse_group_key(ByteSpan key);
[[nodiscard]] std::optional<Sequence> parse_dead_key(ByteSpan key);
[[nodiscard]] std::optional<TaskTimer> parse_task_timer_key(ByteSpan key);
// The text behind a prefix of names. REQUIRES: `key` begins with `prefix`.
[[nodiscard]] std::string_view name_in(ByteSpan key LIMPET_LIFETIMEBOUND, const Key& prefix);

// Big-endian integers in values. REQUIRES: bytes.size() >= 8 (4).
[[nodiscard]] uint64_t read_u64(ByteSpan bytes);
[[nodiscard]] uint32_t read_u32(ByteSpan bytes);

}  // namespace limpet::store
