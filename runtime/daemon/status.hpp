#pragma once

// Status: what the daemon says about itself, as the JSON texts of the API. Looks, never changes.
// Owner: the daemon. Thread: [main].

#include <functional>
#include <string>

#include "api/consumer_services.hpp"
#include "api/services.hpp"
#include "config/settings.hpp"
#include "daemon/calls.hpp"
#include "daemon/house.hpp"
#include "daemon/intake.hpp"
#include "daemon/retention.hpp"
#include "daemon/schedules.hpp"
#include "daemon/timers.hpp"
#include "daemon/turns.hpp"
#include "dispatch/consumers.hpp"
#include "host/host.hpp"

namespace limpet::daemon {

struct StatusParts {
  House& house;
  const config::Settings& settings;
  host::Host& host;
  const Intake& intake;
  const Turns& turns;
  const Calls& calls;
  const Timers& timers;
  // Null in houses without them, such as a test's.
  api::ConsumerServices* consumers = nullptr;
  const Schedules* schedules = nullptr;
  const dispatch::Consumers* log_consumers = nullptr;
};

class Status {
 public:
  explicit Status(StatusParts parts) : parts_(parts), started_(parts.house.clock.boot()) {}

  // GET /v1/status, /v1/plugins, /v1/tools, /v1/agents
  [[nodiscard]] std::string status() const;
  [[nodiscard]] std::string plugins() const;
  [[nodiscard]] std::string tools() const;
  [[nodiscard]] std::string agents() const;
  // GET /metrics
  [[nodiscard]] std::string metrics() const;
  // Not ok: the store is closed, or a commit has been on its way for commit_stall_ms.
  [[nodiscard]] api::Health health() const;

 private:
  void store_members(std::string& out) const;
  void class_members(std::string& out) const;
  void work_members(std::string& out) const;
  void memory_members(std::string& out) const;

  StatusParts parts_;
  const BootTime started_;
};

inline constexpr int64_t commit_stall_ms = 10000;

}  // namespace limpet::daemon
