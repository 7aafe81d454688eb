// require(): the check of a fuzz target. It aborts, which is what the fuzzer reports as a finding.
// Owner: none. Thread: [any].
#pragma once

#include <cstdlib>

namespace limpet::fuzz {

inline void require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace limpet::fuzz
