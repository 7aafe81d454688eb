#include <algorithm>
#include <filesystem>

#include "config/key_checks.hpp"
#include "config/loader.hpp"

namespace limpet::config {

namespace {

template <class Section>
const Section* find(const std::vector<Section>& sections, const std::string& name) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&name](const Section& entry) { return entry.name == name; });
  return found != sections.end() ? &*found : nullptr;
}

template <class Section>
std::string names_of(const std::vector<Section>& sections) {
  std::string names;
  for (const Section& section : sections) {
    names.append(names.empty() ? "" : ", ").append(section.name);
  }
  return names.empty() ? "there is none" : "there are: " + names;
}

// "org.limpet.sysinfo" and "/opt/sysinfo.so" both make "sysinfo".
std::string name_from(const PluginSettings& plugin) {
  if (plugin.id.empty()) return std::filesystem::path(plugin.path).stem().string();
  return plugin.id.substr(plugin.id.rfind('.') + 1);
}

}  // namespace

void Loader::finish_plugins() {
  std::vector<PluginSettings>& plugins = loaded_.settings.plugins;
  for (size_t index = 0; index < plugins.size(); ++index) {
    PluginSettings& plugin = plugins[index];
    const SectionPlaces& places = plugins_[index];
    if (plugin.id.empty() == plugin.path.empty()) {
      problem(places.section, "plugin", "wants either `id` or `path`");
      continue;
    }
    if (plugin.name.empty()) {
      plugin.name = name_from(plugin);
      const TextProblem wrong = check_instance_name(plugin.name);
      if (wrong) {
        problem(places.section, "plugin.name",
                "'" + plugin.name + "' would be the name, but " + *wrong + "; write a `name`");
      }
    }
    if (find(plugins, plugin.name) != &plugin) {
      problem(places.of("name"), "plugin.name",
              "'" + plugin.name + "' is taken; give each instance a name of its own");
    }
    if (plugin.isolation == Isolation::process) {
      problem(places.of("isolation"), "plugin.isolation",
              "\"process\", the default, is not in this build; write isolation = \"inproc\"");
    }
  }
}

void Loader::finish_agents() {
  const std::vector<AgentSettings>& agents = loaded_.settings.agents;
  const std::vector<PluginSettings>& plugins = loaded_.settings.plugins;
  for (size_t index = 0; index < agents.size(); ++index) {
    const AgentSettings& agent = agents[index];
    if (find(agents, agent.name) != &agent) {
      problem(agents_[index].of("name"), "agent.name",
              "'" + agent.name + "' is taken; give each agent a name of its own");
    }
    if (!agent.plugin.empty() && find(plugins, agent.plugin) == nullptr) {
      problem(agents_[index].of("plugin"), "agent.plugin",
              "no [[plugin]] is named '" + agent.plugin + "'; " + names_of(plugins));
    }
  }
}

// A trigger by the clock is a schedule whose ticks are events that the trigger takes.
void Loader::make_schedule(TriggerSettings& trigger) {
  trigger.event = "schedule." + trigger.agent;
  ScheduleSettings schedule;
  schedule.name = trigger.event + " " + trigger.schedule;  // no name of a section has a blank
  schedule.cron = trigger.schedule;
  schedule.event = trigger.event;
  schedule.place = trigger.place;
  std::vector<ScheduleSettings>& schedules = loaded_.settings.schedules;
  const bool known = std::any_of(schedules.begin(), schedules.end(),
                                 [&](const auto& entry) { return entry.name == schedule.name; });
  if (!known) schedules.push_back(std::move(schedule));
}

void Loader::finish_triggers() {
  std::vector<TriggerSettings>& triggers = loaded_.settings.triggers;
  const std::vector<AgentSettings>& agents = loaded_.settings.agents;
  for (size_t index = 0; index < triggers.size(); ++index) {
    TriggerSettings& trigger = triggers[index];
    if (trigger.event.empty() == trigger.schedule.empty()) {
      problem(triggers_[index].section, "trigger", "wants either `event` or `schedule`");
    }
    if (!trigger.schedule.empty()) make_schedule(trigger);
    if (!trigger.agent.empty() && find(agents, trigger.agent) == nullptr) {
      problem(triggers_[index].of("agent"), "trigger.agent",
              "no [[agent]] is named '" + trigger.agent + "'; " + names_of(agents));
    }
  }
}

}  // namespace limpet::config
