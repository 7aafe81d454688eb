#include "config.hpp"

#include <charconv>
#include <limpet/cpp/host.hpp>

namespace limpet::sysinfo {
namespace {

using sdk::Failure;
using sdk::View;

constexpr uint64_t interval_ms_min = 100;
constexpr uint64_t interval_ms_max = 24u * 3600 * 1000;
constexpr uint64_t sample_ms_max = 2000;

// "250ms", "10s", "5m", "1h"; 0 when it is none of these.
uint64_t parse_duration_ms(std::string_view text) {
  uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, count);
  if (result.ec != std::errc() || count > interval_ms_max) return 0;
  const std::string_view unit(result.ptr, static_cast<std::size_t>(end - result.ptr));
  if (unit == "ms") return count;
  if (unit == "s") return count * 1000;
  if (unit == "m") return count * 60 * 1000;
  return unit == "h" ? count * 3600 * 1000 : 0;
}

std::vector<std::string> read_paths(View list, const char* key) {
  std::vector<std::string> paths;
  list.each([&](View item) {
    const std::string_view path = item.text_or("");
    if (path.empty() || path.front() != '/' || path.size() > path_bytes_max ||
        path.find('\0') != path.npos || paths.size() == paths_max) {
      throw Failure(std::string(key) + ": at most 32 absolute paths");
    }
    paths.emplace_back(path);
  });
  return paths;
}

}  // namespace

Config read_config(View config) {
  Config read;
  if (const View interval = config["interval"]) {
    read.interval_ms = interval.uint_or(parse_duration_ms(interval.text_or("")));
  }
  if (read.interval_ms < interval_ms_min || read.interval_ms > interval_ms_max) {
    throw Failure("interval: from 100ms to 24h");
  }
  read.sample_ms = config["sample_ms"].uint_or(read.sample_ms);
  if (read.sample_ms > sample_ms_max) throw Failure("sample_ms: at most 2000");
  read.root = config["root"].text_or("");
  if (read.root.size() > path_bytes_max || read.root.find('\0') != std::string::npos) {
    throw Failure("root: a path");
  }
  read.disks = read_paths(config["disks"], "disks");
  if (!config["disks"]) read.disks = {"/"};
  read.log_paths = read_paths(config["log_paths"], "log_paths");
  return read;
}

}  // namespace limpet::sysinfo
