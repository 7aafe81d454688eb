#pragma once

// What `limpet events` and `limpet events export` ask the daemon for. [any]

#include <optional>
#include <string>

#include "cli/verbs.hpp"

namespace limpet::cli {

// The target of the request. A `since` such as "2h" is so long ago. Nullopt: it is neither a time
// nor a duration.
[[nodiscard]] std::optional<std::string> events_target(const EventsOptions& options);

}  // namespace limpet::cli
