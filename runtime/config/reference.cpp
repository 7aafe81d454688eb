#include <algorithm>

#include "config/explain.hpp"
#include "config/keys.hpp"

namespace limpet::config {

namespace {

constexpr size_t columns_max = 100;

constexpr std::string_view preface =
    "Every key of Limpet's configuration, commented out at its default. What has no default shows "
    "an example. The file is read at the start; conf.d/*.toml beside it come after it by name, "
    "override its keys and add to its [[sections]]. In any text ${NAME} is an environment variable "
    "and ${NAME:-otherwise} has a default; $${ is a plain ${. Sizes are \"64MiB\", durations "
    "\"30s\". A relative path counts from the folder of the file in which it stands.";

// `text` as comment lines.
void append_comment(std::string& out, std::string_view text) {
  size_t column = columns_max;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (column + 1 + word.size() > columns_max) {
      if (!out.empty() && out.back() != '\n') out.push_back('\n');
      out.append("#");
      column = 1;
    }
    out.append(" ").append(word);
    column += 1 + word.size();
  }
  out.push_back('\n');
}

std::string_view type_name(KeyType type) {
  switch (type) {
    case KeyType::text: return "text";
    case KeyType::path: return "path";
    case KeyType::list: return "list of texts";
    case KeyType::path_list: return "list of paths";
    case KeyType::count: return "number";
    case KeyType::size: return "size";
    case KeyType::duration: return "duration";
    case KeyType::rate: return "rate";
    case KeyType::choice: return "text";
    case KeyType::table: return "table";
  }
  return "";
}

void append_key(std::string& out, const KeyInfo& key) {
  out.push_back('\n');
  if (!key.unavailable.empty()) {
    append_comment(out, std::string("Not in this build: `") + std::string(key.name) + "`; " +
                            std::string(key.unavailable) + ".");
    return;
  }
  std::string line(key.reason);
  line.append(" (").append(type_name(key.type)).append(", ").append(range_of(key));
  if (key.required) line.append(", required");
  append_comment(out, line.append(")"));
  out.append("# ").append(key.name).append(" = ");
  out.append(key.fallback.empty() ? key.example : key.fallback).append("\n");
}

void append_section(std::string& out, const SectionInfo& section) {
  if (!section.name.empty()) {
    out.push_back('\n');
    append_comment(out, section.reason);
    const std::string name(section.name);
    out.append(section.repeated ? "# [[" + name + "]]\n" : "[" + name + "]\n");
  }
  for (const KeyInfo& key : section.keys) append_key(out, key);
}

}  // namespace

std::string reference() {
  std::string out;
  append_comment(out, preface);
  for (const SectionInfo& section : sections()) append_section(out, section);
  out.push_back('\n');
  std::string missing("Not in this build:");
  for (const std::string_view section : sections_unavailable()) {
    missing.append(missing.ends_with(':') ? " [[" : ", [[").append(section).append("]]");
  }
  append_comment(out, missing.append("."));
  return out;
}

}  // namespace limpet::config
