#include "config/keys.hpp"

#include <array>

#include "base/limits.hpp"
#include "config/key_checks.hpp"
#include "config/units.hpp"

namespace limpet::config {

namespace {

constexpr uint64_t path_bytes_max = 4096;
constexpr uint64_t mebi = uint64_t{1} << 20;
constexpr uint64_t gibi = uint64_t{1} << 30;
constexpr uint64_t day_ms = 86400000;

bool choose_create(StoreSettings& store, std::string_view choice) {
  if (choice != "when_missing" && choice != "never") return false;
  store.create = choice == "when_missing";
  return true;
}

bool choose_isolation(PluginSettings& plugin, std::string_view choice) {
  if (choice != "process" && choice != "inproc") return false;
  plugin.isolation = choice == "process" ? Isolation::process : Isolation::inproc;
  return true;
}

bool choose_autonomy(AgentSettings& agent, std::string_view choice) {
  if (choice == "read_only") {
    agent.autonomy = Autonomy::read_only;
  } else if (choice == "supervised") {
    agent.autonomy = Autonomy::supervised;
  } else if (choice == "full") {
    agent.autonomy = Autonomy::full;
  } else {
    return false;
  }
  return true;
}

const std::array<Key<Settings>, 2> device_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"gateway-7\"",
      .max = 64,
      .reason = "The device's name: its own events come from \"limpet/<name>\". Without it, the "
                "host's name."},
     &Settings::name,
     check_device_name},
    {{.name = "plugin_path",
      .type = KeyType::path_list,
      .fallback = "[\"/usr/lib/limpet/plugins\"]",
      .max = path_bytes_max,
      .reason = "The folders in which a plugin's id is looked for, in this order."},
     &Settings::plugin_path,
     nullptr},
}};

const std::array<Key<StoreSettings>, 4> store_keys = {{
    {{.name = "path",
      .type = KeyType::path,
      .fallback = "\"/var/lib/limpet\"",
      .max = path_bytes_max,
      .reason = "The store's folder. On flash that lasts, and never on a network file system."},
     &StoreSettings::path,
     nullptr},
    {{.name = "max_bytes",
      .type = KeyType::size,
      .fallback = "\"1GiB\"",
      .min = 4 * mebi,
      .max = 1024 * gibi,
      .reason = "What events, runs and tasks may fill; new work is refused above it, work that is "
                "under way can finish. The file never shrinks. A 32-bit board takes 1GiB at most, "
                "since the file is mapped into its address space."},
     &StoreSettings::max_bytes,
     nullptr},
    {{.name = "linger_ms",
      .type = KeyType::count,
      .fallback = "0",
      .max = 1000,
      .reason = "Milliseconds for which a commit waits for company. 0: the latency of a lone event "
                "is one sync; more: fewer writes to the flash under light load."},
     &StoreSettings::linger_ms,
     nullptr},
    {{.name = "create",
      .type = KeyType::choice,
      .fallback = "\"when_missing\"",
      .choices = "when_missing, never",
      .reason =
          "never: refuse a folder without the marker file LIMPET-STORE, so that a disk that is "
          "not mounted is not mistaken for a first start."},
     &choose_create,
     nullptr},
}};

const std::array<Key<ApiSettings>, 3> api_keys = {{
    {{.name = "socket",
      .type = KeyType::path,
      .fallback = "\"/run/limpet/limpet.sock\"",
      .max = 107,
      .reason =
          "The Unix socket of the API. Who asks is known by user id. The system takes paths of "
          "107 bytes at most."},
     &ApiSettings::socket,
     nullptr},
    {{.name = "tcp",
      .type = KeyType::text,
      .example = "\"127.0.0.1:7420\"",
      .max = 64,
      .reason = "An address and port to serve beside the socket: [::1]:7420 for IPv6. Without TLS, "
                "so keep it to this machine or a network of your own. It needs `token_file`."},
     &ApiSettings::tcp,
     check_address},
    {{.name = "token_file",
      .type = KeyType::path,
      .example = "\"/etc/limpet/tokens\"",
      .max = path_bytes_max,
      .reason = "Who may use `tcp`: one \"name:secret\" a line; its principal is token:name."},
     &ApiSettings::token_file,
     nullptr},
}};

const std::array<Key<LimitSettings>, 2> limit_keys = {{
    {{.name = "memory",
      .type = KeyType::size,
      .fallback = "\"64MiB\"",
      .min = 16 * mebi,
      .max = 64 * gibi,
      .reason = "What the process may take. Above it new work is refused until it has shrunk."},
     &LimitSettings::memory_bytes,
     nullptr},
    {{.name = "unclean_starts",
      .type = KeyType::count,
      .fallback = "3",
      .max = 7,
      .reason = "After so many crashes or kills within ten minutes it starts paused: it takes "
                "events and tasks, but no agent decides and no tool is called until `limpet queue "
                "resume turns` and `resume calls`. 0: never."},
     &LimitSettings::unclean_starts,
     nullptr},
}};

