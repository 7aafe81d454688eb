#pragma once

// Times as text: RFC 3339, always in UTC when written. [any]

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace limpet::codec {

// "2026-07-13T08:24:56Z", with three, six or nine decimals when they are needed.
[[nodiscard]] std::string to_rfc3339(WallTime time);

// Any offset, up to nine decimals (later ones are cut), a leap second as the second after it.
// nullopt: not such a time, or outside 1970 to 2554, which is what 64 bits of nanoseconds hold.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace limpet::codec
