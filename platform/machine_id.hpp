#pragma once

// The id of this installation, as the distribution keeps it: 32 hexadecimal digits, the same after
// every boot, different on every machine unless its card was cloned. Kept in the store to notice
// that the store has moved; never sent anywhere. [any, blocking]

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace limpet::platform {

// not_found: there is none, or it is not yet set ("uninitialized" on a first boot).
[[nodiscard]] Result<std::string> machine_id();

// `text` is the file's. corrupt: not 32 hexadecimal digits. not_found: "uninitialized" or empty.
[[nodiscard]] Result<std::string> parse_machine_id(std::string_view text);

// The id of this boot: another one after each. not_found: the kernel does not say.
[[nodiscard]] Result<std::string> boot_id();

}  // namespace limpet::platform
