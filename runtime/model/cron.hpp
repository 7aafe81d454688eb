#pragma once

// Cron: times that come again, as five fields of text: minute, hour, day of month, month, weekday.
// All in UTC: a gateway's local time changes twice a year, and what ran at 02:30 would run twice or
// not at all. [any, no-alloc]
//   each field: * or a list of N, N-M, with /STEP after * or a range; weekdays 0 to 7, 0 and 7 are
//   Sunday; names are not taken. If both days are restricted, either is enough, as in cron.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace limpet {

struct Cron {
  uint64_t minutes = 0;  // a bit each
  uint32_t hours = 0;
  uint32_t days = 0;     // bits 1 to 31
  uint16_t months = 0;   // bits 1 to 12
  uint8_t weekdays = 0;  // bits 0 to 6
  bool any_day = false;
  bool any_weekday = false;
};

[[nodiscard]] std::optional<Cron> parse_cron(std::string_view text);

// The first time after `after`, to the minute; nullopt: none within nine years ("30 of February").
[[nodiscard]] std::optional<WallTime> next_time(const Cron& cron, WallTime after);

}  // namespace limpet