const std::array<Key<PluginSettings>, 6> plugin_keys = {{
    {{.name = "id",
      .type = KeyType::text,
      .example = "\"org.limpet.sysinfo\"",
      .max = 128,
      .reason = "The plugin's id, looked for on the plugin path. Either this or `path`."},
     &PluginSettings::id,
     check_plugin_id},
    {{.name = "path",
      .type = KeyType::path,
      .example = "\"/opt/acme/modbus.so\"",
      .max = path_bytes_max,
      .reason = "The plugin's file. Either this or `id`."},
     &PluginSettings::path,
     nullptr},
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"sysinfo\"",
      .max = limits::instance_name_bytes_max,
      .reason =
          "The instance's name; its tools are \"<name>.<tool>\". Without it, the last part of "
          "the id, or the file's name."},
     &PluginSettings::name,
     check_instance_name},
    {{.name = "isolation",
      .type = KeyType::choice,
      .fallback = "\"process\"",
      .choices = "process, inproc",
      .reason =
          "Where it runs: in a process of its own, or in Limpet's, which is faster and shares "
          "its fate. This build has \"inproc\" only, so it must be written."},
     &choose_isolation,
     nullptr},
    {unavailable("group", "this build runs plugins in its own process only"), {}, nullptr},
    {{.name = "config",
      .type = KeyType::table,
      .fallback = "{}",
      .max = section_config_bytes_max,
      .reason = "What the plugin itself takes; `limpet plugin inspect` lists it. A text "
                "\"file:PATH\" is replaced by the file's content: that is for secrets."},
     &PluginSettings::config,
     nullptr},
}};

const std::array<Key<AgentSettings>, 10> agent_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"watchdog\"",
      .max = limits::agent_name_bytes_max,
      .required = true,
      .reason = "The agent's name, by which runs and triggers know it."},
     &AgentSettings::name,
     check_agent_name},
    {{.name = "plugin",
      .type = KeyType::text,
      .example = "\"watchdog\"",
      .max = limits::instance_name_bytes_max,
      .required = true,
      .reason = "The name of the [[plugin]] that holds it."},
     &AgentSettings::plugin,
     check_instance_name},
    {{.name = "agent",
      .type = KeyType::text,
      .example = "\"watchdog\"",
      .max = limits::agent_name_bytes_max,
      .reason = "Its name in the plugin's manifest. Without it, the only one there."},
     &AgentSettings::agent,
     check_agent_name},
    {{.name = "tools",
      .type = KeyType::list,
      .fallback = "[]",
      .max = limits::event_type_bytes_max,
      .reason =
          "Patterns of the tools it may call, like [\"sysinfo.*\", \"notify.write\"]. What is "
          "not named is denied."},
     &AgentSettings::tools,
     check_pattern},
    {{.name = "autonomy",
      .type = KeyType::choice,
      .fallback = "\"supervised\"",
      .choices = "read_only, supervised, full",
      .reason = "read_only: tools that only read. supervised: also tools that change something but "
                "destroy nothing. full: all of `tools`."},
     &choose_autonomy,
     nullptr},
    {{.name = "max_turns",
      .type = KeyType::count,
      .fallback = "10000",
      .max = 1000000000,
      .reason =
          "A run that takes more turns fails with budget_turns: a loop must end. 0: no limit."},
     &AgentSettings::max_turns,
     nullptr},
    {{.name = "max_steps_open",
      .type = KeyType::count,
      .fallback = "16",
      .min = 1,
      .max = 1024,
      .reason =
          "Calls and timers of one run under way at once; one more fails it with budget_steps."},
     &AgentSettings::max_steps_open,
     nullptr},
    {{.name = "rate",
      .type = KeyType::rate,
      .fallback = "\"off\"",
      .max = 1000000,
      .reason = "Its tool calls, of all its runs together, like \"10/s\"; more of them wait."},
     &AgentSettings::rate,
     nullptr},
    {{.name = "deadline",
      .type = KeyType::duration,
      .fallback = "\"0s\"",
      .max = 3650 * day_ms,
      .reason = "A run that lives longer fails with deadline. 0s: none."},
     &AgentSettings::deadline,
     nullptr},
    {{.name = "config",
      .type = KeyType::table,
      .fallback = "{}",
      .max = section_config_bytes_max,
      .reason = "What the agent itself takes. It is given to every turn."},
     &AgentSettings::config,
     nullptr},
}};

