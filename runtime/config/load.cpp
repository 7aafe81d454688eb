#include "config/load.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/loader.hpp"
#include "config/value.hpp"

namespace limpet::config {

namespace {

// nullopt: it cannot be read. One byte more than the limit is enough to be refused later.
std::optional<std::string> read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text(file_bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return std::nullopt;
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

// conf.d/*.toml beside the file, by name.
std::vector<std::string> more_files(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(folder_of(path)) / "conf.d";
  std::vector<std::string> paths;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".toml") paths.push_back(entry->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text = problem.place.file;
  if (problem.place.line > 0) {
    text.append(":").append(std::to_string(problem.place.line));
    text.append(":").append(std::to_string(problem.place.column));
  }
  if (!text.empty()) text.append(": ");
  if (!problem.key.empty()) text.append(problem.key).append(": ");
  return text.append(problem.message);
}

Environment process_environment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  environment.file = read_file;
  return environment;
}

Loaded parse_settings(const std::vector<ConfigFile>& files, const Environment& environment) {
  Loaded loaded;
  Loader loader(loaded, environment);
  for (const ConfigFile& file : files) {
    const std::variant<Value, Problem> parsed = parse_toml(file);
    if (const auto* problem = std::get_if<Problem>(&parsed)) {
      loaded.problems.push_back(*problem);
    } else {
      loader.read(std::get<Value>(parsed));
    }
  }
  // A file that could not be parsed leaves holes that would look like mistakes of other files.
  const bool whole = std::none_of(loaded.problems.begin(), loaded.problems.end(),
                                  [](const Problem& problem) { return problem.key.empty(); });
  if (whole) loader.finish();
  return loaded;
}

Loaded load_settings(const std::string& path, const Environment& environment) {
  std::vector<std::string> paths = more_files(path);
  paths.insert(paths.begin(), path);
  std::vector<ConfigFile> files;
  std::vector<Problem> problems;
  if (paths.size() > conf_files_max) {
    problems.push_back({{path, 0, 0}, "", "conf.d holds more than 63 files"});
    paths.resize(conf_files_max);
  }
  static_assert(conf_files_max == 64, "the text above names it");
  for (const std::string& each : paths) {
    std::optional<std::string> text = read_file(each);
    if (text) {
      files.push_back({each, std::move(*text)});
    } else {
      problems.push_back({{each, 0, 0}, "", "the file cannot be read"});
    }
  }
  if (problems.empty()) return parse_settings(files, environment);
  Loaded loaded;
  loaded.problems = std::move(problems);
  return loaded;
}

Settings default_settings(const std::string& data_directory) {
  Settings settings = parse_settings({}, process_environment()).settings;
  settings.store.path = data_directory;
  settings.api.socket = (std::filesystem::path(data_directory) / "limpet.sock").string();
  return settings;
}

}  // namespace limpet::config
