#include "platform/service_manager.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

using namespace limpet;
using namespace limpet::platform;

namespace {

// The manager's end: a datagram socket by a name in a fresh directory, or an abstract one.
class FakeManager {
 public:
  explicit FakeManager(bool abstract) {
    char pattern[] = "/tmp/limpet-notify-XXXXXX";
    REQUIRE(mkdtemp(pattern) != nullptr);
    directory_ = pattern;
    path_ = (abstract ? "@" : "") + directory_ + "/notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (abstract) address.sun_path[0] = '\0';
    const auto size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size() + (abstract ? 0 : 1));
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }
  ~FakeManager() {
    close(socket_);
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // The next message; "" when there is none.
  std::string next() {
    char buffer[512];
    const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
    return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

 private:
  std::string directory_;
  std::string path_;
  int socket_ = -1;
};

}  // namespace

TEST_CASE("service_manager: each verb is one datagram in the manager's words") {
  for (const bool abstract : {false, true}) {
    FakeManager manager(abstract);
    ServiceManager service({manager.path(), "", ""});
    REQUIRE(service.present());
    CHECK(service.ready().ok());
    CHECK(manager.next() == "READY=1");
    CHECK(service.watchdog().ok());
    CHECK(manager.next() == "WATCHDOG=1");
    CHECK(service.status("7 plugins\nREADY=0").ok());
    CHECK(manager.next() == "STATUS=7 plugins");
    CHECK(service.reloading().ok());
    CHECK(manager.next().find("RELOADING=1\nMONOTONIC_USEC=") == 0);
    CHECK(service.stopping().ok());
    CHECK(manager.next() == "STOPPING=1");
    CHECK(manager.next().empty());
  }
}

TEST_CASE("service_manager: without a manager every verb is ok and says nothing") {
  for (const char* path : {"", "@", "relative/path", "/nonexistent/limpet/notify"}) {
    ServiceManager service({path, "1000000", ""});
    CHECK_FALSE(service.present());
    CHECK_FALSE(service.watchdog_interval().has_value());
    CHECK(service.ready().ok());
  }
  ServiceManager service({std::string(200, '/'), "", ""});
  CHECK_FALSE(service.present());
}

TEST_CASE("service_manager: the watchdog is called twice as often as the manager waits") {
  FakeManager manager(false);
  const auto interval = [&](const char* usec, const std::string& pid) {
    return ServiceManager({manager.path(), usec, pid}).watchdog_interval();
  };
  CHECK(interval("3000000", "") == milliseconds(1500));
  CHECK(interval("3000000", std::to_string(getpid())) == milliseconds(1500));
  CHECK_FALSE(interval("3000000", "1").has_value());  // meant for another process
  for (const char* text : {"", "0", "-5", "3s", "9223372036854775807"}) {
    CHECK_FALSE(interval(text, "").has_value());
  }
}

TEST_CASE("service_manager: a manager that does not read is busy, never waited for") {
  FakeManager manager(false);
  ServiceManager service({manager.path(), "", ""});
  Result<void> sent;
  // The kernel queues a few hundred datagrams at most.
  for (int count = 0; count < 100000 && sent.ok(); ++count) sent = service.watchdog();
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().code == ErrorCode::busy);
}

TEST_CASE("service_manager: the environment is read once and hidden from children") {
  setenv("NOTIFY_SOCKET", "/run/notify", 1);
  setenv("WATCHDOG_USEC", "1000", 1);
  const ServiceEnvironment environment = take_service_environment();
  CHECK(environment.notify_socket == "/run/notify");
  CHECK(environment.watchdog_usec == "1000");
  CHECK(environment.watchdog_pid.empty());
  CHECK(getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(take_service_environment().notify_socket.empty());
}
