#pragma once

// Is this the text exposition format 0.0.4? Every rule that a reader relies on, for tests of
// whoever writes it. Owner: none; a pure function.

#include <string>
#include <string_view>

namespace limpet::testing {

// The first broken rule with its line, or "".
[[nodiscard]] std::string exposition_fault(std::string_view text);

}  // namespace limpet::testing
