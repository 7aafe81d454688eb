#pragma once

// Context: what every verb gets: where the streams are, what the global options say. Nothing here
// is global; tests give string streams.
// Owner: main. Thread: [main], blocking.

#include <istream>
#include <ostream>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/http_client.hpp"

namespace limpet::cli {

// What a script may rely on.
enum class Exit : int { ok = 0, failed = 1, usage = 2, retry_later = 3, timeout = 4 };

struct Globals {
  std::string config;  // a file; empty: the default place, if there is one
  std::string data;    // a directory; empty: as the config says
  std::string socket;  // empty: as data or config say; see find_socket
  bool json = false;
};

struct Context {
  Globals globals;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// One line to err, "limpet: <text>"; answers `exit`.
Exit fail(const Context& context, std::string_view text, Exit exit = Exit::failed);

// Where the daemon listens: --socket, else limpet.sock in --data, else what the config says, else
// the default place.
[[nodiscard]] std::string find_socket(const Globals& globals);

// The config to run with: --config, else, without --data, the default place if there is a file.
[[nodiscard]] std::string find_config(const Globals& globals);

// All of a file, or of standard input for "-". Errors: io, too_large (input_bytes_max).
inline constexpr size_t input_bytes_max = 256 * 1024 * 1024;
[[nodiscard]] Result<std::string> read_input(const Context& context, const std::string& path);

}  // namespace limpet::cli
