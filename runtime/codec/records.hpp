#pragma once

// Records: events, runs and steps as the store keeps them. What is written is checked when read.
// Owner: the caller owns buffers; decoded event views point into the record. Thread: [any].
//
//   record = version u8 | crc32c u32 LE | body: a CBOR map with small integer keys
//
// The version is major << 4 | minor. A later minor adds keys, which an older reader passes over; a
// later major is refused as `unsupported`. The CRC covers a context of eight bytes (big-endian),
// the version and the body. The context of an event is its sequence, so that a record found under
// another key is noticed; that of runs and steps is their kind. FORMAT.md beside this file lists
// the keys. An absent or default value is not written.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/event.hpp"
#include "model/run.hpp"

namespace limpet::codec {

inline constexpr uint8_t record_version = 0x10;  // 1.0
inline constexpr size_t record_header_bytes = 5;

// The bytes encode_event will need. [any, no-alloc]
[[nodiscard]] size_t event_record_size(const EventView& event);

// Writes `event` with its sequence into `buffer`; answers the part of it that was used.
// Errors: too_large (the buffer is smaller than event_record_size). [any, no-alloc]
// REQUIRES: event.data and event.extensions are one CBOR item each, or empty: see check_event.
[[nodiscard]] Result<ByteSpan> encode_event(const EventView& event, std::span<uint8_t> buffer);

// The event stored under `sequence`; its views live as long as `record`. [any, no-alloc]
// Errors: corrupt (truncated, changed, or another record's place), unsupported (later major).
[[nodiscard]] Result<EventView> decode_event(ByteSpan record LIMPET_LIFETIMEBOUND,
                                             Sequence sequence);

// Does `event` keep the limits of base/limits.hpp and CloudEvents' rules for attributes, and is its
// data one item of our CBOR profile? Errors: invalid or too_large; each reason is a sentence of its
// own. [any, no-alloc]
[[nodiscard]] Result<void> check_event(const EventView& event);

// Is it one to event_type_bytes_max characters of [A-Za-z0-9_:/-] in segments divided by dots?
// [any, no-alloc]
[[nodiscard]] bool event_type_valid(std::string_view type);

// Runs and steps; they carry their own ids. Errors of decode as above.
[[nodiscard]] Result<ByteVector> encode_run(const Run& run);
[[nodiscard]] Result<Run> decode_run(ByteSpan record);
[[nodiscard]] Result<ByteVector> encode_step(const Step& step);
[[nodiscard]] Result<Step> decode_step(ByteSpan record);

}  // namespace limpet::codec
