#include "thresholds.hpp"

#include <cmath>
#include <limits>
#include <limpet/cpp/host.hpp>

namespace limpet::watchdog {
namespace {

constexpr uint64_t for_ms_max = 7u * 24 * 3600 * 1000;

struct Default {
  const char* subject;
  double above, clear_below;
  uint64_t for_ms;
};

constexpr Default defaults[] = {
    {"disk/*", 90, 85, 0},
    {"memory", 92, 87, 0},
    {"load", 4, 2, 60000},
};

Threshold read(sdk::View entry) {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const double above = entry["above"].number_or(nothing);
  if (std::isnan(above)) throw sdk::Failure("thresholds: above is missing or not a number");
  const double clear_below = entry["clear_below"].number_or(above);
  if (!(clear_below <= above)) throw sdk::Failure("thresholds: clear_below is higher than above");
  const uint64_t for_ms = entry["for_ms"].uint_or(0);
  if (for_ms > for_ms_max) throw sdk::Failure("thresholds: for_ms is more than a week");
  return {above, clear_below, for_ms * 1000000};
}

}  // namespace

// The place after the last star is remembered, and the star made to take one character more, when
// what follows it does not fit: at worst the product of both lengths.
bool fits(std::string_view pattern, std::string_view subject) {
  std::size_t in_pattern = 0, in_subject = 0, retry_subject = 0;
  std::size_t star = std::string_view::npos;
  while (in_subject < subject.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      retry_subject = in_subject;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == subject[in_subject]) {
      in_pattern++;
      in_subject++;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      in_subject = ++retry_subject;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') in_pattern++;
  return in_pattern == pattern.size();
}

std::optional<Threshold> threshold_for(std::string_view subject, sdk::View config) {
  std::optional<Threshold> found;
  const sdk::View thresholds = config["thresholds"];
  if (!thresholds) {
    for (const Default& one : defaults) {
      if (!found && fits(one.subject, subject)) {
        found = Threshold{one.above, one.clear_below, one.for_ms * 1000000};
      }
    }
  }
  thresholds.each([&](sdk::View entry) {
    if (!found && fits(entry["subject"].text_or(""), subject)) found = read(entry);
  });
  return found;
}

Tools tools_of(sdk::View config) {
  const sdk::View names = config["tools"];
  return {names["disk_usage"].text_or("sysinfo.disk_usage"),
          names["top_processes"].text_or("sysinfo.top_processes"),
          names["notify"].text_or("notify.write")};
}

}  // namespace limpet::watchdog
