#pragma once

// PluginTimers: the timers of one instance. Plugins start and stop them from any thread; main asks
// what is due. A tick that was missed is not made up for: missed ones become one.
// Owner: an instance. Thread: as tagged; its own mutex.
// Limits: LIMPET_TIMERS_MAX timers; at the limit start() answers FULL.

#include <limpet/plugin.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "host/mailbox.hpp"

namespace limpet::host {

class PluginTimers {
 public:
  explicit PluginTimers(Mailbox& mailbox) : mailbox_(mailbox) {}

  // The plugin's start() and stop(). [any]
  [[nodiscard]] limpet_status start(uint64_t period_ns, uint32_t id);
  void stop(uint32_t id);

  // Timers run between open and close. [main]
  void open();
  void close();

  // The ids that are due at `now`, each once; they are set for their next time. [main]
  [[nodiscard]] std::vector<uint32_t> take_due(BootTime now);
  // When the next one is due. [main]
  [[nodiscard]] std::optional<BootTime> next_due() const;

 private:
  struct Timer {
    uint32_t id;
    uint64_t period_ns;
    BootTime due;
  };

  Mailbox& mailbox_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool open_ = false;
  std::vector<Timer> timers_;
};

}  // namespace limpet::host
