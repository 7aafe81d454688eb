#include "daemon/daemon.hpp"

#include <cstdio>
#include <cstdlib>

#include "daemon/process.hpp"
#include "daemon/setup.hpp"
#include "platform/memory.hpp"

namespace limpet::daemon {

namespace {

// One heap for all threads: on small boards each further one costs address space and fragments.
constexpr int heaps_max = 2;

LogLevel wanted_level() {
  const char* level = std::getenv("LIMPET_LOG");
  return level != nullptr && std::string_view(level) == "debug" ? LogLevel::debug : LogLevel::info;
}

}  // namespace

int run(const Options& options) {
  platform::limit_heaps(heaps_max);
  const platform::SystemClock wall;
  platform::SystemClock clock;
  StandardErrorLogger logger(wall, wanted_level(), std::getenv("JOURNAL_STREAM") != nullptr);

  // What the owner of the device wants, complete and checked.
  Setup setup = load_setup(options);
  if (!setup.problems.empty()) {
    for (const std::string& problem : setup.problems) {
      logger.line(LogLevel::error, "config", problem);
    }
    return 1;
  }

  // The parts, wired; then they serve until they are told to stop.
  Process process(std::move(setup.settings), clock, logger);
  if (const auto problem = process.start()) {
    logger.line(LogLevel::error, "daemon", *problem);
    return 1;
  }
  return process.serve();
}

}  // namespace limpet::daemon
