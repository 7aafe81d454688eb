// The program `limpet`: everything it can do is a verb.

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/command_line.hpp"
#include "daemon/daemon.hpp"
#include "daemon/doctor.hpp"

namespace {

limpet::daemon::Options daemon_options(const limpet::cli::Globals& globals) {
  return {globals.config, globals.data, globals.socket};
}

limpet::cli::Examination examine(const limpet::cli::Globals& globals, bool verify) {
  using namespace limpet;
  const daemon::Thorough thorough = verify ? daemon::Thorough::yes : daemon::Thorough::no;
  daemon::Examination found = daemon::examine(daemon_options(globals), thorough);
  cli::Examination examination;
  examination.store_in_use = found.store_in_use;
  for (daemon::Finding& one : found.findings) {
    examination.findings.push_back({std::move(one.part), static_cast<cli::FindingLevel>(one.level),
                                    std::move(one.text), std::move(one.advice)});
  }
  return examination;
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
      },
      examine};
  return cli::run_command_line({arguments + 1, arguments + argument_count}, surroundings);
}
