#pragma once

// The walk: reads every row of a file in a child process, because LMDB has no page checksums and a
// damaged page can crash whoever follows it, or hold it for ever.
// Owner: rescue(). Thread: [main, blocking]. Fails with: io (no child could be made); what the child
// finds, and its death, are results.
// Limits: walk_cpu_seconds() of processor time.
//
// A child by fork, not a program of its own: there is no file to find, and tests have it too. The
// process may have other threads then; none of them writes to the store, which is not open yet.

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace limpet::store {

enum class WalkVerdict : uint8_t {
  sound,
  damaged,  // the tree can be read to its end; some records are damaged or missing
  broken,   // the tree cannot be read to its end, or the child died
};

struct WalkResult {
  WalkVerdict verdict = WalkVerdict::broken;
  uint64_t rows = 0;
  uint64_t problems = 0;
  std::string first;  // the first problem in words, at most walk_text_bytes_max
};
inline constexpr size_t walk_text_bytes_max = 200;

using Walker = std::function<Result<WalkResult>(const std::string& directory)>;

// In this process. REQUIRES: the caller holds the directory's lock.
[[nodiscard]] WalkResult walk(const std::string& directory);

// Runs `work` in a child and answers what it answers, or `broken` when the child dies first.
[[nodiscard]] Result<WalkResult> in_child(const std::function<WalkResult()>& work,
                                          uint32_t cpu_seconds);

// walk(), in a child.
[[nodiscard]] Result<WalkResult> walk_in_child(const std::string& directory);

}  // namespace limpet::store
