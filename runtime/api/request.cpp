#include "api/request.hpp"

#include <optional>

#include "codec/utf8.hpp"

namespace limpet::api {

namespace {

std::optional<uint8_t> hex_digit(char character) {
  if (character >= '0' && character <= '9') return static_cast<uint8_t>(character - '0');
  const char lower = static_cast<char>(character | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<uint8_t>(lower - 'a' + 10);
  return std::nullopt;
}

enum class Plus : uint8_t { is_plus, is_space };

std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string decoded;
  for (size_t index = 0; index < text.size(); ++index) {
    char character = text[index];
    if (character == '+' && plus == Plus::is_space) {
      character = ' ';
    } else if (character == '%') {
      if (index + 2 >= text.size()) return std::nullopt;
      const std::optional<uint8_t> high = hex_digit(text[index + 1]);
      const std::optional<uint8_t> low = hex_digit(text[index + 2]);
      if (!high || !low) return std::nullopt;
      character = static_cast<char>(*high << 4 | *low);
      index += 2;
    }
    decoded.push_back(character);
  }
  if (!codec::utf8_valid(decoded)) return std::nullopt;
  return decoded;
}

// Takes the text before the next `separator` off `rest`.
std::string_view take_part(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace

std::string_view header(const Request& request, std::string_view name) {
  for (const NameValue& item : request.headers) {
    if (item.name == name) return item.value;
  }
  return {};
}

bool parse_target(std::string_view target, Request& request) {
  if (target.empty() || target.front() != '/') return false;
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  std::string_view path =
      target.substr(1, question == std::string_view::npos ? question : question - 1);
  while (!path.empty()) {
    std::optional<std::string> segment = decode(take_part(path, '/'), Plus::is_plus);
    if (!segment) return false;
    request.segments.push_back(std::move(*segment));
  }
  std::string_view query =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!query.empty()) {
    std::string_view value = take_part(query, '&');
    std::optional<std::string> name = decode(take_part(value, '='), Plus::is_space);
    std::optional<std::string> text = decode(value, Plus::is_space);
    if (!name || !text) return false;
    if (!name->empty()) request.query.push_back({std::move(*name), std::move(*text)});
  }
  return true;
}

}  // namespace limpet::api
