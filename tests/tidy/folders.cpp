#include "tests/tidy/folders.hpp"

#include <algorithm>
#include <set>

namespace limpet::tidy {
namespace {

// "runtime/store" for any file below it, "platform" for platform's; empty elsewhere.
std::string module_of(std::string_view path) {
  if (path.starts_with("platform/")) return "platform";
  if (!path.starts_with("runtime/") && !path.starts_with("plugins/")) return {};
  const std::size_t second = path.find('/', path.find('/') + 1);
  return second == std::string_view::npos ? std::string{} : std::string(path.substr(0, second));
}

}  // namespace

Findings check_readmes(std::span<const Source> sources) {
  Findings findings;
  std::set<std::string> folders;
  for (const Source& source : sources) {
    if (!is_cpp(source.path)) continue;
    if (std::string folder = module_of(source.path); !folder.empty()) folders.insert(folder);
  }
  for (const std::string& folder : folders) {
    const std::string path = folder + "/README.md";
    const auto found = std::ranges::find(sources, path, &Source::path);
    if (found == sources.end()) {
      findings.push_back({path, 0, "missing"});
    } else if (const std::size_t lines = lines_of(found->text).size(); lines > readme_lines_max) {
      findings.push_back({path, 0, std::to_string(lines) + " lines"});
    }
  }
  return findings;
}

Findings check_cmake_size(const Source& source) {
  if (!source.path.ends_with("/CMakeLists.txt") || module_of(source.path).empty()) return {};
  std::size_t count = 0;
  for (const std::string_view line : lines_of(source.text)) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first != std::string_view::npos && line[first] != '#') ++count;
  }
  if (count <= cmake_lines_max) return {};
  return {{source.path, 0, std::to_string(count) + " lines: move the rules to limpet.cmake"}};
}

}  // namespace limpet::tidy
