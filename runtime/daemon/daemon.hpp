#pragma once

// The daemon: one process, from its config to a drained stop. The only place where the concrete
// types of the house meet. Thread: the caller's becomes [main] until it returns.

#include <string>

namespace limpet::daemon {

struct Options {
  std::string config_file;  // empty: none; then data_directory is needed
  std::string
      data_directory;  // instead of the config's store.path; without a config the socket's too
  std::string socket;  // overrides the config's api.socket
};

// Runs until SIGTERM or SIGINT. Returns the exit code: 0 stopped in order; 1 could not start, or
// had to stop: the reason is a line on standard error. [main, blocking]
[[nodiscard]] int run(const Options& options);

// Says what `run` would do with these options, or everything that is wrong with them: reads the
// config, loads the plugins and has them check theirs; begins nothing. The text is for people,
// the result is 0 when `run` would start. [main, blocking]
struct CheckReport {
  int exit_code = 0;
  std::string text;
};
[[nodiscard]] CheckReport check(const Options& options);

}  // namespace limpet::daemon
