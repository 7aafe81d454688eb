#pragma once

// Schedules: tasks and events that come by the clock. Each tick and the row that says it has come
// are one commit, so that a crash neither repeats nor loses it.
// Owner: the daemon. Thread: [main]. Fails with: log lines; a tick that cannot be stored now is
// tried again.
// Limits: config's number of schedules; catch_up_max ticks are caught up of one schedule.
//
// On a board whose clock is not set yet (base/time.hpp, plausible) nothing ticks: what a schedule
// missed is not known before the time is.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "daemon/house.hpp"
#include "daemon/queue_commit.hpp"
#include "model/cron.hpp"

namespace limpet::daemon {

inline constexpr size_t catch_up_max = 100;

enum class CatchUp : uint8_t { skip, once, all };

struct Schedule {
  std::string name;
  std::optional<Cron> cron;  // either this
  Duration every;            // or this
  std::string queue;         // either a task
  std::string event;         // or an event
  ByteVector payload;
  CatchUp catch_up = CatchUp::once;
};

class Schedules {
 public:
  Schedules(House& house, std::vector<Schedule> schedules);

  // Reads when each ticked last. [blocking]
  [[nodiscard]] Result<void> load();
  void pump();
  [[nodiscard]] std::optional<store::StoreMs> next_due() const { return next_due_; }
  [[nodiscard]] uint64_t ticks() const { return ticks_; }
  [[nodiscard]] uint64_t skipped() const { return skipped_; }

 private:
  struct Entry {
    Schedule schedule;
    store::StoreMs last = 0;  // the tick that was stored last; 0: none yet
    store::StoreMs retry_at = 0;
  };
  [[nodiscard]] static std::optional<store::StoreMs> next_tick(const Schedule& schedule,
                                                               store::StoreMs after);
  void pump_one(Entry& entry, store::StoreMs now);
  // The ticks that are due, oldest first, as catch_up says; the last one is the newest.
  [[nodiscard]] std::vector<store::StoreMs> due_ticks(const Entry& entry, store::StoreMs now);
  [[nodiscard]] Result<void> fire(Entry& entry, const std::vector<store::StoreMs>& ticks);
  [[nodiscard]] Result<void> fire_one(QueueCommit& commit, const Schedule& schedule,
                                      store::StoreMs tick);

  House& house_;
  std::vector<Entry> entries_;
  std::optional<store::StoreMs> next_due_;
  uint64_t ticks_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace limpet::daemon
