#include "tests/bench/peers/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers/connection.hpp"

namespace limpet::bench {

namespace {

constexpr int stop_wait_ms = 10000;
constexpr int poll_ms = 10;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// A session of its own, by which its helpers are found.
[[noreturn]] void become(const ServerOptions& options, char** arguments, char** variables) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(options.output_file.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, STDIN_FILENO);
  execve(options.program.c_str(), arguments, variables);
  _exit(127);
}

std::vector<pid_t> session_of(pid_t leader) {
  std::vector<pid_t> members;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto process = static_cast<pid_t>(atoi(entry.path().filename().c_str()));
    if (process > 0 && getsid(process) == leader) members.push_back(process);
  }
  return members;
}

}  // namespace

std::string find_program(const std::string& name) {
  for (const char* folder :
       {"/usr/lib/rabbitmq/bin/", "/usr/local/bin/", "/usr/bin/", "/usr/sbin/"}) {
    if (access((folder + name).c_str(), X_OK) == 0) return folder + name;
  }
  return {};
}

Server::Server(const ServerOptions& options) {
  std::vector<std::string> arguments{options.program};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> variables = options.variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    if (!variable.starts_with("HOME=") && !variable.starts_with("RABBITMQ_")) {
      variables.push_back(variable);
    }
  }
  std::vector<char*> argument_pointers = pointers(arguments);
  std::vector<char*> variable_pointers = pointers(variables);
  process_ = fork();
  if (process_ < 0) fail("cannot start " + options.program);
  if (process_ == 0) become(options, argument_pointers.data(), variable_pointers.data());
}

Server::~Server() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  for (int waited_ms = 0; waited_ms < stop_wait_ms; waited_ms += poll_ms) {
    if (!running()) return;
    poll(nullptr, 0, poll_ms);
  }
  for (const pid_t member : session_of(process_)) kill(member, SIGKILL);
  waitpid(process_, nullptr, 0);
}

bool Server::running() {
  if (process_ > 0 && waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
  return process_ > 0;
}

bool Server::wait_serving(uint16_t port, int limit_ms) {
  for (int waited_ms = 0; waited_ms < limit_ms && running(); waited_ms += poll_ms) {
    if (Connection::reachable(port)) return true;
    poll(nullptr, 0, poll_ms);
  }
  return false;
}

ProcessUsage Server::usage() const {
  ProcessUsage sum;
  for (const pid_t member : session_of(process_)) {
    const ProcessUsage one = process_usage(member);
    sum.cpu_ns += one.cpu_ns;
    sum.dirtied_bytes += one.dirtied_bytes;
    sum.memory_peak_bytes += one.memory_peak_bytes;
  }
  return sum;
}

}  // namespace limpet::bench
