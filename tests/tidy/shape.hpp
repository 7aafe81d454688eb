// Limits of size: lines, functions, headers, files.
// Owner: the test. Thread: [any]. Fails with: nothing.
// Limits: a function is found by its head and its braces; macros are not looked into.
#pragma once

#include "tests/tidy/source.hpp"

namespace limpet::tidy {

inline constexpr std::size_t line_columns_max = 100;
inline constexpr std::size_t function_lines_max = 70;
inline constexpr std::size_t header_lines_max = 200;
inline constexpr std::size_t file_lines_max = 500;
inline constexpr std::size_t test_lines_max = 1000;

struct Function {
  std::size_t line = 0;  // where its head begins
  std::size_t lines = 0;
};

// The functions, in order; lambdas and local types count as part of the function around them.
[[nodiscard]] std::vector<Function> functions_of(std::string_view text);

// Columns are counted in characters, not bytes.
[[nodiscard]] Findings check_lines(const Source& source);
[[nodiscard]] Findings check_file_size(const Source& source);
[[nodiscard]] Findings check_functions(const Source& source);

}  // namespace limpet::tidy
