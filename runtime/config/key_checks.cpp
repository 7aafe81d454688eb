#include "config/key_checks.hpp"

#include "base/limits.hpp"
#include "config/units.hpp"
#include "model/cron.hpp"
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

TextProblem check_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (text.empty()) return std::nullopt;
  const bool has_port = colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() &&
                        text.find_first_not_of("0123456789", colon + 1) == std::string_view::npos &&
                        text.size() - colon <= 6;
  if (has_port) return std::nullopt;
  return "an address is \"127.0.0.1:7420\" or \"[::1]:7420\"";
}

TextProblem check_cron(std::string_view text) {
  if (text.empty() || parse_cron(text)) return std::nullopt;
  return "a cron text has five fields, minute hour day month weekday, of numbers, *, ranges, lists "
         "and steps: \"*/5 8-18 * * 1-5\"";
}

TextProblem check_queue_name(std::string_view text) {
  return check_name(text, limits::name_bytes_max);
}

TextProblem check_event_type(std::string_view text) {
  const bool plain = text.find_first_of("*#") == std::string_view::npos;
  if (plain && text.size() <= limits::event_type_bytes_max && pattern_valid(text) &&
      !text.starts_with("limpet.")) {
    return std::nullopt;
  }
  return "an event type is dotted names like \"schedule.nightly\"; limpet. is Limpet's own";
}

TextProblem check_backoff(std::string_view text) {
  if (parse_duration(text)) return std::nullopt;
  return "a wait is a duration like \"30s\"";
}

TextProblem check_tool_hint(std::string_view text) {
  if (text == "read_only" || text == "idempotent" || text == "destructive") return std::nullopt;
  return "a hint is read_only, idempotent or destructive";
}

TextProblem check_principal(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  if (colon != std::string_view::npos && (kind == "uid" || kind == "token")) {
    const std::string_view name = text.substr(colon + 1);
    const bool number = name.find_first_not_of("0123456789") == std::string_view::npos;
    if (name == "*" || (!name.empty() && (kind == "token" || number))) return std::nullopt;
  }
  return "a principal is uid:NUMBER or token:NAME";
}

TextProblem check_right(std::string_view text) {
  for (const std::string_view right : {"read", "submit", "work", "operate", "answer"}) {
    if (text == right) return std::nullopt;
  }
  return "a right is read, submit, work, operate or answer";
}

}  // namespace limpet::config
