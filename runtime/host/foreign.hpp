#pragma once

// What plugins hand over becomes ours here: copied, bounded, checked, released. Nothing a plugin
// says about size or content is believed. [any]

#include <limpet/ext/draft/tools.h>
#include <limpet/plugin.h>

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "host/tool.hpp"

namespace limpet::host {

// A copy of the text, at most `bytes_max` long, with control characters and broken UTF-8 replaced;
// empty for null.
[[nodiscard]] std::string take_text(const char* text, size_t bytes_max);

// The bytes, copied; the buffer is released in any case. Empty stays empty.
// Errors: too_large (not looked at), invalid (not one CBOR item of our profile; `where` says what).
[[nodiscard]] Result<ByteVector> take_item(limpet_buffer& buffer, size_t bytes_max);

// Gives `bytes` to a plugin, which releases them.
[[nodiscard]] limpet_buffer give_bytes(ByteVector bytes);

struct TakenResult {
  ToolResult result;     // without its id
  bool garbage = false;  // it was not what a result must be; the outcome then is ours
};
// A call's or lookup's result; its value is released. `result` may be null.
[[nodiscard]] TakenResult take_result(limpet_result* result);

// What a status other than OK of call() means for the call: nothing happened; retry, unless the
// same call would be refused again.
[[nodiscard]] ToolResult result_of_status(limpet_status status, std::string_view text);

}  // namespace limpet::host
