#pragma once

// From files to Settings: parse, put variables and secrets in, check every key, and name everything
// that is wrong at once. Owner: the caller. Thread: [any], blocking where it reads files.
// Fails with: Problems; the settings are then incomplete and must not be used.
// Limits: file_bytes_max, conf_files_max, problems_max; limits::nesting_depth_max tables and lists
// inside each other.
//
// limpet.toml, then conf.d/*.toml beside it by name. A later file overrides a key and adds to the
// lists of sections ([[plugin]], [[agent]], [[trigger]]).
//   ${NAME} and ${NAME:-otherwise}   in any text: an environment variable; $${ is a plain ${
//   "file:PATH"                      in a `config` table: the file's content, less its last line
//   end a relative path                  is taken from the folder of the file in which it stands

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace limpet::config {

inline constexpr size_t file_bytes_max = 1024 * 1024;
inline constexpr size_t conf_files_max = 64;
inline constexpr size_t problems_max = 100;  // further ones are counted in one line

struct Problem {
  Place place;
  std::string key;      // "store.linger_ms"; empty: the file as a whole
  std::string message;  // what is wrong and what would be right
};

// "limpet.toml:12:3: store.linger_ms: 5000 is outside 0 to 1000".
[[nodiscard]] std::string to_string(const Problem& problem);

struct Loaded {
  Settings settings;
  std::vector<Problem> problems;  // in the order of files and lines
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

// What the settings may refer to outside their files.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<std::optional<std::string>(const std::string& path)> file;
};

// The variables of this process and the files it can read.
[[nodiscard]] Environment process_environment();

// Reads the file and conf.d/*.toml beside it. [blocking]
[[nodiscard]] Loaded load_settings(const std::string& path, const Environment& environment);

struct ConfigFile {
  std::string path;
  std::string text;
};

// The same from texts, in order.
[[nodiscard]] Loaded parse_settings(const std::vector<ConfigFile>& files,
                                    const Environment& environment);

}  // namespace limpet::config
