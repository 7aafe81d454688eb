#include "platform/service_manager.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace limpet::platform {

namespace {

std::optional<int64_t> parse_number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  unsetenv(name);
  return text;
}

// A socket connected to the manager, or -1: nobody is there, which is no failure of ours.
int connect_to(const std::string& path) {
  sockaddr_un address{};
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return -1;
  if (path[0] != '/' && path[0] != '@') return -1;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  // An abstract name has no NUL at its end and would differ with one.
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '/'));
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

std::optional<Duration> interval_of(const ServiceEnvironment& environment) {
  const std::optional<int64_t> usec = parse_number(environment.watchdog_usec);
  if (!usec || *usec <= 0 || *usec > INT64_MAX / 1000) return std::nullopt;
  if (!environment.watchdog_pid.empty() && parse_number(environment.watchdog_pid) != getpid()) {
    return std::nullopt;
  }
  return nanoseconds(*usec * 1000 / 2);
}

}  // namespace

ServiceEnvironment take_service_environment() {
  return {take_variable("NOTIFY_SOCKET"), take_variable("WATCHDOG_USEC"),
          take_variable("WATCHDOG_PID")};
}

ServiceManager::ServiceManager(const ServiceEnvironment& environment)
    : socket_(connect_to(environment.notify_socket)) {
  if (present()) watchdog_interval_ = interval_of(environment);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

Result<void> ServiceManager::ready() { return send("READY=1"); }
Result<void> ServiceManager::stopping() { return send("STOPPING=1"); }
Result<void> ServiceManager::watchdog() { return send("WATCHDOG=1"); }

Result<void> ServiceManager::reloading() {
  // The time tells the manager which reload a later READY belongs to.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t usec = int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
}

Result<void> ServiceManager::status(std::string_view text) {
  return send(std::string("STATUS=").append(text.substr(0, text.find('\n'))));
}

Result<void> ServiceManager::send(std::string_view message) {
  if (!present()) return {};
  const ssize_t sent = ::send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
  if (sent >= 0) return {};
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    return Error{ErrorCode::busy, "service manager: send", errno};
  }
  return Error{ErrorCode::io, "service manager: send", errno};
}

}  // namespace limpet::platform
