#include "tests/tidy/source.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

namespace limpet::tidy {
namespace {

bool is_identifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Walks a text once; each function consumes one construct and writes blanks or the text itself.
class Blanker {
 public:
  Blanker(std::string_view text, Keep keep) : text_(text), keep_(keep) {
    out_.reserve(text.size());
  }

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until("\n", 0, false);
      } else if (starts("/*")) {
        blank_until("*/", 2, false);
      } else if (starts("R\"") && !follows_identifier()) {
        raw_string();
      } else if (text_[at_] == '"' || (text_[at_] == '\'' && !follows_identifier())) {
        literal(text_[at_]);
      } else {
        out_ += text_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  // 1'000: this quote separates digits and opens nothing.
  bool follows_identifier() const { return at_ > 0 && is_identifier(text_[at_ - 1]); }

  void put(std::size_t count, bool visible) {
    for (; count > 0 && at_ < text_.size(); --count, ++at_) {
      out_ += visible || text_[at_] == '\n' ? text_[at_] : ' ';
    }
  }

  void blank_until(std::string_view end, std::size_t end_size, bool visible) {
    const std::size_t found = text_.find(end, at_ + end_size);
    put(found == std::string_view::npos ? text_.size() - at_ : found + end_size - at_, visible);
  }

  void literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2U : 1U;
    }
    put(end + 1 - at_, keep_ == Keep::strings);
  }

  void raw_string() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) return put(2, true);
    const std::string end = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const std::size_t found = text_.find(end, open);
    const bool visible = keep_ == Keep::strings;
    put(found == std::string_view::npos ? text_.size() - at_ : found + end.size() - at_, visible);
  }

  std::string_view text_;
  Keep keep_;
  std::size_t at_ = 0;
  std::string out_;
};

bool is_text(const std::filesystem::path& path) {
  static constexpr std::array extensions{".cpp", ".hpp", ".c",    ".h",    ".md", ".txt",
                                         ".sh",  ".in",  ".toml", ".json", ".js", ".cmake",
                                         ".css", ".svg", ".html", ".yml",  ".py", ".conf"};
  const std::string extension = path.extension().string();
  return extension.empty() || extension == path.filename().string() ||
         std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

bool is_foreign(const std::string& path) {
  return path == "build" || path == ".git" || path == ".cache" || path == "LICENSE" ||
         path == "tests/fuzz/corpus";
}

}  // namespace

std::string blanked(std::string_view text, Keep keep) { return Blanker(text, keep).run(); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

bool is_word_at(std::string_view text, std::size_t offset, std::string_view word) {
  if (!text.substr(offset).starts_with(word)) return false;
  if (offset > 0 && is_identifier(text[offset - 1]) && is_identifier(word.front())) return false;
  const std::size_t end = offset + word.size();
  return end == text.size() || !is_identifier(text[end]) || !is_identifier(word.back());
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if (is_word_at(text, at, word)) return true;
  }
  return false;
}

bool is_header(std::string_view path) { return path.ends_with(".hpp") || path.ends_with(".h"); }

bool is_cpp(std::string_view path) {
  return is_header(path) || path.ends_with(".cpp") || path.ends_with(".c");
}

bool is_cmake(std::string_view path) {
  return path.ends_with("CMakeLists.txt") || path.ends_with(".cmake");
}

std::vector<Source> read_tree(const std::filesystem::path& root) {
  std::vector<Source> sources;
  std::filesystem::recursive_directory_iterator entries(root);
  for (auto entry = begin(entries); entry != end(entries); ++entry) {
    std::string path = entry->path().lexically_relative(root).generic_string();
    if (is_foreign(path)) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file() || entry->is_symlink() || !is_text(entry->path())) continue;
    std::ifstream file(entry->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    sources.push_back({std::move(path), std::move(text)});
  }
  std::ranges::sort(sources, {}, &Source::path);
  return sources;
}

}  // namespace limpet::tidy
