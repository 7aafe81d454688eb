#pragma once

// DropReports: what was refused or dropped becomes an event: one `limpet.drop` a kind and interval,
// however much it was, so that a flood is told and does not make another.
// Owner: the daemon. Thread: [main]. A report that cannot be stored now goes with the next one.
// Limits: one event for each counter that moved, at most one a drop_report_interval_ms each. (What
// leaves a retention class unread is told by Retention, with its sequences.)

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/house.hpp"

namespace limpet::daemon {

inline constexpr store::StoreMs drop_report_interval_ms = 60 * 1000;

class DropReports {
 public:
  // What was dropped before now is not told.
  explicit DropReports(House& house) : house_(house) {}

  void pump();
  // Nothing to tell: none. Reports are looked for once an interval.
  [[nodiscard]] std::optional<store::StoreMs> next_due() const { return next_due_; }
  // Tells what was not yet told. Before a stop.
  void close() { tell(); }

 private:
  struct Counter {
    std::string_view reason;
    std::string subject;  // the queue; empty: the house
    uint64_t total = 0;
  };
  [[nodiscard]] std::vector<Counter> counters() const;
  [[nodiscard]] Result<void> append(Commit& commit, const Counter& counter, uint64_t count) const;
  void tell();

  House& house_;
  std::map<std::string, uint64_t, std::less<>> told_;  // by reason and subject; as many as counters
  std::optional<store::StoreMs> next_due_;
};

}  // namespace limpet::daemon
