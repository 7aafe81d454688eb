#pragma once

// Is this text UTF-8? [any, no-alloc]

#include <string_view>

namespace limpet::codec {

// True for well-formed UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, at most
// U+10FFFF.
[[nodiscard]] bool utf8_valid(std::string_view text);

}  // namespace limpet::codec
