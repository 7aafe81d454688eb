#pragma once

// What a durable consumer of the log is set to, and what is known of it, as plain values. [any]

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.hpp"
#include "model/ids.hpp"

namespace limpet::dispatch {

// Their numbers are stored.
enum class StartAt : uint8_t { all, fresh, last, sequence, time };  // fresh is "new"
enum class Pace : uint8_t { instant, original };
enum class AckMode : uint8_t { explicit_each, none };

struct ConsumerSettings {
  std::string name;
  std::string type_pattern;     // empty: all
  std::string subject_pattern;  // empty: all
  RunId run;                    // none: all
  StartAt start = StartAt::all;
  Sequence start_sequence;
  WallTime start_time;
  Pace pace = Pace::instant;
  uint32_t speed_percent = 100;  // of the original pace: 200 is twice as fast
  AckMode ack = AckMode::explicit_each;
  uint32_t in_flight_max = 256;        // events without an ack; then nothing more is given
  Duration ack_wait = seconds(30);     // then it comes again
  Duration backoff_max = seconds(60);  // each further time waits twice as long, up to this
  friend bool operator==(const ConsumerSettings&, const ConsumerSettings&) = default;
};

inline constexpr size_t consumers_max = 64;
inline constexpr size_t consumer_name_bytes_max = 64;  // of [A-Za-z0-9_.-]
inline constexpr uint32_t consumer_in_flight_limit = 4000;
inline constexpr uint32_t consumer_fetch_events_max = 1000;  // of one fetch
inline constexpr uint32_t consumer_speed_percent_max = 1000000;
inline constexpr Duration consumer_wait_max = seconds(24 * 3600);  // ack_wait, backoff_max

struct ConsumerStats {
  std::string name;
  bool paused = false;
  Sequence cursor;       // everything before it is acknowledged
  uint64_t pending = 0;  // given and not acknowledged
  uint64_t lag = 0;      // events of the log that it has still to see, matching or not, and pending
  Duration oldest_age;   // of the oldest event that is not acknowledged; zero: none
  uint64_t delivered = 0;
  uint64_t redelivered = 0;
  uint64_t acked = 0;
  uint64_t skipped = 0;  // gone before they were read: a gap
};

}  // namespace limpet::dispatch
