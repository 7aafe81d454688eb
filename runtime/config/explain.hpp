#pragma once

// What can be set, and what was set, as text for people. [any]

#include <string>

#include "config/settings.hpp"

namespace limpet::config {

// Every key with its type, default, range and reason, as a TOML file in which all is commented out;
// config/limpet.toml is this text.
[[nodiscard]] std::string reference();

// What would run with these settings, for `limpet check`.
[[nodiscard]] std::string describe(const Settings& settings);

}  // namespace limpet::config
