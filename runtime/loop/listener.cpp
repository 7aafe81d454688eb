#include "loop/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

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

template <class Address>
const sockaddr* generic(const Address& address) {
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

// An IPv4 or IPv6 socket address and how much of it is used.
struct TcpAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

std::optional<uint16_t> port_of(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// "127.0.0.1:7420" or "[::1]:7420".
Result<TcpAddress> tcp_address(std::string_view text) {
  const Error wrong{ErrorCode::invalid, "listen: not an address and port"};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  const std::optional<uint16_t> port = port_of(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  if (!port) return wrong;
  TcpAddress address;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    sockaddr_in6 six = {};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(*port);
    if (inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) != 1) return wrong;
    std::memcpy(&address.storage, &six, sizeof six);
    address.size = sizeof six;
    return address;
  }
  sockaddr_in four = {};
  four.sin_family = AF_INET;
  four.sin_port = htons(*port);
  if (inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) return wrong;
  std::memcpy(&address.storage, &four, sizeof four);
  address.size = sizeof four;
  return address;
}

void set_option(int fd, int level, int name, int value) {
  // A kernel that does not know one of these serves without it.
  static_cast<void>(setsockopt(fd, level, name, &value, sizeof value));
}

void tune_tcp(int fd) {
  constexpr int silence_seconds = static_cast<int>(to_ms(tcp_silence_max) / 1000);
  constexpr int probes = 3;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, silence_seconds / 2);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, silence_seconds / 2 / probes);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(to_ms(tcp_silence_max)));
}

}  // namespace

Listener::Listener(Loop& loop, Family family, UniqueFunction<void(Descriptor)> on_accept)
    : family_(family),
      on_accept_(std::move(on_accept)),
      resume_(loop, [this] { watch_->want_readable(true); }) {}

Listener::~Listener() {
  struct stat file = {};
  if (file_.st_ino != 0 && lstat(path_.c_str(), &file) == 0 && file.st_ino == file_.st_ino &&
      file.st_dev == file_.st_dev) {
    unlink(path_.c_str());
  }
}

Result<std::unique_ptr<Listener>> Listener::listen_unix(
    Loop& loop, UnixListenOptions options, UniqueFunction<void(Descriptor)> on_accept) {
  std::unique_ptr<Listener> listener(new Listener(loop, Family::local, std::move(on_accept)));
  LIMPET_CHECK(listener->open_unix(options));
  LIMPET_CHECK(listener->listen_at(loop, options.backlog_max));
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::listen_tcp(Loop& loop, const TcpListenOptions& options,
                                                       UniqueFunction<void(Descriptor)> on_accept) {
  std::unique_ptr<Listener> listener(new Listener(loop, Family::tcp, std::move(on_accept)));
  LIMPET_CHECK(listener->open_tcp(options));
  LIMPET_CHECK(listener->listen_at(loop, options.backlog_max));
  return listener;
}

Result<void> Listener::open_unix(const UnixListenOptions& options) {
  LIMPET_TRY(const sockaddr_un address, socket_address(options.path));
  path_ = options.path;
  fd_ = Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) return Error{ErrorCode::io, "listen: create a socket", errno};
  // Before bind(), so that the file never exists with wider permissions; chmod undoes the umask.
  if (fchmod(fd_.get(), options.mode) != 0) return Error{ErrorCode::io, "listen: mode", errno};
  if (bind(fd_.get(), generic(address), sizeof address) != 0) {
    if (errno != EADDRINUSE) return Error{ErrorCode::io, "listen: bind", errno};
    LIMPET_CHECK(remove_stale(address));
    if (bind(fd_.get(), generic(address), sizeof address) != 0) {
      return Error{ErrorCode::io, "listen: bind", errno};
    }
  }
  if (lstat(path_.c_str(), &file_) != 0 || chmod(path_.c_str(), options.mode) != 0) {
    return Error{ErrorCode::io, "listen: permissions", errno};
  }
  return {};
}

Result<void> Listener::open_tcp(const TcpListenOptions& options) {
  LIMPET_TRY(const TcpAddress address, tcp_address(options.address));
  const int family = address.storage.ss_family;
  fd_ = Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) return Error{ErrorCode::io, "listen: create a socket", errno};
  // After a restart the connections of before linger in the kernel; they are no other server.
  set_option(fd_.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (family == AF_INET6) set_option(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(fd_.get(), generic(address.storage), address.size) == 0) return {};
  if (errno != EADDRINUSE) return Error{ErrorCode::io, "listen: bind", errno};
  return Error{ErrorCode::exists, "listen: another process listens on this port already"};
}

Result<void> Listener::listen_at(Loop& loop, int backlog_max) {
  if (listen(fd_.get(), backlog_max) != 0) {
    return Error{ErrorCode::io, "listen: listen", errno};
  }
  LIMPET_TRY(watch_, FdWatch::create(loop, fd_.get(), {[this] { accept_some(); }, nullptr}));
  watch_->want_readable(true);
  return {};
}

Result<uint16_t> Listener::port() const {
  if (family_ != Family::tcp) return Error{ErrorCode::unsupported, "listen: port"};
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Error{ErrorCode::io, "listen: port", errno};
  }
  // The port is at the same place in both kinds of address.
  sockaddr_in four = {};
  std::memcpy(&four, &address, sizeof four);
  return ntohs(four.sin_port);
}

void Listener::accept_some() {
  for (int count = 0; count < accepts_per_round; ++count) {
    Descriptor connection(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.valid()) {
      ++stats_.accepted;
      if (family_ == Family::tcp) tune_tcp(connection.get());
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
