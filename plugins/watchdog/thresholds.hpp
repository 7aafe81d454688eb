#pragma once
#include <cstdint>
#include <limpet/cpp/value.hpp>
#include <optional>
#include <string>
#include <string_view>

// What counts as unhealthy, out of the agent's config. Pure functions of their arguments; they fail
// with limpet::sdk::Failure, which names the key.
namespace limpet::watchdog {

struct Threshold {
  double above;
  double clear_below;  // <= above: between the two an open incident stays open
  uint64_t for_ns;
};

// The names under which the tools are called.
struct Tools {
  std::string_view disk_usage, top_processes, notify;
};

// Does `subject` fit `pattern`, where * stands for any characters?
//   disk/*  fits disk//var, not disk
bool fits(std::string_view pattern, std::string_view subject);

// The first threshold that fits, or nothing. Without a `thresholds` key: disk/* above 90 (clear
// below 85), memory above 92 (87), load above 4 a processor for a minute (2).
std::optional<Threshold> threshold_for(std::string_view subject, sdk::View config);

// Views into the config.
Tools tools_of(sdk::View config);

}  // namespace limpet::watchdog
