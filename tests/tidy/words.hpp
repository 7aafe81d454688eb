// What must not stand in a file, and what must: banned words, stray blanks, #pragma once.
// Owner: the test. Thread: [any]. Fails with: nothing. Limits: words are matched, meaning is not.
#pragma once

#include "tests/tidy/source.hpp"

namespace limpet::tidy {

// Words of unfinished work, in code and its comments.
[[nodiscard]] Findings check_unfinished(const Source& source);

// Code that its folder may not have: throw in runtime/, std::cout outside cli, sleeping tests.
[[nodiscard]] Findings check_banned_code(const Source& source);

// Paths that exist on one machine only, in any text.
[[nodiscard]] Findings check_machine_paths(const Source& source);

// Blanks at line ends, tabs, carriage returns, a missing last line break.
[[nodiscard]] Findings check_blanks(const Source& source);

[[nodiscard]] Findings check_pragma_once(const Source& source);

}  // namespace limpet::tidy
