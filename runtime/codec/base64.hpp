#pragma once

// Base 64 (RFC 4648) in and out. [any]

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace limpet::codec {

// With '+', '/' and padding: what CloudEvents' data_base64 wants.
[[nodiscard]] std::string base64(ByteSpan bytes);
// With '-', '_' and no padding: how JSON shows a byte string (RFC 8949, 6.1).
[[nodiscard]] std::string base64url(ByteSpan bytes);

// The bytes of either alphabet, padded or not; nullopt if it is neither, or if bits are left over.
[[nodiscard]] std::optional<ByteVector> parse_base64(std::string_view text);

}  // namespace limpet::codec
