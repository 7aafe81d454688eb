#pragma once

// JSON (RFC 8259) to CBOR and back; the rim speaks JSON, the house CBOR. [any]
// Integers of int64 and uint64 and all doubles pass both ways exactly; a larger integer becomes the
// nearest double. Member order is kept; equal names are not looked for.
// Limits: json_bytes_max of text, batch_bytes_max of CBOR, nesting_depth_max; parsing is iterative
// and stops at the first limit, so hostile input costs no more than its own size.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "codec/explained.hpp"

namespace limpet::codec {

// Escapes and white space make JSON larger than the CBOR it becomes.
inline constexpr size_t json_bytes_max = 4 * limits::batch_bytes_max;

// The one JSON value that `text` is. Refusals: invalid (with line and column), too_large.
[[nodiscard]] Explained<ByteVector> json_to_cbor(std::string_view text);

// The item as JSON on one line. Byte strings become base64url text, integer keys decimal text,
// not-a-number and the infinities null (JSON has none of them).
// Errors: invalid (not one item of our profile).
[[nodiscard]] Result<std::string> cbor_to_json(ByteSpan item);

// The same, after what `out` already holds. On an error `out` is as before.
[[nodiscard]] Result<void> append_json(std::string& out, ByteSpan item);

// `text` in quotes and escaped. REQUIRES: UTF-8.
void append_json_text(std::string& out, std::string_view text);

}  // namespace limpet::codec
