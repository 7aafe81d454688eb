#include "tests/tidy/words.hpp"

#include <algorithm>
#include <array>

namespace limpet::tidy {
namespace {

// The words are written in halves, so that this file does not find itself.
constexpr std::array unfinished_words{
    "TO"
    "DO",
    "FIX"
    "ME",
    "XX"
    "X",
    "HA"
    "CK"};
constexpr std::array machine_paths{
    "/wo"
    "rk/",
    "/ho"
    "me/",
    "/tmp/br"
    "ief",
    "/ro"
    "ot/"};

struct Ban {
  std::string_view code;
  std::string_view where;   // the beginning of the path
  std::string_view except;  // the beginning of a path inside that may; empty: none
  std::string_view reason;
};

constexpr std::array bans{
    Ban{"throw", "runtime/", "", "expected failures are values (Result)"},
    Ban{"std::cout", "runtime/", "runtime/cli/", "only the command line writes to its caller"},
    Ban{"sleep_for", "tests/", "", "wait for the event, not for time"},
    Ban{"sleep_until", "tests/", "", "wait for the event, not for time"},
    Ban{"nanosleep", "tests/", "", "wait for the event, not for time"},
    Ban{"usleep", "tests/", "", "wait for the event, not for time"},
    Ban{"sleep(", "tests/", "", "wait for the event, not for time"},
};

void find_words(const Source& source, std::string_view text, std::string_view word,
                Findings& findings) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if (!is_word_at(text, at, word)) continue;
    findings.push_back({source.path, line_at(text, at), std::string(word)});
  }
}

// A path begins here, rather than going on from something before it (a/work/b, ${DIR}/work/).
bool begins_path(std::string_view text, std::size_t at) {
  return at == 0 || std::string_view(" \t\n\"'`=(<:,").find(text[at - 1]) != std::string_view::npos;
}

std::string_view stray_in(std::string_view line) {
  if (line.ends_with('\r')) return "carriage return";
  if (line.ends_with(' ') || line.ends_with('\t')) return "blank at the end of the line";
  if (line.find('\t') != std::string_view::npos) return "tab";
  return {};
}

}  // namespace

Findings check_unfinished(const Source& source) {
  Findings findings;
  if (source.path.ends_with(".md") || source.path.ends_with(".json")) return findings;
  for (const char* word : unfinished_words) find_words(source, source.text, word, findings);
  return findings;
}

Findings check_banned_code(const Source& source) {
  Findings findings;
  if (!is_cpp(source.path)) return findings;
  const std::string code = blanked(source.text, Keep::nothing);
  for (const Ban& ban : bans) {
    if (!source.path.starts_with(ban.where)) continue;
    if (!ban.except.empty() && source.path.starts_with(ban.except)) continue;
    const std::size_t before = findings.size();
    find_words(source, code, ban.code, findings);
    for (std::size_t i = before; i < findings.size(); ++i) {
      findings[i].message += ": " + std::string(ban.reason);
    }
  }
  return findings;
}

Findings check_machine_paths(const Source& source) {
  Findings findings;
  for (const std::string_view path : machine_paths) {
    for (std::size_t at = source.text.find(path); at != std::string::npos;
         at = source.text.find(path, at + 1)) {
      if (!begins_path(source.text, at)) continue;
      findings.push_back(
          {source.path, line_at(source.text, at), std::string(path) + " is a machine's own path"});
    }
  }
  return findings;
}

Findings check_blanks(const Source& source) {
  Findings findings;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(source.text)) {
    ++number;
    if (const std::string_view stray = stray_in(line); !stray.empty()) {
      findings.push_back({source.path, number, std::string(stray)});
    }
  }
  if (!source.text.empty() && source.text.back() != '\n') {
    findings.push_back({source.path, number, "no line break at the end of the file"});
  }
  return findings;
}

Findings check_pragma_once(const Source& source) {
  if (!is_header(source.path)) return {};
  const std::string code = blanked(source.text, Keep::strings);
  for (const std::string_view line : lines_of(code)) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) continue;
    if (line.substr(first).starts_with("#pragma once")) return {};
    break;
  }
  return {{source.path, 0, "does not begin with #pragma once"}};
}

}  // namespace limpet::tidy
