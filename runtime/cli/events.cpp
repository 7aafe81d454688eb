// limpet events: the log as a timeline.

#include <array>
#include <ctime>

#include "cli/event_query.hpp"
#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/stopped.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"
#include "codec/rfc3339.hpp"

namespace limpet::cli {

namespace {

constexpr size_t data_characters_max = 80;

// "2026-07-13 08:24:56.120" in the zone of whoever looks.
std::string local_time(std::string_view rfc3339) {
  const std::optional<WallTime> time = codec::parse_rfc3339(rfc3339);
  if (!time) return std::string(rfc3339);
  const auto second = static_cast<time_t>(time->ns / 1000000000U);
  const auto millisecond = static_cast<unsigned>(time->ns / 1000000U % 1000);
  std::tm parts = {};
  localtime_r(&second, &parts);
  std::array<char, 32> text;
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  const std::string digits = std::to_string(1000 + millisecond);
  return std::string(text.data(), size).append(".").append(digits, 1, 3);
}

// One line: sequence, local time, type, subject, and what fits of the data.
void print_event(const Context& context, std::string_view line) {
  if (context.globals.json) {
    context.out << line << std::endl;
    return;
  }
  const auto event = codec::json_to_cbor(line);
  if (!event) return;
  const auto padded = [](std::string text, size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
  };
  const std::string sequence = display(member(*event, "sequence"));
  const std::string padding(sequence.size() < 7 ? 7 - sequence.size() : 0, ' ');
  std::string text = padding + sequence + "  ";
  text += padded(local_time(display(member(*event, "time"))), 23) + "  ";
  text += padded(display(member(*event, "type")), 22) + "  ";
  text += padded(display(member(*event, "subject")), 12) + "  ";
  text += cut(display(member(*event, "data")), data_characters_max);
  text.erase(text.find_last_not_of(' ') + 1);
  context.out << text << std::endl;
}

}  // namespace

Exit events(const Context& context, const EventsOptions& options) {
  // Times and paces are the daemon's business.
  const bool plain = options.since.empty() && options.pace.empty();
  if (plain && is_stopped(context)) {
    return read_stopped(context, options, [&](std::string_view line) {
      print_event(context, line);
      return context.out.good();
    });
  }
  const std::optional<std::string> target = events_target(options);
  if (!target) {
    return fail(context, "--since is neither a time nor a duration such as 2h", Exit::usage);
  }
  Remote remote(context);
  const bool complete = remote.stream(*target, {}, [&](std::string_view line) {
    print_event(context, line);
    return context.out.good();
  });
  return complete ? Exit::ok : remote.exit();
}

}  // namespace limpet::cli
