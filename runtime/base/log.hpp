#pragma once

// Logger: lines for the person who operates the device. Not the event log: what matters for the
// audit is an event; what helps to understand the process is a line here.
// Owner: the daemon. Thread: [any]. Never fails: a line that cannot be written is counted.

#include <cstdint>
#include <string_view>

namespace limpet {

// Chosen by who must act: error = someone must; warning = someone may have to; info = state changes
// (a few a minute at most); debug = for a developer.
enum class LogLevel : uint8_t { error, warning, info, debug };

class Logger {
 public:
  virtual ~Logger() = default;
  // `part` is the folder that speaks ("store", "host/sysinfo"). Text is copied. [any]
  virtual void line(LogLevel level, std::string_view part, std::string_view text) = 0;
};

}  // namespace limpet
