#include "tests/bench/peers/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tests/bench/measure.hpp"

namespace limpet::bench {

namespace {

constexpr int silence_seconds_max = 120;
constexpr size_t read_bytes_max = 256 * 1024;

sockaddr_in address_of(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// -1: nobody listens.
int try_connect(uint16_t port) {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) fail("no socket");
  const sockaddr_in address = address_of(port);
  if (connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return file;
  close(file);
  return -1;
}

}  // namespace

bool Connection::reachable(uint16_t port) {
  const int file = try_connect(port);
  if (file >= 0) close(file);
  return file >= 0;
}

Connection::Connection(uint16_t port) : socket_(try_connect(port)) {
  if (socket_ < 0) fail("cannot connect to port " + std::to_string(port));
  const int yes = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const timeval silence_max{silence_seconds_max, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &silence_max, sizeof silence_max);
}

Connection::~Connection() { close(socket_); }

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      ended_ = true;
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

bool Connection::receive() {
  if (ended_) return false;
  if (begin_ > 0) buffer_.erase(0, std::exchange(begin_, 0));
  const size_t before = buffer_.size();
  buffer_.resize(before + read_bytes_max);
  ssize_t count = 0;
  do {
    count = recv(socket_, buffer_.data() + before, read_bytes_max, 0);
  } while (count < 0 && errno == EINTR);
  buffer_.resize(before + static_cast<size_t>(count > 0 ? count : 0));
  ended_ = count <= 0;
  return !ended_;
}

std::string_view Connection::read_line() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n", begin_)) == std::string::npos) {
    if (!receive()) return {};
  }
  const std::string_view line(buffer_.data() + begin_, end - begin_);
  begin_ = end + 2;
  return line;
}

std::string_view Connection::read_bytes(size_t count) {
  while (buffer_.size() - begin_ < count) {
    if (!receive()) return {};
  }
  const std::string_view bytes(buffer_.data() + begin_, count);
  begin_ += count;
  return bytes;
}

void Connection::unblock() { shutdown(socket_, SHUT_RDWR); }

uint16_t free_port() {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = address_of(0);
  socklen_t size = sizeof address;
  if (file < 0 || bind(file, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(file, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("no free port");
  }
  close(file);
  return ntohs(address.sin_port);
}

}  // namespace limpet::bench
