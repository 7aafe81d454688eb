#include "cli/context.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "config/load.hpp"

namespace limpet::cli {

namespace {

constexpr const char* default_config = "/etc/limpet/limpet.toml";
constexpr const char* default_socket = "/run/limpet/limpet.sock";

}  // namespace

Exit fail(const Context& context, std::string_view text, Exit exit) {
  context.err << "limpet: " << text << "\n";
  return exit;
}

std::string find_config(const Globals& globals) {
  if (!globals.config.empty() || !globals.data.empty()) return globals.config;
  return access(default_config, R_OK) == 0 ? default_config : "";
}

std::string find_socket(const Globals& globals) {
  if (!globals.socket.empty()) return globals.socket;
  if (!globals.data.empty()) return config::default_settings(globals.data).api.socket;
  const std::string file = find_config(globals);
  if (file.empty()) return default_socket;
  // Problems elsewhere in the file do not matter here; `limpet check` shows them.
  const config::Loaded loaded = config::load_settings(file, config::process_environment());
  return loaded.settings.api.socket.empty() ? default_socket : loaded.settings.api.socket;
}

Result<std::string> read_input(const Context& context, const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return Error{ErrorCode::io, "open the file", errno};
  }
  std::istream& from = path == "-" ? context.in : file;
  std::string content;
  std::array<char, 16 * 1024> buffer;
  while (from.read(buffer.data(), buffer.size()) || from.gcount() > 0) {
    content.append(buffer.data(), static_cast<size_t>(from.gcount()));
    if (content.size() > input_bytes_max) return Error{ErrorCode::too_large, "read the input"};
  }
  if (from.bad()) return Error{ErrorCode::io, "read the input", errno};
  return content;
}

}  // namespace limpet::cli
