#include "store/keys.hpp"

#include <cstring>

#include "base/check.hpp"

namespace limpet::store {

namespace {

// The queue number under which the inboxes of runs are kept; queues of users start above.
constexpr uint16_t turn_queue = 1;
constexpr uint8_t priority_max = 9;

uint64_t read_big_endian(ByteSpan bytes, size_t offset, size_t count) {
  uint64_t value = 0;
  for (size_t index = 0; index < count; ++index) value = (value << 8) | bytes[offset + index];
  return value;
}

bool is_key(ByteSpan key, char region, size_t size) {
  return key.size() == size && key[0] == static_cast<uint8_t>(region);
}

}  // namespace

Key& Key::byte(uint8_t value) {
  LIMPET_ASSERT(size_ < data_.size());
  data_[size_++] = value;
  return *this;
}

Key& Key::big_endian(uint64_t value, size_t bytes) {
  LIMPET_ASSERT(size_ + bytes <= data_.size());
  for (size_t index = bytes; index-- > 0; value >>= 8) {
    data_[size_ + index] = static_cast<uint8_t>(value);
  }
  size_ += bytes;
  return *this;
}

Key& Key::text(std::string_view value) {
  LIMPET_ASSERT(size_ + value.size() <= data_.size());
  if (!value.empty()) std::memcpy(data_.data() + size_, value.data(), value.size());
  size_ += value.size();
  return *this;
}

Key hot_key() { return Key('A'); }
Key log_key(Sequence sequence, uint8_t part) { return Key('z').u64(sequence.value()).byte(part); }
Key run_key(RunId run, Ordinal ordinal) { return Key('n').u64(run.value()).u32(ordinal.value()); }
Key run_state_key(RunId run, uint32_t part) {
  return run_key(run, Ordinal(state_ordinal_first + part));
}
Key inbox_prefix(RunId run) { return Key('g').u16(turn_queue).u64(run.value()); }
Key inboxes_prefix() { return Key('g').u16(turn_queue); }
Key inbox_key(RunId run, Sequence event) { return inbox_prefix(run).u64(event.value()); }
Key lane_key(const Lane& lane) {
  const auto inverted = static_cast<uint8_t>(priority_max - lane.priority);
  return Key('r').u16(lane.queue).u16(lane.tenant).byte(inverted);
}
Key ready_key(const ReadyPlace& place) {
  return lane_key(place.lane).u48(place.ready_at).u64(place.ticket);
}
Key timer_key(const TimerPlace& place) {
  return Key('t')
      .u48(place.at)
      .byte(static_cast<uint8_t>(place.kind))
      .u64(place.run.value())
      .u32(place.ordinal.value());
}
Key timer_prefix() { return Key('t'); }
// The zero byte ends the agent's name, which cannot contain one: no two pairs share a key.
Key live_run_key(std::string_view agent, std::string_view key) {
  return Key('i').byte('k').text(agent).byte(0).text(key);
}
Key idempotency_key(std::string_view text) { return Key('i').byte('u').text(text); }
Key dedup_key(Sequence first) { return Key('d').u64(first.value()); }
Key dedup_prefix() { return Key('d'); }
// Longer than a pack's key, so that neither is read as the other.
Key task_dedup_key(Sequence task) { return Key('d').u64(task.value()).byte('q'); }
Key source_position_key(std::string_view instance) { return Key('c').byte('s').text(instance); }

Key group_prefix(uint16_t queue, uint64_t group) { return Key('g').u16(queue).u64(group); }
Key group_key(const GroupPlace& place) {
  return group_prefix(place.queue, place.group).u64(place.task.value());
}
Key dead_prefix(uint16_t queue) { return Key('x').u16(queue); }
Key dead_key(uint16_t queue, Sequence task) { return dead_prefix(queue).u64(task.value()); }
Key task_timer_prefix(TaskTimerKind kind) { return Key('w').byte(static_cast<uint8_t>(kind)); }
Key task_timer_key(const TaskTimer& timer) {
  return task_timer_prefix(timer.kind).u48(timer.at).u64(timer.task.value());
}
Key queue_prefix(uint16_t queue) { return Key('r').u16(queue); }
Key queue_name_prefix() { return Key('c').byte('q'); }
Key queue_name_key(std::string_view name) { return queue_name_prefix().text(name); }
Key tenant_name_prefix(uint16_t queue) { return Key('c').byte('t').u16(queue); }
Key tenant_name_key(uint16_t queue, std::string_view name) {
  return tenant_name_prefix(queue).text(name);
}
Key class_name_prefix() { return Key('c').byte('k'); }
Key class_name_key(std::string_view name) { return class_name_prefix().text(name); }
Key consumer_prefix() { return Key('c').byte('c'); }
Key consumer_key(std::string_view name) { return consumer_prefix().text(name); }
Key import_key(Epoch origin, uint64_t block) {
  return Key('c').byte('i').u64(origin.value()).u64(block);
}
Key schedule_key(std::string_view name) { return Key('c').byte('e').text(name); }

std::optional<GroupPlace> parse_group_key(ByteSpan key) {
  if (!is_key(key, 'g', 19)) return std::nullopt;
  return GroupPlace{static_cast<uint16_t>(read_big_endian(key, 1, 2)), read_big_endian(key, 3, 8),
                    Sequence(read_big_endian(key, 11, 8))};
}

std::optional<Sequence> parse_dead_key(ByteSpan key) {
  if (!is_key(key, 'x', 11)) return std::nullopt;
  return Sequence(read_big_endian(key, 3, 8));
}

std::optional<TaskTimer> parse_task_timer_key(ByteSpan key) {
  if (!is_key(key, 'w', 16)) return std::nullopt;
  TaskTimer timer;
  timer.kind = static_cast<TaskTimerKind>(key[1]);
  if (timer.kind != TaskTimerKind::wake && timer.kind != TaskTimerKind::expiry) return std::nullopt;
  timer.at = read_big_endian(key, 2, 6);
  timer.task = Sequence(read_big_endian(key, 8, 8));
  return timer;
}

std::string_view name_in(ByteSpan key, const Key& prefix) {
  const ByteSpan name = key.subspan(prefix.bytes().size());
  return {reinterpret_cast<const char*>(name.data()), name.size()};
}

std::optional<LogPlace> parse_log_key(ByteSpan key) {
  if (!is_key(key, 'z', 10)) return std::nullopt;
  return LogPlace{Sequence(read_big_endian(key, 1, 8)), key[9]};
}

std::optional<RunRow> parse_run_key(ByteSpan key) {
  if (!is_key(key, 'n', 13)) return std::nullopt;
  return RunRow{RunId(read_big_endian(key, 1, 8)),
                Ordinal(static_cast<uint32_t>(read_big_endian(key, 9, 4)))};
}

std::optional<ReadyPlace> parse_ready_key(ByteSpan key) {
  if (!is_key(key, 'r', 20) || key[5] > priority_max) return std::nullopt;
  ReadyPlace place;
  place.lane.queue = static_cast<uint16_t>(read_big_endian(key, 1, 2));
  place.lane.tenant = static_cast<uint16_t>(read_big_endian(key, 3, 2));
  place.lane.priority = static_cast<uint8_t>(priority_max - key[5]);
  place.ready_at = read_big_endian(key, 6, 6);
  place.ticket = read_big_endian(key, 12, 8);
  return place;
}

std::optional<TimerPlace> parse_timer_key(ByteSpan key) {
  if (!is_key(key, 't', 20)) return std::nullopt;
  TimerPlace place;
  place.at = read_big_endian(key, 1, 6);
  place.kind = static_cast<TimerKind>(key[7]);
  if (place.kind != TimerKind::step && place.kind != TimerKind::run_deadline) return std::nullopt;
  place.run = RunId(read_big_endian(key, 8, 8));
  place.ordinal = Ordinal(static_cast<uint32_t>(read_big_endian(key, 16, 4)));
  return place;
}

std::optional<InboxPlace> parse_inbox_key(ByteSpan key) {
  if (!is_key(key, 'g', 19)) return std::nullopt;
  return InboxPlace{RunId(read_big_endian(key, 3, 8)), Sequence(read_big_endian(key, 11, 8))};
}

std::optional<Sequence> parse_dedup_key(ByteSpan key) {
  if (!is_key(key, 'd', 9)) return std::nullopt;
  return Sequence(read_big_endian(key, 1, 8));
}

std::optional<Sequence> parse_task_dedup_key(ByteSpan key) {
  if (!is_key(key, 'd', 10) || key[9] != 'q') return std::nullopt;
  return Sequence(read_big_endian(key, 1, 8));
}

uint64_t read_u64(ByteSpan bytes) { return read_big_endian(bytes, 0, 8); }
uint32_t read_u32(ByteSpan bytes) { return static_cast<uint32_t>(read_big_endian(bytes, 0, 4)); }

}  // namespace limpet::store
