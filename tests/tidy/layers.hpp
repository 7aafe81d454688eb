// The layer table: which folder may include which, and where a third-party library may appear.
// It is the table of runtime/ARCHITECTURE.md in a form that fails a build.
// Owner: the test. Thread: [any]. Fails with: nothing.
// Limits: it reads #include lines, not meaning.
#pragma once

#include <span>

#include "tests/tidy/source.hpp"

namespace limpet::tidy {

// Findings for every include in `source` that the table does not allow. Tests are exempt.
[[nodiscard]] Findings check_layers(const Source& source);

// x.cpp with an x.hpp beside it (for platform/linux/x.cpp: platform/x.hpp) includes that first, so
// that compiling it proves that the header stands alone.
[[nodiscard]] Findings check_own_header_first(std::span<const Source> sources);

}  // namespace limpet::tidy
