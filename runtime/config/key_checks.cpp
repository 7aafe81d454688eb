#include "config/key_checks.hpp"

#include "base/limits.hpp"
#include "model/pattern.hpp"

namespace limpet::config {

namespace {

constexpr size_t device_name_bytes_max = 64;
constexpr size_t plugin_id_bytes_max = 128;

bool is_lower_or_digit(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

bool made_of(std::string_view text, std::string_view also) {
  for (const char character : text) {
    if (!is_lower_or_digit(character) && also.find(character) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

constexpr std::string_view upper_case = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

TextProblem check_name(std::string_view text, size_t bytes_max) {
  if (made_of(text, "_-") && text.size() <= bytes_max) return std::nullopt;
  return "a name is 1 to " + std::to_string(bytes_max) + " characters of a-z, 0-9, _ and -";
}

}  // namespace

TextProblem check_device_name(std::string_view text) {
  const std::string also = std::string(upper_case) + "._-";
  if (made_of(text, also) && text.size() <= device_name_bytes_max) return std::nullopt;
  return "a name is 1 to 64 characters of A-Z, a-z, 0-9, dot, _ and -";
}

TextProblem check_instance_name(std::string_view text) {
  return check_name(text, limits::instance_name_bytes_max);
}

TextProblem check_agent_name(std::string_view text) {
  return check_name(text, limits::agent_name_bytes_max);
}

TextProblem check_plugin_id(std::string_view text) {
  const std::string also = std::string(upper_case) + "._-";
  const bool dots_right =
      !text.starts_with('.') && !text.ends_with('.') && text.find("..") == std::string_view::npos;
  if (made_of(text, also) && dots_right && text.size() <= plugin_id_bytes_max) return std::nullopt;
  return "an id is a name like \"org.limpet.sysinfo\"";
}

TextProblem check_pattern(std::string_view text) {
  if (text.size() <= limits::event_type_bytes_max && pattern_valid(text)) return std::nullopt;
  return "a pattern is dotted names in which * stands for one segment and # for any number: "
         "\"sysinfo.*\"";
}

TextProblem check_subject(std::string_view text) {
  const size_t star = text.find('*');
  if (star == std::string_view::npos || star + 1 == text.size()) return std::nullopt;
  return "a subject is exact text; only its last character may be *, for any ending";
}

TextProblem check_key_template(std::string_view text) {
  size_t next = 0;
  while ((next = text.find_first_of("{}", next)) != std::string_view::npos) {
    const std::string_view rest = text.substr(next);
    size_t size = 0;
    for (const std::string_view name : {"{source}", "{subject}", "{type}"}) {
      if (rest.starts_with(name)) size = name.size();
    }
    if (size == 0) return "a key's braces hold source, subject or type: \"{source}/{subject}\"";
    next += size;
  }
  return std::nullopt;
}

}  // namespace limpet::config
