#pragma once

// HotRecord: the one record that every commit rewrites: counters that must move together with the
// rows they count. Main owns the newest copy (with changes not yet on disk); each change carries
// the copy that is true after it, and the writer stores that of the batch's last change. [any]
// Limits: encoded at most hot_record_bytes_max.

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"

namespace limpet::store {

inline constexpr size_t hot_record_bytes_max = 1024;
inline constexpr size_t run_state_count = 7;

struct HotRecord {
  Epoch epoch;
  Incarnation incarnation;
  Sequence next_sequence{1};
  uint64_t next_ticket = 1;
  uint64_t store_ms = 0;  // max(wall clock, what it was): never goes back
  uint64_t events = 0;
  uint64_t event_bytes = 0;
  std::array<uint64_t, run_state_count> runs{};  // by RunState
  friend bool operator==(const HotRecord&, const HotRecord&) = default;
};

[[nodiscard]] Result<ByteSpan> encode_hot(const HotRecord& hot, std::span<uint8_t> buffer);
[[nodiscard]] Result<HotRecord> decode_hot(ByteSpan record);

}  // namespace limpet::store
