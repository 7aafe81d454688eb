#pragma once
#include <cstddef>
#include <optional>
#include <string>

// The end of a log file. Thread: [any, blocking].
namespace limpet::sysinfo {

struct TailLimits {
  std::size_t lines, bytes;
};

// The last lines, oldest first, as printable text that ends in a line break: at most limits.lines
// of them and limits.bytes of the file. A line that the byte limit cuts is left out, unless it is
// the only one. Nothing when the file cannot be read.
std::optional<std::string> log_tail(const std::string& path, TailLimits limits);

}  // namespace limpet::sysinfo
