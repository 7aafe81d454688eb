#pragma once

// What the store keeps of a task beside its payload: where it stands, which its event tells, and
// what has happened to it, which its row tells. [any]
//
//   event  limpet.task.queued; subject: the queue; data: the payload; extensions: TaskFacts
//   row    r queue tenant priority ready_at task -> TaskState; empty for one that never failed
//
// The place in the event is why nothing needs an index by id: whoever has the event, such as the
// trimmer, finds the row with one look.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"
#include "store/keys.hpp"

namespace limpet::store {

struct TaskFacts {
  Lane lane;
  StoreMs ready_at = 0;    // when it was to be ready first; its place for life
  uint64_t group = 0;      // group_hash(group_name); 0: none
  StoreMs expires_at = 0;  // 0: never
  std::string_view group_name = {};
  std::string_view key = {};  // dedup
  Ordinal step = {};          // of a run's call that a worker answers; none otherwise
  bool once = false;          // never to be repeated when its fate is unknown
};

// Never 0.
[[nodiscard]] uint64_t group_hash(std::string_view group);

// The event's `extensions`: a CBOR map. Appended to `out`, which is empty.
void encode_task_facts(const TaskFacts& facts, ByteVector& out);
// nullopt: not the extensions of a task. Views live as long as `extensions`.
[[nodiscard]] std::optional<TaskFacts> parse_task_facts(ByteSpan extensions LIMPET_LIFETIMEBOUND);

[[nodiscard]] inline ReadyPlace place_of(const TaskFacts& facts, Sequence task) {
  return {facts.lane, facts.ready_at, task.value()};
}

struct TaskState {
  uint16_t attempts = 0;    // failed ones
  StoreMs not_before = 0;   // after a failure
  uint16_t deaths = 0;      // times it was a dead letter and was redriven
  StoreMs first_death = 0;  // 0: none
  bool begun = false;       // given to a worker, and must not happen twice: facts.once
  friend bool operator==(const TaskState&, const TaskState&) = default;
};
inline constexpr size_t task_state_bytes = 17;
// A view of `buffer`, or empty for a state without news.
[[nodiscard]] ByteSpan encode_task_state(const TaskState& state, std::span<uint8_t> buffer);
[[nodiscard]] std::optional<TaskState> parse_task_state(ByteSpan value);

// What a group's row keeps, to put its task among the ready ones when its turn has come: its place,
// and its state if that has news (it was redriven behind another of its group).
inline constexpr size_t group_row_bytes_max = 9 + task_state_bytes;
struct GroupRow {
  ReadyPlace place;
  TaskState state;
};
[[nodiscard]] ByteSpan encode_group_row(const GroupRow& row, std::span<uint8_t> buffer);
// REQUIRES: `place` is the row's key. nullopt: damaged.
[[nodiscard]] std::optional<ReadyPlace> parse_group_row(const GroupPlace& place, ByteSpan value);
[[nodiscard]] std::optional<TaskState> parse_group_state(ByteSpan value);

enum class DeathReason : uint8_t {
  rejected = 1,
  expired = 2,
  attempts = 3,
  overflow = 4,
  unknown_outcome = 5,
  denied = 6,
  quarantined = 7,
};
[[nodiscard]] std::string_view to_string(DeathReason reason);
[[nodiscard]] std::optional<DeathReason> parse_death_reason(std::string_view text);

inline constexpr size_t death_error_bytes_max = 512;
struct DeadLetter {
  DeathReason reason = DeathReason::rejected;
  uint16_t attempts = 0;
  uint16_t deaths = 1;
  StoreMs first_death = 0;
  StoreMs last_death = 0;
  std::string error;  // what the worker said, at most death_error_bytes_max
};
[[nodiscard]] ByteVector encode_dead_letter(const DeadLetter& letter);
[[nodiscard]] std::optional<DeadLetter> parse_dead_letter(ByteSpan value);

}  // namespace limpet::store
