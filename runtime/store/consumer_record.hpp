#pragma once

// What the store keeps of a durable consumer of the log, and how a gap of the log is told. [any]
//
//   row  c c name -> ConsumerRecord
//
// `next` and `outstanding` say what was acknowledged: everything before `next`, except what is
// outstanding. That is bounded by what a consumer may have in flight, however large the log is.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/event.hpp"
#include "model/ids.hpp"

namespace limpet::store {

inline constexpr size_t consumer_outstanding_max = 4096;

// A part of the log of which something is missing; `to` is exclusive.
struct LogGap {
  Sequence from;
  Sequence to;
  friend bool operator==(const LogGap&, const LogGap&) = default;
};

struct ConsumerRecord {
  std::string type_pattern;
  std::string subject_pattern;
  RunId run;
  uint8_t start = 0;  // the enums of dispatch/consumer_types.hpp; their numbers are for ever
  uint8_t pace = 0;
  uint8_t ack = 0;
  Sequence start_sequence;
  WallTime start_time;
  uint32_t speed_percent = 0;
  uint32_t in_flight_max = 0;
  uint64_t ack_wait_ms = 0;
  uint64_t backoff_max_ms = 0;
  bool paused = false;
  Sequence next;                      // of the log: not yet looked at
  std::vector<Sequence> outstanding;  // before `next`, rising: given and not acknowledged
  std::vector<LogGap> gaps;           // the same, where nothing is stored any more
  friend bool operator==(const ConsumerRecord&, const ConsumerRecord&) = default;
};

// REQUIRES: outstanding is rising, before `next`; it and gaps are at most consumer_outstanding_max.
[[nodiscard]] ByteVector encode_consumer(const ConsumerRecord& record);
// Errors: corrupt, unsupported (written by a newer Limpet).
[[nodiscard]] Result<ConsumerRecord> decode_consumer(ByteSpan record);

// The event that stands for what is no longer stored: type limpet.log.gap, never stored itself.
// The view is of this object. [no-alloc]
class GapEvent {
 public:
  // `sequence` none: it is not to be acknowledged.
  GapEvent(LogGap gap, Sequence sequence);
  GapEvent(const GapEvent&) = delete;
  GapEvent& operator=(const GapEvent&) = delete;

  [[nodiscard]] const EventView& view() const LIMPET_LIFETIMEBOUND { return view_; }

 private:
  std::array<char, 48> id_;
  std::array<uint8_t, 32> data_;
  EventView view_;
};

}  // namespace limpet::store
