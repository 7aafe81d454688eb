#include "config/substitute.hpp"

#include <filesystem>

namespace limpet::config {

namespace {

constexpr size_t secret_bytes_max = 64 * 1024;

struct Reference {
  std::string name;
  std::string_view otherwise;
  bool has_otherwise = false;
};

Reference parse_reference(std::string_view inside) {
  const size_t mark = inside.find(":-");
  if (mark == std::string_view::npos) return {std::string(inside), {}, false};
  return {std::string(inside.substr(0, mark)), inside.substr(mark + 2), true};
}

}  // namespace

Substituted substitute(std::string_view text, const Environment& environment) {
  std::string out;
  size_t next = 0;
  while (true) {
    const size_t found = text.find("${", next);
    if (found == std::string_view::npos) return out.append(text.substr(next));
    if (found > next && text[found - 1] == '$') {  // $${ is a plain ${
      out.append(text.substr(next, found - 1 - next)).append("${");
      next = found + 2;
      continue;
    }
    const size_t end = text.find('}', found);
    if (end == std::string_view::npos) return SubstituteProblem{"\"${\" has no \"}\""};
    out.append(text.substr(next, found - next));
    const Reference reference = parse_reference(text.substr(found + 2, end - found - 2));
    const std::optional<std::string> value = environment.variable(reference.name);
    if (!value && !reference.has_otherwise) {
      return SubstituteProblem{"the environment variable " + reference.name + " is not set"};
    }
    out.append(value ? *value : std::string(reference.otherwise));
    next = end + 1;
  }
}

Substituted read_secret(const std::string& text, const std::string& folder,
                        const Environment& environment) {
  constexpr std::string_view prefix = "file:";
  if (!text.starts_with(prefix) || text.starts_with("file://")) return text;
  const std::string path = resolve_path(text.substr(prefix.size()), folder);
  std::optional<std::string> content = environment.file(path);
  if (!content) return SubstituteProblem{"the file " + path + " cannot be read"};
  if (content->size() > secret_bytes_max) {
    return SubstituteProblem{"the file " + path + " is larger than 64 KiB"};
  }
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  return *content;
}

std::string resolve_path(const std::string& path, const std::string& folder) {
  if (path.empty() || path.front() == '/') return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

}  // namespace limpet::config
