#include "model/cron.hpp"

#include <array>
#include <charconv>

namespace limpet {

namespace {

constexpr uint64_t minute_ns = 60'000'000'000;
constexpr int64_t days_ahead_max = 9 * 366;  // 29 February is at most eight years away

struct Range {
  uint32_t first;
  uint32_t last;
};

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

// One entry of a list: "*", "7", "1-5", each with "/2" after a star or a range.
std::optional<uint64_t> parse_entry(std::string_view text, Range range) {
  uint32_t step = 1;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto number = parse_number(text.substr(slash + 1));
    if (!number || *number == 0 || *number > range.last) return std::nullopt;
    step = *number;
    text = text.substr(0, slash);
  }
  Range chosen = range;
  if (text != "*") {
    const size_t dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash));
    if (!first || (dash == std::string_view::npos && slash != std::string_view::npos)) {
      return std::nullopt;
    }
    const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
    if (!last || *first < range.first || *last > range.last || *first > *last) return std::nullopt;
    chosen = {*first, *last};
  }
  uint64_t bits = 0;
  for (uint32_t value = chosen.first; value <= chosen.last; value += step) {
    bits |= uint64_t{1} << value;
  }
  return bits;
}

std::optional<uint64_t> parse_field(std::string_view text, Range range) {
  uint64_t bits = 0;
  while (true) {
    const size_t comma = text.find(',');
    const auto entry = parse_entry(text.substr(0, comma), range);
    if (!entry) return std::nullopt;
    bits |= *entry;
    if (comma == std::string_view::npos) return bits;
    text.remove_prefix(comma + 1);
  }
}

struct Date {
  uint32_t month;  // 1 to 12
  uint32_t day;    // 1 to 31
};

// Days since 1970 to the Gregorian calendar: years from March, 400 of them at a time.
Date date_of(int64_t days) {
  const int64_t from_march_0000 = days + 719468;
  const int64_t era = from_march_0000 / 146097;
  const auto day_of_era = static_cast<uint32_t>(from_march_0000 - era * 146097);
  const uint32_t year =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const uint32_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
  const uint32_t month = (5 * day_of_year + 2) / 153;
  return {month < 10 ? month + 3 : month - 9, day_of_year - (153 * month + 2) / 5 + 1};
}

bool bit(uint64_t bits, uint64_t index) { return ((bits >> index) & 1) != 0; }

bool day_matches(const Cron& cron, int64_t day) {
  const Date date = date_of(day);
  if (!bit(cron.months, date.month)) return false;
  const bool in_month = bit(cron.days, date.day);
  const bool in_week = bit(cron.weekdays, static_cast<uint64_t>((day + 4) % 7));  // a Thursday
  if (cron.any_day || cron.any_weekday) return in_month && in_week;
  return in_month || in_week;
}

}  // namespace

std::optional<Cron> parse_cron(std::string_view text) {
  constexpr std::array<Range, 5> ranges = {{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}}};
  std::array<uint64_t, 5> bits{};
  std::array<bool, 5> star{};
  for (size_t field = 0; field < ranges.size(); ++field) {
    const size_t start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) return std::nullopt;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    const auto parsed = parse_field(word, ranges[field]);
    if (!parsed) return std::nullopt;
    bits[field] = *parsed;
    star[field] = word.front() == '*';
  }
  if (text.find_first_not_of(' ') != std::string_view::npos) return std::nullopt;
  Cron cron;
  cron.minutes = bits[0];
  cron.hours = static_cast<uint32_t>(bits[1]);
  cron.days = static_cast<uint32_t>(bits[2]);
  cron.months = static_cast<uint16_t>(bits[3]);
  cron.weekdays = static_cast<uint8_t>((bits[4] | (bits[4] >> 7)) & 0x7f);
  cron.any_day = star[2];
  cron.any_weekday = star[4];
  return cron;
}

std::optional<WallTime> next_time(const Cron& cron, WallTime after) {
  const auto first = static_cast<int64_t>(after.ns / minute_ns) + 1;  // minutes since 1970
  constexpr int64_t minutes_a_day = 24 * 60;
  for (int64_t day = first / minutes_a_day; day <= first / minutes_a_day + days_ahead_max; ++day) {
    if (!day_matches(cron, day)) continue;
    const int64_t start = day * minutes_a_day;
    for (int64_t minute = first > start ? first - start : 0; minute < minutes_a_day; ++minute) {
      if (!bit(cron.hours, static_cast<uint64_t>(minute / 60))) {
        minute += 59 - minute % 60;  // on to the next hour
        continue;
      }
      if (!bit(cron.minutes, static_cast<uint64_t>(minute % 60))) continue;
      return WallTime{static_cast<uint64_t>(start + minute) * minute_ns};
    }
  }
  return std::nullopt;
}

}  // namespace limpet
