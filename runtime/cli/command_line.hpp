#pragma once

// The command line: arguments in, one verb run, an exit code out. The only part that knows the
// library that parses arguments.
// Owner: main. Thread: [main], blocking. Fails by the exit code, after a sentence on err.
//
// Environment: LIMPET_CONFIG, LIMPET_DATA, LIMPET_SOCKET stand for --config, --data, --socket; an
// option that is given counts more than any variable.

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/verbs.hpp"

namespace limpet::cli {

struct Surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::function<std::optional<std::string>(const char* name)> variable;  // of the environment
  std::function<int(const Globals&)> run_daemon;
  Checker check_daemon;
  Examiner examine = nullptr;
};

// `arguments` without the program's name. [blocking]
[[nodiscard]] int run_command_line(const std::vector<std::string>& arguments,
                                   const Surroundings& surroundings);

}  // namespace limpet::cli
