#pragma once

// PluginLog: an instance's lines on their way to the log: cleaned, cut, and limited in rate.
// Owner: an instance. Thread: [any]; its own mutex.
// Limits: plugin_log_burst lines at once, then plugin_log_per_second; the rest is counted, and the
// next line that passes says how many are missing.

#include <limpet/ext/draft/log.h>

#include <mutex>
#include <string>

#include "base/log.hpp"
#include "base/time.hpp"
#include "host/counters.hpp"
#include "host/mailbox.hpp"

namespace limpet::host {

class PluginLog {
 public:
  PluginLog(std::string part, Logger& logger, Mailbox& mailbox, LiveCounters& counters);

  void line(limpet_log_level level, const char* message);
  // The logger may be gone after this. [main]
  void close();

 private:
  bool admit();

  const std::string part_;  // "host/sysinfo"
  Mailbox& mailbox_;
  LiveCounters& counters_;
  std::mutex mutex_;
  // Guarded by mutex_.
  Logger* logger_;
  int64_t credit_ns_;  // what may be spent; a line costs a second's part
  BootTime refilled_;
  uint64_t missing_ = 0;
};

}  // namespace limpet::host
