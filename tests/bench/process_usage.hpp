#pragma once

// What a process has used, as /proc tells it. [any]

#include <sys/types.h>

#include <cstdint>

namespace limpet::bench {

// Zeros where the kernel tells nothing.
struct ProcessUsage {
  uint64_t cpu_ns = 0;             // user and system, all threads
  uint64_t written_bytes = 0;      // handed to the block layer
  uint64_t memory_peak_bytes = 0;  // resident, with the pages of mapped files
};
[[nodiscard]] ProcessUsage process_usage(pid_t process);

// Anonymous memory now: what no file backs, and what a small board has none to spare of.
[[nodiscard]] uint64_t anonymous_bytes(pid_t process);

}  // namespace limpet::bench
