#include "daemon/logger.hpp"

#include <time.h>
#include <unistd.h>

#include <array>
#include <string>

namespace limpet::daemon {

namespace {

constexpr size_t line_bytes_max = 2048;
constexpr std::array<std::string_view, 4> level_names = {"error", "warning", "info", "debug"};
constexpr std::array<std::string_view, 4> journal_priorities = {"<3>", "<4>", "<6>", "<7>"};

std::string time_text(WallTime wall) {
  const auto seconds = static_cast<time_t>(wall.ns / 1000000000);
  tm broken{};
  gmtime_r(&seconds, &broken);
  char text[32];
  const size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ ", &broken);
  return {text, size};
}

}  // namespace

void StandardErrorLogger::line(LogLevel level, std::string_view part, std::string_view text) {
  if (level > lowest_) return;
  const auto index = static_cast<size_t>(level);
  std::string line;
  if (for_journal_) {
    line.append(journal_priorities[index]);
  } else {
    line.append(time_text(clock_.wall())).append(level_names[index]).append(" ");
  }
  line.append(part).append(": ").append(text);
  // What came from a plugin or a file must not look like a line of ours.
  for (char& character : line) {
    if (character == '\n' || character == '\r') character = ' ';
  }
  if (line.size() >= line_bytes_max) line.resize(line_bytes_max - 1);
  line.push_back('\n');
  // Nobody could be told if this failed.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace limpet::daemon
