#pragma once

// ServiceManager: tells systemd (or whoever set NOTIFY_SOCKET) how the daemon is doing, by the
// notify protocol: one datagram of NAME=value lines. Spoken by hand: libsystemd would be a
// dependency for forty lines.
// Owner: the daemon. Thread: [main]. Never blocks. Without a manager every call is ok and does
// nothing. Fails with: busy (the manager does not read; only a later message makes up for it), io.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace limpet::platform {

// What the environment says. Values, so that a test needs no environment.
struct ServiceEnvironment {
  std::string notify_socket;  // NOTIFY_SOCKET: "/run/..." or "@abstract"; empty: no manager
  std::string watchdog_usec;  // WATCHDOG_USEC
  std::string watchdog_pid;   // WATCHDOG_PID
};
// Reads it and removes it, so that children do not speak in our name. [main] at start-up, before
// there are threads.
[[nodiscard]] ServiceEnvironment take_service_environment();

class ServiceManager {
 public:
  explicit ServiceManager(const ServiceEnvironment& environment);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  [[nodiscard]] bool present() const { return socket_ >= 0; }

  // How often to call watchdog(): half of what the manager waits. nullopt: it does not watch us.
  [[nodiscard]] std::optional<Duration> watchdog_interval() const { return watchdog_interval_; }

  [[nodiscard]] Result<void> ready();      // serving
  [[nodiscard]] Result<void> reloading();  // taking a new config; ready() ends it
  [[nodiscard]] Result<void> stopping();
  [[nodiscard]] Result<void> watchdog();  // still making progress
  // One line for `systemctl status`; cut at its first line break. [main]
  [[nodiscard]] Result<void> status(std::string_view text);

 private:
  Result<void> send(std::string_view message);

  int socket_ = -1;
  std::optional<Duration> watchdog_interval_;
};

}  // namespace limpet::platform
