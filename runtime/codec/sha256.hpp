#pragma once

// SHA-256 (FIPS 180-4), for what must not be guessed: the tokens of the API. [any, no-alloc]
// Not for passwords that people choose: it is fast, which helps whoever tries them all.

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace limpet::codec {

using Sha256Digest = std::array<uint8_t, 32>;

//   sha256("abc") == ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad
[[nodiscard]] Sha256Digest sha256(ByteSpan bytes);

}  // namespace limpet::codec
