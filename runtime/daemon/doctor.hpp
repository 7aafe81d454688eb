#pragma once

// The daemon's side of `limpet doctor`: looks at everything that a start depends on and at what the
// last ones left behind, without starting or changing anything. Works beside a running daemon.
// Thread: [main, blocking]. Never fails: what cannot be looked at is a finding.

#include <string>
#include <vector>

#include "daemon/daemon.hpp"

namespace limpet::daemon {

enum class FindingLevel : uint8_t {
  well,
  note,     // worth knowing
  problem,  // somebody must act
};

struct Finding {
  std::string part;  // "config", "disk", "clock", "store", "starts"
  FindingLevel level = FindingLevel::well;
  std::string text;    // one sentence without a full stop
  std::string advice;  // what to do; empty: nothing
};

struct Examination {
  std::vector<Finding> findings;
  bool store_in_use = false;  // another process holds it, most likely a daemon
};

enum class Thorough : uint8_t { no, yes };  // yes: reads the whole store, if it is stopped
[[nodiscard]] Examination examine(const Options& options, Thorough thorough);

}  // namespace limpet::daemon
