#pragma once

// Marks that Limpet puts on events beside what their makers said. [any]

#include <string_view>

#include "base/bytes.hpp"

namespace limpet::daemon {

// The extension attribute of an event whose time was taken from a clock that nobody had set yet.
inline constexpr std::string_view time_quality_name = "timequality";
inline constexpr std::string_view time_quality_unsynced = "unsynced";

// `extensions`, one CBOR map or empty, with timequality = "unsynced"; one that is there stays.
[[nodiscard]] ByteVector mark_unsynced(ByteSpan extensions);

}  // namespace limpet::daemon
