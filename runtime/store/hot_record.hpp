#pragma once

// HotRecord: the one record that every commit rewrites: counters that must move together with the
// rows they count. Main owns the newest copy (with changes not yet on disk); each change carries
// the copy that is true after it, and the writer stores that of the batch's last change. [any]
// Limits: encoded at most hot_record_bytes_max: 45 bytes a queue and 40 a class, only those in use.

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"

namespace limpet::store {

inline constexpr size_t hot_record_bytes_max = 3072;
inline constexpr size_t run_state_count = 7;
inline constexpr size_t queues_max = 32;  // of users, in one store
inline constexpr size_t classes_max = 16;

// What one user queue holds; `tasks` are all that are not dead: ready, delayed, leased, in groups.
struct QueueCount {
  uint64_t tasks = 0;
  uint64_t bytes = 0;  // of their payloads
  uint64_t dead = 0;
  friend bool operator==(const QueueCount&, const QueueCount&) = default;
};

// What the log holds of one retention class.
struct ClassCount {
  Sequence first{1};  // everything of the class before it is trimmed, except what is still owned
  uint64_t events = 0;
  uint64_t bytes = 0;
  friend bool operator==(const ClassCount&, const ClassCount&) = default;
};

struct HotRecord {
  Epoch epoch;
  Incarnation incarnation;
  Sequence next_sequence{1};
  uint64_t next_ticket = 1;
  uint64_t store_ms = 0;  // max(wall clock, what it was): never goes back
  uint64_t events = 0;
  uint64_t event_bytes = 0;
  std::array<uint64_t, run_state_count> runs{};  // by RunState
  std::array<QueueCount, queues_max> queues{};   // by number, from first_user_queue on
  std::array<ClassCount, classes_max> classes{};
  friend bool operator==(const HotRecord&, const HotRecord&) = default;
};

[[nodiscard]] Result<ByteSpan> encode_hot(const HotRecord& hot, std::span<uint8_t> buffer);
[[nodiscard]] Result<HotRecord> decode_hot(ByteSpan record);

}  // namespace limpet::store
