#pragma once

// The load that the demo makes, and what it does to the machine's memory. Owner: the demo. [main]

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace limpet::demo {

struct MemoryState {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  [[nodiscard]] double used_percent() const;
};
// From /proc/meminfo, as the sysinfo plugin reads it. nullopt: this machine does not say.
[[nodiscard]] std::optional<MemoryState> read_memory();

// How much the demo takes: enough to stand out, never more than the machine can spare.
[[nodiscard]] uint64_t choose_load_bytes(const MemoryState& memory);

// A child process that holds memory and keeps a processor busy, until it is dropped.
class Load {
 public:
  explicit Load(uint64_t bytes);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  pid_t pid_ = -1;
};

}  // namespace limpet::demo
