#pragma once

// Server: a program started for a measurement and stopped by its process id; it dies with us.
// Owner: a peer. Thread: [main].

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/bench/process_usage.hpp"

namespace limpet::bench {

struct ServerOptions {
  std::string program;  // looked for in PATH and where distributions keep servers
  std::vector<std::string> arguments;
  std::vector<std::string> variables;  // "NAME=value", beside ours
  std::string output_file;
};

class Server {
 public:
  explicit Server(const ServerOptions& options);
  ~Server();  // SIGTERM, then SIGKILL
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] bool running();
  // Waits until somebody listens there; false: it ended, or `limit_ms` passed.
  [[nodiscard]] bool wait_serving(uint16_t port, int limit_ms);
  // Of the program and what it started.
  [[nodiscard]] ProcessUsage usage() const;

 private:
  pid_t process_;
};

// The path of an installed program, or "".
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace limpet::bench
