#pragma once

// The frame of a record (records.hpp): version and checksum around a body. Private to this folder.

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace limpet::codec {

// Fills in the header of a record whose body already stands behind record_header_bytes.
// REQUIRES: record.size() >= record_header_bytes. [any, no-alloc]
void seal_record(std::span<uint8_t> record, uint64_t context);

// The body of a record sealed with `context`. Errors: corrupt, unsupported. [any, no-alloc]
[[nodiscard]] Result<ByteSpan> open_record(ByteSpan record LIMPET_LIFETIMEBOUND, uint64_t context);

}  // namespace limpet::codec
