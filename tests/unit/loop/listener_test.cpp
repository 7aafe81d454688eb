#include "loop/listener.hpp"

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
