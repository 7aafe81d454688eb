#pragma once

// Bytes borrowed and bytes owned, and their view as text. [any]

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#if defined(__clang__)
#define LIMPET_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define LIMPET_LIFETIMEBOUND
#endif

namespace limpet {

using ByteSpan = std::span<const uint8_t>;  // borrowed; lives as long as its owner says
using ByteVector = std::vector<uint8_t>;    // owned

inline std::string_view as_text(ByteSpan bytes LIMPET_LIFETIMEBOUND) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteSpan as_bytes(std::string_view text LIMPET_LIFETIMEBOUND) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace limpet
