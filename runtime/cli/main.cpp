// The program `limpet`: everything it can do is a verb.

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/command_line.hpp"
#include "daemon/daemon.hpp"

namespace {

limpet::daemon::Options daemon_options(const limpet::cli::Globals& globals) {
  return {globals.config, globals.data, globals.socket};
}

}  // namespace

int main(int argument_count, char** arguments) {
  using namespace limpet;
  // Whoever reads our output may leave; the verb sees a failed write.
  std::signal(SIGPIPE, SIG_IGN);
  const cli::Surroundings surroundings = {
      std::cin,
      std::cout,
      std::cerr,
      [](const char* name) {
        const char* const value = std::getenv(name);
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      [](const cli::Globals& globals) { return daemon::run(daemon_options(globals)); },
      [](const cli::Globals& globals) {
        const daemon::CheckReport report = daemon::check(daemon_options(globals));
        return cli::CheckReport{report.exit_code, report.text};
      }};
  return cli::run_command_line({arguments + 1, arguments + argument_count}, surroundings);
}
