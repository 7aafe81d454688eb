#pragma once

// Patterns over dotted names, the same everywhere: triggers, filters, allow lists. [any, no-alloc]
//   *   exactly one segment        sysinfo.*        matches sysinfo.reading, not sysinfo.a.b
//   #   any number, also none      sysinfo.#        matches sysinfo, sysinfo.a.b
// Everything else is literal. Cost: O(segments of the name) per '#', at most 8 '#' in a pattern.

#include <string_view>

namespace limpet {

// Is `pattern` well formed: no empty segment, '*' and '#' only as whole segments, not too many '#'?
[[nodiscard]] bool pattern_valid(std::string_view pattern);

// REQUIRES: pattern_valid(pattern).
[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view name);

}  // namespace limpet
