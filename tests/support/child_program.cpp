#include "tests/support/child_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace limpet::testing {

namespace {

constexpr int poll_ms = 2;

// Between fork and exec: only what is safe there.
[[noreturn]] void become(const ChildOptions& options, char** arguments, char** variables) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!options.output_file.empty()) {
    const int out = open(options.output_file.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
  }
  execve(options.program.c_str(), arguments, variables);
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::string name_of(const std::string& variable) { return variable.substr(0, variable.find('=')); }

std::vector<std::string> all_variables(const ChildOptions& options) {
  std::vector<std::string> all = options.variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const std::string& one : options.variables) replaced |= name_of(one) == name_of(*entry);
    if (!replaced) all.emplace_back(*entry);
  }
  return all;
}

}  // namespace

ChildProgram::ChildProgram(const ChildOptions& options) {
  std::vector<std::string> arguments{options.program};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> variables = all_variables(options);
  std::vector<char*> argument_pointers = pointers(arguments);
  std::vector<char*> variable_pointers = pointers(variables);
  pid_ = fork();
  if (pid_ < 0) abort();
  if (pid_ == 0) become(options, argument_pointers.data(), variable_pointers.data());
}

ChildProgram::ChildProgram(ChildProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), exit_(other.exit_) {}

ChildProgram& ChildProgram::operator=(ChildProgram&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_, other.exit_);
  return *this;
}

ChildProgram::~ChildProgram() { kill_now(); }

void ChildProgram::send_signal(int number) const {
  if (pid_ > 0 && !exit_) kill(pid_, number);
}

std::optional<int> ChildProgram::wait_exit(Duration limit) {
  if (pid_ <= 0 || exit_) return exit_;
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit.ns);
  while (true) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return exit_;
    }
    if (std::chrono::steady_clock::now() >= end) return std::nullopt;
    poll(nullptr, 0, poll_ms);
  }
}

void ChildProgram::kill_now() {
  if (pid_ <= 0 || exit_) return;
  kill(pid_, SIGKILL);
  int status = 0;
  if (waitpid(pid_, &status, 0) == pid_) {
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

ProgramResult run_program(ChildOptions options, Duration limit) {
  std::string pattern = (std::filesystem::temp_directory_path() / "limpet-out-XXXXXX").string();
  const int file = mkstemp(pattern.data());
  if (file < 0) abort();
  close(file);
  options.output_file = pattern;
  ChildProgram program(options);
  ProgramResult result;
  result.exit_code = program.wait_exit(limit).value_or(-1);
  program.kill_now();
  result.output = read_whole_file(pattern);
  unlink(pattern.c_str());
  return result;
}

std::string read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

}  // namespace limpet::testing
