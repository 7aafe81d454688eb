#pragma once

// Sizes and durations as people write them. [any]

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace limpet::config {

// "64MiB", "1GiB", "200kB": a whole number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB.
[[nodiscard]] std::optional<uint64_t> parse_size(std::string_view text);
// "30s": a whole number and ms, s, m, h or d; up to 100 years.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

// "10/s": a whole number and how long it is for: s, m or h, or any duration ("1/10s"); "off": none.
struct Rate {
  uint64_t count = 0;
  Duration per = seconds(1);
};
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);

// The shortest exact form that the functions above read.
[[nodiscard]] std::string show_size(uint64_t bytes);
[[nodiscard]] std::string show_duration(Duration duration);

}  // namespace limpet::config
