#pragma once

// Listener: accepts connections on a Unix socket, or on an address and port of TCP.
// Owner: the server. Thread: [main]. Fails at creation with: too_large (the path does not fit into
// a socket address), invalid (not an address), exists (somebody listens there, or the path is not a
// socket), io.
// Limits: the kernel's backlog of `backlog_max`; how many connections live is the server's limit.
// When the process has no descriptors left it pauses for 100 ms and counts.

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "loop/descriptor.hpp"
#include "loop/fd_watch.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"
#include "loop/timer.hpp"

namespace limpet::loop {

// Of a TCP connection whose peer answers nothing any more: probes, then the end.
inline constexpr Duration tcp_silence_max = seconds(60);

struct UnixListenOptions {
  std::string path;    // its folder exists
  mode_t mode = 0660;  // who may connect: exact, whatever the umask
  int backlog_max = 64;
};

struct TcpListenOptions {
  std::string address;  // "127.0.0.1:7420" or "[::1]:7420", literals only; port 0: one that is free
  int backlog_max = 64;
};

struct ListenerStats {
  uint64_t accepted = 0;
  uint64_t pauses = 0;  // no descriptors left
};

class Listener {
 public:
  // Hands each new connection to `on_accept`. A socket file that nobody listens on (a crash left
  // it) is replaced; any other file is left alone. [main]
  [[nodiscard]] static Result<std::unique_ptr<Listener>> listen_unix(
      Loop& loop, UnixListenOptions options, UniqueFunction<void(Descriptor)> on_accept);
  // The same for TCP. Connections send small answers at once, and a peer that vanished without a
  // word is noticed within tcp_silence_max. [main]
  [[nodiscard]] static Result<std::unique_ptr<Listener>> listen_tcp(
      Loop& loop, const TcpListenOptions& options, UniqueFunction<void(Descriptor)> on_accept);
  // Stops listening and removes the socket file if it is still ours.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] ListenerStats stats() const { return stats_; }
  // Of TCP: where it listens, for who asked for port 0. Errors: unsupported (a Unix socket), io.
  [[nodiscard]] Result<uint16_t> port() const;

 private:
  enum class Family : uint8_t { local, tcp };

  Listener(Loop& loop, Family family, UniqueFunction<void(Descriptor)> on_accept);
  [[nodiscard]] Result<void> open_unix(const UnixListenOptions& options);
  [[nodiscard]] Result<void> open_tcp(const TcpListenOptions& options);
  [[nodiscard]] Result<void> listen_at(Loop& loop, int backlog_max);
  void accept_some();

  const Family family_;
  UniqueFunction<void(Descriptor)> on_accept_;
  std::string path_;  // of the socket file; empty: TCP
  Descriptor fd_;
  struct stat file_ = {};  // the socket file as we made it
  std::unique_ptr<FdWatch> watch_;
  Timer resume_;
  ListenerStats stats_;
};

}  // namespace limpet::loop
