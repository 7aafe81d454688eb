#include "loop/listener.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace limpet::loop {

namespace {

constexpr int accepts_per_round = 16;
constexpr Duration pause = milliseconds(100);

Result<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address = {};
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::too_large, "listen: a socket path has 1 to 107 bytes"};
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Removes what lies at `address` if it is a socket that nobody listens on.
Result<void> remove_stale(const sockaddr_un& address) {
  struct stat file = {};
  if (lstat(address.sun_path, &file) != 0) return Error{ErrorCode::io, "listen: look", errno};
  if (!S_ISSOCK(file.st_mode)) {
    return Error{ErrorCode::exists, "listen: the path exists and is not a socket"};
  }
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return Error{ErrorCode::io, "listen: create a socket", errno};
  // A full backlog (EAGAIN) is somebody too; only a refusal proves that nobody listens.
  if (connect(probe.get(), generic(address), sizeof address) == 0 || errno != ECONNREFUSED) {
    return Error{ErrorCode::exists, "listen: another process listens on this socket already"};
  }
  if (unlink(address.sun_path) != 0) return Error{ErrorCode::io, "listen: remove", errno};
  return {};
}

}  // namespace

Listener::Listener(Loop& loop, UnixListenOptions options,
                   UniqueFunction<void(Descriptor)> on_accept)
    : options_(std::move(options)),
      on_accept_(std::move(on_accept)),
      resume_(loop, [this] { watch_->want_readable(true); }) {}

Listener::~Listener() {
  struct stat file = {};
  if (file_.st_ino != 0 && lstat(options_.path.c_str(), &file) == 0 &&
      file.st_ino == file_.st_ino && file.st_dev == file_.st_dev) {
    unlink(options_.path.c_str());
  }
}

Result<std::unique_ptr<Listener>> Listener::listen_unix(
    Loop& loop, UnixListenOptions options, UniqueFunction<void(Descriptor)> on_accept) {
  std::unique_ptr<Listener> listener(new Listener(loop, std::move(options), std::move(on_accept)));
  LIMPET_CHECK(listener->open(loop));
  return listener;
}

Result<void> Listener::open(Loop& loop) {
  LIMPET_TRY(const sockaddr_un address, socket_address(options_.path));
  fd_ = Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) return Error{ErrorCode::io, "listen: create a socket", errno};
  // Before bind(), so that the file never exists with wider permissions; chmod undoes the umask.
  if (fchmod(fd_.get(), options_.mode) != 0) return Error{ErrorCode::io, "listen: mode", errno};
  if (bind(fd_.get(), generic(address), sizeof address) != 0) {
    if (errno != EADDRINUSE) return Error{ErrorCode::io, "listen: bind", errno};
    LIMPET_CHECK(remove_stale(address));
    if (bind(fd_.get(), generic(address), sizeof address) != 0) {
      return Error{ErrorCode::io, "listen: bind", errno};
    }
  }
  if (lstat(options_.path.c_str(), &file_) != 0 ||
      chmod(options_.path.c_str(), options_.mode) != 0) {
    return Error{ErrorCode::io, "listen: permissions", errno};
  }
  if (listen(fd_.get(), options_.backlog_max) != 0) {
    return Error{ErrorCode::io, "listen: listen", errno};
  }
  LIMPET_TRY(watch_, FdWatch::create(loop, fd_.get(), {[this] { accept_some(); }, nullptr}));
  watch_->want_readable(true);
  return {};
}

void Listener::accept_some() {
  for (int count = 0; count < accepts_per_round; ++count) {
    Descriptor connection(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.valid()) {
      ++stats_.accepted;
      on_accept_(std::move(connection));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      ++stats_.pauses;
      watch_->want_readable(false);
      resume_.arm_after(pause);
    }
    return;
  }
}

}  // namespace limpet::loop
