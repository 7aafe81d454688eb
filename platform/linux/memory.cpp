#include "platform/memory.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "platform/files.hpp"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace limpet::platform {

namespace {

constexpr size_t rollup_bytes_max = 16 * 1024;

constexpr Error odd_file{ErrorCode::corrupt, "memory: smaps_rollup is not as expected"};

// "Pss:                 912 kB" of the wanted name, in bytes; nullopt: no such line, or an odd one.
std::optional<uint64_t> find_bytes(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.substr(0, name.size()) != name) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    uint64_t kilobytes = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), kilobytes);
    const std::string_view unit(rest, static_cast<size_t>(line.data() + line.size() - rest));
    if (error != std::errc{} || unit != " kB" || kilobytes > UINT64_MAX / 1024) return std::nullopt;
    return kilobytes * 1024;
  }
  return std::nullopt;
}

}  // namespace

Result<MemoryUse> parse_memory_use(std::string_view text) {
  const std::optional<uint64_t> pss = find_bytes(text, "Pss:");
  const std::optional<uint64_t> anonymous = find_bytes(text, "Anonymous:");
  const std::optional<uint64_t> resident = find_bytes(text, "Rss:");
  if (!pss || !anonymous || !resident) return odd_file;
  return MemoryUse{*pss, *anonymous, *resident, find_bytes(text, "SwapPss:").value_or(0)};
}

Result<MemoryUse> memory_use() {
  LIMPET_TRY(const std::string text, read_file("/proc/self/smaps_rollup", rollup_bytes_max));
  return parse_memory_use(text);
}

bool release_free_memory() {
#if defined(__GLIBC__)
  return malloc_trim(0) != 0;
#else
  return false;
#endif
}

void limit_heaps([[maybe_unused]] int count) {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, count);
#endif
}

}  // namespace limpet::platform
