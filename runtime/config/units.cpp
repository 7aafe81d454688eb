#include "config/units.hpp"

#include <array>
#include <charconv>

namespace limpet::config {

namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr uint64_t kibi = 1024;
constexpr uint64_t kilo = 1000;

// The largest first, so that the first one that divides is the shortest form.
constexpr std::array sizes = {
    Unit{"TiB", kibi* kibi* kibi* kibi},
    Unit{"TB", kilo* kilo* kilo* kilo},
    Unit{"GiB", kibi* kibi* kibi},
    Unit{"GB", kilo* kilo* kilo},
    Unit{"MiB", kibi* kibi},
    Unit{"MB", kilo* kilo},
    Unit{"KiB", kibi},
    Unit{"kB", kilo},
    Unit{"B", 1},
};

constexpr std::array durations = {
    Unit{"d", 86400000}, Unit{"h", 3600000}, Unit{"m", 60000}, Unit{"s", 1000}, Unit{"ms", 1},
};

constexpr uint64_t duration_ms_max = uint64_t{86400000} * 36525;

template <class Units>
std::optional<uint64_t> parse(std::string_view text, const Units& units, uint64_t value_max) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > value_max / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

template <class Units>
std::string show(uint64_t value, const Units& units) {
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && (value != 0 || unit.factor == units.back().factor)) {
      return std::to_string(value / unit.factor).append(unit.name);
    }
  }
  return {};
}

}  // namespace

std::optional<uint64_t> parse_size(std::string_view text) { return parse(text, sizes, UINT64_MAX); }

std::optional<Duration> parse_duration(std::string_view text) {
  const std::optional<uint64_t> ms = parse(text, durations, duration_ms_max);
  if (!ms) return std::nullopt;
  return milliseconds(static_cast<int64_t>(*ms));
}

std::optional<Rate> parse_rate(std::string_view text) {
  if (text == "off") return Rate{};
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  Rate rate;
  const char* const end = text.data() + slash;
  const auto [rest, error] = std::from_chars(text.data(), end, rate.count);
  if (error != std::errc{} || rest != end) return std::nullopt;
  std::string per(text.substr(slash + 1));
  if (!per.empty() && (per.front() < '0' || per.front() > '9')) per.insert(0, "1");
  const std::optional<Duration> duration = parse_duration(per);
  if (!duration || duration->ns == 0) return std::nullopt;
  rate.per = *duration;
  return rate;
}

std::string show_size(uint64_t bytes) { return show(bytes, sizes); }

std::string show_duration(Duration duration) {
  if (duration.ns == 0) return "0s";
  return show(static_cast<uint64_t>(to_ms(duration)), durations);
}

}  // namespace limpet::config
