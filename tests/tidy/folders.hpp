// What a folder must have: a short README, and a CMakeLists that is a list and no program.
// Owner: the test. Thread: [any]. Fails with: nothing. Limits: it sees the files it is given.
#pragma once

#include <span>

#include "tests/tidy/source.hpp"

namespace limpet::tidy {

inline constexpr std::size_t readme_lines_max = 39;
inline constexpr std::size_t cmake_lines_max = 19;

// Folders with code in runtime/ and plugins/, and platform/: a README.md of at most
// readme_lines_max lines.
[[nodiscard]] Findings check_readmes(std::span<const Source> sources);

// In the same folders: at most cmake_lines_max lines that are neither blank nor comment.
[[nodiscard]] Findings check_cmake_size(const Source& source);

}  // namespace limpet::tidy
