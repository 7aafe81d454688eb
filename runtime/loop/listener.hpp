#pragma once

// Listener: accepts connections on a Unix socket.
// Owner: the server. Thread: [main]. Fails at creation with: too_large (the path does not fit into
// a socket address), exists (somebody listens there, or it is not a socket), io.
// Limits: the kernel's backlog of `backlog_max`; how many connections live is the server's limit.
// When the process has no descriptors left it pauses for 100 ms and counts.

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "loop/descriptor.hpp"
#include "loop/fd_watch.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"
#include "loop/timer.hpp"

namespace limpet::loop {

struct UnixListenOptions {
  std::string path;    // its folder exists
  mode_t mode = 0660;  // who may connect: exact, whatever the umask
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
  // Stops listening and removes the socket file if it is still ours.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] ListenerStats stats() const { return stats_; }

 private:
  Listener(Loop& loop, UnixListenOptions options, UniqueFunction<void(Descriptor)> on_accept);
  [[nodiscard]] Result<void> open(Loop& loop);
  void accept_some();

  const UnixListenOptions options_;
  UniqueFunction<void(Descriptor)> on_accept_;
  Descriptor fd_;
  struct stat file_ = {};  // the socket file as we made it
  std::unique_ptr<FdWatch> watch_;
  Timer resume_;
  ListenerStats stats_;
};

}  // namespace limpet::loop
