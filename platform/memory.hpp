#pragma once

// What this process costs the device in memory, and two ways to make it cost less. [any, blocking]
// Fails with: not_found, io, corrupt (a kernel file that does not look as it should).

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace limpet::platform {

// PSS is the honest figure: shared pages count by their share, so that the figures of all processes
// add up to what is used. Anonymous is what no file backs: the heap and the stacks.
struct MemoryUse {
  uint64_t pss_bytes = 0;
  uint64_t anonymous_bytes = 0;
  uint64_t resident_bytes = 0;
  uint64_t swapped_bytes = 0;
};

// Walks the page tables: about 1 ms for 100 MiB, so for a status page and not for a loop.
[[nodiscard]] Result<MemoryUse> memory_use();

// `text` is smaps_rollup's. corrupt: no Pss line, or a line that is not "Name: number kB".
[[nodiscard]] Result<MemoryUse> parse_memory_use(std::string_view text);

// Gives free heap pages back to the system; true if there were any. Where the C library cannot,
// false.
bool release_free_memory();

// At most `count` heaps for all threads; glibc's default is 8 for each core, each of which keeps
// its own free pages. Call before there are threads. [main]
void limit_heaps(int count);

}  // namespace limpet::platform
