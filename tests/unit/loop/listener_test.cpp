#include "loop/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

void ignore(loop::Descriptor) {}

loop::Descriptor connect_to(const std::string& path) {
  loop::Descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (connect(client.get(), generic, sizeof address) != 0) client.close();
  return client;
}

}  // namespace

TEST_CASE(
    "listener: accepts on a socket with exactly the mode asked for, and removes it at the end") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto loop = make_loop();
  const mode_t before = umask(0777);
  int accepted = 0;
  {
    const auto listener = loop::Listener::listen_unix(
        *loop, {path, 0660, 8}, [&](loop::Descriptor fd) { accepted += fd.valid() ? 1 : 0; });
    umask(before);
    REQUIRE(listener);
    struct stat file = {};
    REQUIRE(stat(path.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0660);
    const loop::Descriptor first = connect_to(path);
    const loop::Descriptor second = connect_to(path);
    CHECK(loop->run_until([&] { return accepted == 2; }, patience));
    CHECK((*listener)->stats().accepted == 2);
  }
  CHECK_FALSE(connect_to(path).valid());
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("listener: a socket that a crash left behind is replaced, one in use is not") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto loop = make_loop();
  {
    // A process that died: bound and listening, then gone without unlink.
    const loop::Descriptor dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(bind(dead.get(), generic, sizeof address) == 0);
    REQUIRE(listen(dead.get(), 1) == 0);
  }
  const auto listener = loop::Listener::listen_unix(*loop, {path}, ignore);
  REQUIRE(listener);
  const auto second = loop::Listener::listen_unix(*loop, {path}, ignore);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::exists);
  CHECK(connect_to(path).valid());
}

TEST_CASE("listener: a file that is no socket is left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("precious");
  std::ofstream(path) << "data";
  const auto loop = make_loop();
  const auto listener = loop::Listener::listen_unix(*loop, {path}, ignore);
  REQUIRE_FALSE(listener);
  CHECK(listener.error().code == ErrorCode::exists);
  std::string content;
  std::ifstream(path) >> content;
  CHECK(content == "data");
}

TEST_CASE("listener: a path that does not fit and a folder that does not exist are errors") {
  const auto loop = make_loop();
  const auto is_error = [&](const std::string& path, ErrorCode code) {
    const auto listener = loop::Listener::listen_unix(*loop, {path}, ignore);
    REQUIRE_FALSE(listener);
    CHECK(listener.error().code == code);
  };
  is_error(std::string(108, 'x'), ErrorCode::too_large);
  is_error("", ErrorCode::too_large);
  is_error("/nonexistent/folder/s", ErrorCode::io);
}

TEST_CASE("listener: TCP takes an IPv4 or IPv6 literal and says which port it got") {
  const auto loop = make_loop();
  int accepted = 0;
  const auto listener =
      loop::Listener::listen_tcp(*loop, {"127.0.0.1:0"}, [&](loop::Descriptor connection) {
        int value = 0;
        socklen_t size = sizeof value;
        CHECK(getsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
        CHECK(value != 0);
        CHECK(getsockopt(connection.get(), SOL_SOCKET, SO_KEEPALIVE, &value, &size) == 0);
        CHECK(value != 0);
        ++accepted;
      });
  REQUIRE(listener);
  const Result<uint16_t> port = (*listener)->port();
  REQUIRE(port);
  CHECK(*port != 0);

  const loop::Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(*port);
  REQUIRE(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr) == 1);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  REQUIRE(connect(client.get(), generic, sizeof address) == 0);
  CHECK(loop->run_until([&] { return accepted == 1; }, patience));

  const auto second =
      loop::Listener::listen_tcp(*loop, {"127.0.0.1:" + std::to_string(*port)}, ignore);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::exists);
}

TEST_CASE("listener: what is not an address and a port is refused before anything is opened") {
  const auto loop = make_loop();
  for (const char* const address :
       {"", "7420", "localhost:7420", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:7420",
        "[::1]", "[127.0.0.1]:1", "127.0.0.1:1x"}) {
    const auto listener = loop::Listener::listen_tcp(*loop, {address}, ignore);
    REQUIRE_FALSE(listener);
    CHECK_MESSAGE(listener.error().code == ErrorCode::invalid, address);
  }
}
