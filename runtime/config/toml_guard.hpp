#pragma once

// Keeps from toml++ what it cannot take. Private to this folder. [any]
//
// Outside quotes and comments TOML is ASCII, but toml++ 3.3 asks of what it meets there if it is
// white space, and for many characters (U+00A1 to U+0499, kana, Arabic forms) that question is
// undefined behaviour. So the first one outside ASCII is looked for before. Within quotes the
// library asks after a backslash only: there too such a character is refused, also when the
// backslash ends a line; write it before the backslash or as \uXXXX.

#include <optional>
#include <string_view>

#include "config/settings.hpp"

namespace limpet::config {

// Line and column (in bytes) of the first character outside ASCII that is neither in a comment nor
// in quotes, or follows a backslash; file is left empty.
[[nodiscard]] std::optional<Place> find_stray_character(std::string_view toml);

}  // namespace limpet::config
