#pragma once

// Which events of the log a consumer wants: the questions its settings answer. [any]
// Never fails; allocates only where it says so.

#include <span>
#include <string>
#include <string_view>

#include "dispatch/consumer_types.hpp"
#include "model/event.hpp"

namespace limpet::dispatch {

// Literal, except that a `*` at the end stands for any rest: "line1/*". Empty: all.
[[nodiscard]] bool subject_matches(std::string_view pattern, std::string_view subject);

// Is there a name that both match? May say yes where there is none; a no is certain. Allocates.
// REQUIRES: pattern_valid of both.
[[nodiscard]] bool patterns_meet(std::string_view a, std::string_view b);

[[nodiscard]] bool wants(const ConsumerSettings& settings, const EventView& event);

// Could it want an event whose type one of these patterns matches? None: any type. Allocates.
[[nodiscard]] bool may_want(const ConsumerSettings& settings, std::span<const std::string> types);

}  // namespace limpet::dispatch
