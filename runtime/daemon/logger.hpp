#pragma once

// StandardErrorLogger: log lines on standard error, for a person or the journal. [any]
// One write(2) a line, so that lines of several threads do not mix. A line over 2 KiB is cut. Under
// systemd each line carries its priority as "<4>" and no time, because the journal adds its own.

#include "base/log.hpp"
#include "platform/clock.hpp"

namespace limpet::daemon {

class StandardErrorLogger final : public Logger {
 public:
  StandardErrorLogger(const platform::Clock& clock, LogLevel lowest, bool for_journal)
      : clock_(clock), lowest_(lowest), for_journal_(for_journal) {}
  void line(LogLevel level, std::string_view part, std::string_view text) override;

 private:
  const platform::Clock& clock_;
  const LogLevel lowest_;
  const bool for_journal_;
};

}  // namespace limpet::daemon