const std::array<Key<TriggerSettings>, 7> trigger_keys = {{
    {{.name = "agent",
      .type = KeyType::text,
      .example = "\"watchdog\"",
      .max = limits::agent_name_bytes_max,
      .required = true,
      .reason = "The [[agent]] to which the events go."},
     &TriggerSettings::agent,
     check_agent_name},
    {{.name = "event",
      .type = KeyType::text,
      .example = "\"sysinfo.reading\"",
      .max = limits::event_type_bytes_max,
      .reason = "A pattern of event types: * is one segment, # any number. Either this or "
                "`schedule`."},
     &TriggerSettings::event,
     check_pattern},
    {{.name = "schedule",
      .type = KeyType::text,
      .example = "\"*/5 * * * *\"",
      .max = 128,
      .reason = "Minute, hour, day, month and weekday in UTC, as cron has them: at these times an "
                "event schedule.<agent> comes. What was missed while Limpet was down comes once."},
     &TriggerSettings::schedule,
     check_cron},
    {{.name = "subject",
      .type = KeyType::text,
      .example = "\"pump-*\"",
      .max = limits::event_attribute_bytes_max,
      .reason = "The event's subject: exact, or with * as its last character. Without it, any."},
     &TriggerSettings::subject,
     check_subject},
    {{.name = "key",
      .type = KeyType::text,
      .example = "\"{subject}\"",
      .max = limits::run_key_bytes_max,
      .reason =
          "From {source}, {subject} and {type}: an event goes to the live run of its key, else "
          "it begins one. Without it, each event begins a run."},
     &TriggerSettings::key,
     check_key_template},
    {unavailable("link", "this build has no links"), {}, nullptr},
    {unavailable("topic", "this build has no links"), {}, nullptr},
}};

constexpr std::array<std::string_view, 1> unavailable_sections = {"link"};

template <class Section>
SectionInfo section_of(std::string_view name, bool repeated, std::string_view reason) {
  SectionInfo section{name, repeated, reason, {}};
  for (const Key<Section>& key : keys<Section>()) section.keys.push_back(key.info);
  return section;
}

}  // namespace

template <>
std::span<const Key<Settings>> keys<Settings>() {
  return device_keys;
}
template <>
std::span<const Key<StoreSettings>> keys<StoreSettings>() {
  return store_keys;
}
template <>
std::span<const Key<ApiSettings>> keys<ApiSettings>() {
  return api_keys;
}
template <>
std::span<const Key<LimitSettings>> keys<LimitSettings>() {
  return limit_keys;
}
template <>
std::span<const Key<PluginSettings>> keys<PluginSettings>() {
  return plugin_keys;
}
template <>
std::span<const Key<AgentSettings>> keys<AgentSettings>() {
  return agent_keys;
}
template <>
std::span<const Key<TriggerSettings>> keys<TriggerSettings>() {
  return trigger_keys;
}

std::vector<SectionInfo> sections() {
  return {
      section_of<Settings>("", false, ""),
      section_of<StoreSettings>("store", false, "Where everything is kept."),
      section_of<ApiSettings>("api", false, "How other programs reach it."),
      section_of<LimitSettings>("limits", false, "What it may use."),
      section_of<PluginSettings>("plugin", true, "An instance of a plugin; one section each."),
      section_of<AgentSettings>("agent", true, "An agent that may run; one section each."),
      section_of<TriggerSettings>("trigger", true, "Which events go to which agent."),
      section_of<ClassSettings>("class", true,
                                "How long events are kept, and what gives way when there is no "
                                "room. Events of no class here are `work`: never dropped."),
      section_of<QueueSettings>("queue", true, "A queue of tasks for workers."),
      section_of<ToolSettings>("tool", true, "Limits of tools, and tools that workers answer."),
      section_of<ScheduleSettings>("schedule", true, "Tasks or events that come by the clock."),
      section_of<PrincipalSettings>("principal", true,
                                    "Who may do what over the API. Without any: whoever can open "
                                    "the socket may do everything, a token may read and submit."),
  };
}

std::span<const std::string_view> sections_unavailable() { return unavailable_sections; }

std::string range_of(const KeyInfo& key) {
  switch (key.type) {
    case KeyType::count: return std::to_string(key.min) + " to " + std::to_string(key.max);
    case KeyType::size: return show_size(key.min) + " to " + show_size(key.max);
    case KeyType::duration:
      return show_duration(milliseconds(static_cast<int64_t>(key.min))) + " to " +
             show_duration(milliseconds(static_cast<int64_t>(key.max)));
    case KeyType::rate: return "off, or up to " + std::to_string(key.max) + " in a time";
    case KeyType::choice: return "one of " + std::string(key.choices);
    case KeyType::text:
    case KeyType::path: return "at most " + std::to_string(key.max) + " bytes";
    case KeyType::list:
    case KeyType::path_list: return "at most " + std::to_string(list_entries_max) + " entries";
    case KeyType::table: return "at most " + show_size(key.max) + " as CBOR";
  }
  return {};
}

}  // namespace limpet::config
