#include "tests/tidy/shape.hpp"

#include <algorithm>
#include <array>

namespace limpet::tidy {
namespace {

enum class Scope { declarations, function, braces };

// Preprocessor lines may hold half a brace pair each; they are no part of a function's shape.
std::string without_directives(std::string code) {
  bool directive = false;
  std::size_t begin = 0;
  while (begin < code.size()) {
    const std::size_t end = std::min(code.find('\n', begin), code.size());
    const std::size_t first = code.find_first_not_of(" \t", begin);
    directive = directive || (first < end && code[first] == '#');
    const bool continues = end > begin && code[end - 1] == '\\';
    if (directive) std::fill(code.data() + begin, code.data() + end, ' ');
    directive = directive && continues;
    begin = end + 1;
  }
  return code;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::string_view without_template(std::string_view head) {
  while (is_word_at(head, 0, "template")) {
    int depth = 0;
    std::size_t at = head.find('<');
    for (; at < head.size(); ++at) {
      depth += head[at] == '<' ? 1 : head[at] == '>' ? -1 : 0;
      if (depth == 0) break;
    }
    head = at < head.size() ? trimmed(head.substr(at + 1)) : std::string_view{};
  }
  return head;
}

// What a brace opens, told from the text between it and the end of the statement before.
Scope scope_after(std::string_view head) {
  head = without_template(trimmed(head));
  if (has_word(head, "namespace") || head == "extern") return Scope::declarations;
  if (head.empty() || std::string_view("=,(").find(head.back()) != std::string_view::npos) {
    return Scope::braces;
  }
  static constexpr std::array types{"class", "struct", "union", "enum"};
  const bool names_type =
      std::ranges::any_of(types, [head](const char* word) { return has_word(head, word); });
  if (names_type && head.back() != ')') return Scope::declarations;
  return head.find('(') == std::string_view::npos ? Scope::braces : Scope::function;
}

class Walker {
 public:
  explicit Walker(std::string_view code) : code_(code) {}

  std::vector<Function> run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      if (code_[at_] == '{') {
        open();
      } else if (code_[at_] == '}') {
        close();
      } else if (code_[at_] == ';' && in_declarations()) {
        head_begin_ = at_ + 1;
      }
    }
    return std::move(functions_);
  }

 private:
  bool in_declarations() const { return scopes_.empty() || scopes_.back() == Scope::declarations; }

  void open() {
    if (!in_declarations()) return scopes_.push_back(Scope::braces);
    scopes_.push_back(scope_after(code_.substr(head_begin_, at_ - head_begin_)));
    if (scopes_.back() == Scope::declarations) head_begin_ = at_ + 1;
  }

  void close() {
    if (scopes_.empty()) return;
    const Scope closed = scopes_.back();
    scopes_.pop_back();
    if (!in_declarations()) return;
    const std::size_t next = code_.find_first_not_of(" \t\n", at_ + 1);
    const char after = next == std::string_view::npos ? ';' : code_[next];
    // a_{1}, b_{2} {: a constructor's initialisers; its body is still to come.
    const bool continues =
        after == ',' || after == '{' || (closed == Scope::braces && after == ')');
    if (continues && closed != Scope::declarations) return;
    if (closed == Scope::function) note_function();
    head_begin_ = at_ + 1;
  }

  void note_function() {
    const std::size_t begin = code_.find_first_not_of(" \t\n", head_begin_);
    const std::size_t line = line_at(code_, begin);
    functions_.push_back({line, line_at(code_, at_) - line + 1});
  }

  std::string_view code_;
  std::size_t at_ = 0;
  std::size_t head_begin_ = 0;
  std::vector<Scope> scopes_;
  std::vector<Function> functions_;
};

std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_script(std::string_view path) {
  return path == "dev" || path == ".ci/run" || path.ends_with(".sh");
}

}  // namespace

std::vector<Function> functions_of(std::string_view text) {
  return Walker(without_directives(blanked(text, Keep::nothing))).run();
}

Findings check_lines(const Source& source) {
  Findings findings;
  if (!is_cpp(source.path) && !is_cmake(source.path) && !is_script(source.path)) return findings;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(source.text)) {
    ++number;
    if (const std::size_t columns = columns_of(line); columns > line_columns_max) {
      findings.push_back({source.path, number, std::to_string(columns) + " columns"});
    }
  }
  return findings;
}

Findings check_file_size(const Source& source) {
  if (!is_cpp(source.path) && !is_script(source.path)) return {};
  const bool test = source.path.starts_with("tests/");
  const std::size_t file_max = test ? test_lines_max : file_lines_max;
  const std::size_t max = is_header(source.path) ? header_lines_max : file_max;
  const std::size_t lines = lines_of(source.text).size();
  if (lines <= max) return {};
  return {{source.path, 0, std::to_string(lines) + " lines, of " + std::to_string(max)}};
}

Findings check_functions(const Source& source) {
  Findings findings;
  if (!is_cpp(source.path)) return findings;
  for (const Function& function : functions_of(source.text)) {
    if (function.lines <= function_lines_max) continue;
    findings.push_back(
        {source.path, function.line, "a function of " + std::to_string(function.lines) + " lines"});
  }
  return findings;
}

}  // namespace limpet::tidy
