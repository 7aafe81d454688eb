#pragma once

// A program started by a test, and killed by it. It dies with the test. Owner: the test. Thread:
// one.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace limpet::testing {

struct ChildOptions {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> variables;  // "NAME=value", beside those of this process
  std::string output_file;  // standard output and error are added to it; empty: as this process
};

class ChildProgram {
 public:
  explicit ChildProgram(const ChildOptions& options);
  ChildProgram(ChildProgram&& other) noexcept;
  ChildProgram& operator=(ChildProgram&& other) noexcept;
  ~ChildProgram();  // SIGKILL, if it still runs

  [[nodiscard]] pid_t pid() const { return pid_; }
  void send_signal(int number) const;

  // The exit code, or 128 and the number of the signal; nullopt: it still runs after `limit`.
  [[nodiscard]] std::optional<int> wait_exit(Duration limit);
  [[nodiscard]] bool running() { return !wait_exit({}); }
  // SIGKILL, and waits until it is gone: its locks are free then.
  void kill_now();

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

// Runs a program to its end; what it wrote is in `output`.
struct ProgramResult {
  int exit_code = -1;
  std::string output;
};
[[nodiscard]] ProgramResult run_program(ChildOptions options, Duration limit);

[[nodiscard]] std::string read_whole_file(const std::string& path);

// The folder in which this program lies; `limpet` lies beside it.
[[nodiscard]] std::string program_folder();

}  // namespace limpet::testing
