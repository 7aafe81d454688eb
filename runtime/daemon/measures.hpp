#pragma once

// Measures: how long things took, by queue, tool, step and tenant; for GET /metrics.
// Owner: the daemon. Thread: [main]. Never fails.
// Limits: measured_names_max names of each kind; what comes later counts under "other".

#include <map>
#include <string>
#include <string_view>

#include "base/histogram.hpp"

namespace limpet::daemon {

inline constexpr size_t measured_names_max = 256;

class TimesByName {
 public:
  void record(std::string_view name, Duration time) {
    auto found = times_.find(name);
    if (found == times_.end()) {
      const std::string_view kept = times_.size() < measured_names_max ? name : "other";
      found = times_.try_emplace(std::string(kept)).first;
    }
    found->second.record(time);
  }
  [[nodiscard]] const std::map<std::string, SlowHistogram, std::less<>>& all() const {
    return times_;
  }

 private:
  std::map<std::string, SlowHistogram, std::less<>> times_;
};

struct Measures {
  TimesByName queue_wait;   // from the enqueuing of a task to its lease
  TimesByName queue_hold;   // from the lease to the ack
  TimesByName tenant_wait;  // as queue_wait, by tenant
  TimesByName tool;         // from the start of a call to its result
  TimesByName step;         // the same by "agent/step"
  FastHistogram round;      // of the main loop's work after a commit
};

}  // namespace limpet::daemon
