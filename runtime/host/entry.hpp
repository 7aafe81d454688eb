#pragma once

// From settings to a plugin's entry point: where its manifest and its code come from, and whether
// the two belong together. [main, blocking]
// Fails with a Refusal, whose sentence begins with the instance's name.

#include <optional>
#include <variant>

#include "host/host.hpp"
#include "host/instance.hpp"

namespace limpet::host {

// Finds the plugin by path, among those linked in, or on the plugin path, and reads its manifest.
// Runs none of its code, unless it is linked in: then the entry is known already.
[[nodiscard]] std::variant<InstanceOrigin, Refusal> find_origin(const HostOptions& options,
                                                                const InstanceSettings& settings);

// Loads the code unless it is linked in, and checks its entry point against the manifest.
[[nodiscard]] std::optional<Refusal> open_entry(InstanceOrigin& origin);

// What is wrong with an entry point, as a sentence; empty: nothing. Only members that its
// struct_size covers are looked at.
[[nodiscard]] std::string entry_problem(const limpet_entry_point& entry,
                                        const InstanceOrigin& origin);

}  // namespace limpet::host
