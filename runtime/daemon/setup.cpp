#include "daemon/setup.hpp"

#include <unistd.h>

#include "config/load.hpp"

namespace limpet::daemon {

namespace {

constexpr const char* installed_plugins = "/usr/lib/limpet/plugins";

std::string host_name() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "limpet";
  return name;
}

// Beside the program, where a build and a relocated installation have them.
std::string plugins_beside_program() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  if (size <= 0) return {};
  const std::string program(path, static_cast<size_t>(size));
  const size_t folder_end = program.find_last_of('/');
  return program.substr(0, folder_end) + "/../lib/limpet/plugins";
}

run::Autonomy autonomy_of(config::Autonomy autonomy) {
  switch (autonomy) {
    case config::Autonomy::read_only: return run::Autonomy::read_only;
    case config::Autonomy::supervised: return run::Autonomy::supervised;
    case config::Autonomy::full: return run::Autonomy::full;
  }
  return run::Autonomy::read_only;
}

}  // namespace

Setup load_setup(const Options& options) {
  Setup setup;
  if (!options.config_file.empty()) {
    config::Loaded loaded =
        config::load_settings(options.config_file, config::process_environment());
    for (const config::Problem& problem : loaded.problems) {
      setup.problems.push_back(config::to_string(problem));
    }
    setup.settings = std::move(loaded.settings);
  } else if (!options.data_directory.empty()) {
    setup.settings = config::default_settings(options.data_directory);
  } else {
    setup.problems.emplace_back("say where to keep the data: --config FILE or --data DIR");
  }
  if (!options.data_directory.empty()) setup.settings.store.path = options.data_directory;
  if (!options.socket.empty()) setup.settings.api.socket = options.socket;
  if (setup.settings.name.empty()) setup.settings.name = host_name();
  return setup;
}

host::HostOptions host_options(const config::Settings& settings) {
  host::HostOptions options;
  options.directories = settings.plugin_path;
  const std::string beside = plugins_beside_program();
  if (!beside.empty()) options.directories.push_back(beside);
  options.directories.emplace_back(installed_plugins);
  return options;
}

host::InstanceSettings instance_settings(const config::PluginSettings& plugin) {
  host::InstanceSettings settings;
  settings.name = plugin.name;
  settings.id = plugin.id;
  settings.path = plugin.path;
  settings.config = plugin.config;
  return settings;
}

Agents make_agents(const config::Settings& settings, const host::Host& host,
                   std::vector<std::string>& problems) {
  Agents agents;
  for (const config::AgentSettings& agent : settings.agents) {
    const std::string& name_in_plugin = agent.agent.empty() ? agent.name : agent.agent;
    host::AgentSettings wanted;
    wanted.instance = agent.plugin;
    wanted.name = name_in_plugin;
    wanted.config = agent.config;
    if (const auto refusal = host.check_agent(wanted)) {
      problems.push_back(refusal->sentence);
    }
    run::AgentPolicy policy;
    policy.name = agent.name;
    policy.instance = agent.plugin;
    policy.name_in_plugin = name_in_plugin;
    policy.tools = agent.tools;
    policy.autonomy = autonomy_of(agent.autonomy);
    policy.turns_max = static_cast<uint32_t>(agent.max_turns);
    policy.steps_open_max = static_cast<uint32_t>(agent.max_steps_open);
    policy.deadline = agent.deadline;
    policy.config = agent.config;
    agents.add(std::move(policy));
  }
  return agents;
}

std::vector<admit::Trigger> make_triggers(const config::Settings& settings) {
  std::vector<admit::Trigger> triggers;
  for (const config::TriggerSettings& trigger : settings.triggers) {
    triggers.push_back({trigger.agent, trigger.event, trigger.subject, trigger.key});
  }
  return triggers;
}

}  // namespace limpet::daemon
