#pragma once

// CRC-32C (Castagnoli), the checksum of everything that is stored. [any, no-alloc]
//
// Software only, eight bytes a step: 256 bytes cost well under a microsecond even on a small ARM
// core, next to a flash write that costs a thousand of them. Instructions chosen at run time would
// add two code paths that only some boards test.

#include <cstdint>

#include "base/bytes.hpp"

namespace limpet::codec {

// The CRC of what `crc` already covers followed by `bytes`; begin with 0.
//   crc32c(crc32c(0, a), b) == crc32c(0, a + b);   crc32c(0, "123456789") == 0xe3069283
[[nodiscard]] uint32_t crc32c(uint32_t crc, ByteSpan bytes);

}  // namespace limpet::codec
