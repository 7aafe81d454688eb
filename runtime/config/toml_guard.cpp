#include "config/toml_guard.hpp"

#include <algorithm>

namespace limpet::config {

namespace {

enum class Inside { nothing, comment, quotes, long_quotes };

bool is_white(char character) {
  return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  // Takes the next piece; false: here is the stray character.
  bool step() {
    const char character = rest_.front();
    const bool exposed = inside_ == Inside::nothing || escaped_;
    if (exposed && static_cast<uint8_t>(character) >= 0x80) return false;
    if (escaped_) {
      // A backslash may stand before white space and line ends; what follows them is asked too.
      escaped_ = inside_ == Inside::long_quotes && is_white(character);
    } else if (inside_ == Inside::nothing) {
      step_outside(character);
      return true;
    } else if (character == '\\' && quote_ == '"' && inside_ != Inside::comment) {
      escaped_ = true;
    } else if (character == quote_ && inside_ == Inside::quotes) {
      inside_ = Inside::nothing;
    } else if (character == quote_ && inside_ == Inside::long_quotes && run_of_quotes() >= 3) {
      inside_ = Inside::nothing;
      take(std::min<size_t>(run_of_quotes(), 5));  // up to two belong to the text
      return true;
    }
    if (character == '\n' && inside_ != Inside::long_quotes) inside_ = Inside::nothing;
    take(1);
    return true;
  }

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] Place place() const { return {"", line_, column_}; }

 private:
  void step_outside(char character) {
    if (character == '#') {
      inside_ = Inside::comment;
      quote_ = '\0';
    } else if (character == '"' || character == '\'') {
      quote_ = character;
      const bool is_long = run_of_quotes() >= 3;
      inside_ = is_long ? Inside::long_quotes : Inside::quotes;
      return take(is_long ? 3 : 1);
    }
    take(1);
  }

  [[nodiscard]] size_t run_of_quotes() const {
    const size_t end = rest_.find_first_not_of(quote_);
    return end == std::string_view::npos ? rest_.size() : end;
  }

  void take(size_t count) {
    for (; count > 0 && !rest_.empty(); --count) {
      const bool line_end = rest_.front() == '\n';
      line_ += line_end ? 1 : 0;
      column_ = line_end ? 1 : column_ + 1;
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  Inside inside_ = Inside::nothing;
  char quote_ = '\0';
  bool escaped_ = false;
  uint32_t line_ = 1;
  uint32_t column_ = 1;
};

}  // namespace

std::optional<Place> find_stray_character(std::string_view toml) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (toml.starts_with(byte_order_mark)) toml.remove_prefix(byte_order_mark.size());
  Scan scan(toml);
  while (!scan.done()) {
    if (!scan.step()) return scan.place();
  }
  return std::nullopt;
}

}  // namespace limpet::config
