#pragma once

// What a process has used and what a disk has written, as the kernel tells it. [any]

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace limpet::bench {

// Zeros where the kernel tells nothing.
struct ProcessUsage {
  uint64_t cpu_ns = 0;             // user and system, all threads
  uint64_t dirtied_bytes = 0;      // pages made dirty, see Usage in measure.hpp
  uint64_t memory_peak_bytes = 0;  // resident, with the pages of mapped files
};
[[nodiscard]] ProcessUsage process_usage(pid_t process);

// Anonymous memory now: what no file backs, and what a small board has none to spare of.
[[nodiscard]] uint64_t anonymous_bytes(pid_t process);

// What the disk below `directory` has written since it was started, for everybody and with the file
// system's journal: the truth about wear, on a machine that does nothing else. 0: unknown.
[[nodiscard]] uint64_t device_written_bytes(const std::string& directory);

}  // namespace limpet::bench
