#pragma once

// From options to settings, and from settings to what the host, the engine and the triggers need.
// Values in, values out; the daemon and `check` share it. [main]

#include <optional>
#include <string>
#include <vector>

#include "admit/triggers.hpp"
#include "config/settings.hpp"
#include "daemon/agents.hpp"
#include "daemon/daemon.hpp"
#include "host/host.hpp"

namespace limpet::daemon {

struct Setup {
  config::Settings settings;
  std::vector<std::string> problems;  // sentences; empty: good
};

// Reads the config, or takes the defaults for a data directory. [blocking]
[[nodiscard]] Setup load_setup(const Options& options);

[[nodiscard]] host::HostOptions host_options(const config::Settings& settings);
[[nodiscard]] host::InstanceSettings instance_settings(const config::PluginSettings& plugin);

// The agents by name. Each names a loaded instance that has agents; else a sentence is added.
[[nodiscard]] Agents make_agents(const config::Settings& settings, const host::Host& host,
                                 std::vector<std::string>& problems);
[[nodiscard]] std::vector<admit::Trigger> make_triggers(const config::Settings& settings);

}  // namespace limpet::daemon
