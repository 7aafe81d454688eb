#include "config/explain.hpp"
#include "config/units.hpp"

namespace limpet::config {

namespace {

void append_line(std::string& out, std::string_view name, std::string_view text) {
  out.append(name).append(name.size() < 10 ? 10 - name.size() : 1, ' ').append(text).append("\n");
}

std::string_view name_of(Autonomy autonomy) {
  switch (autonomy) {
    case Autonomy::read_only: return "read_only";
    case Autonomy::supervised: return "supervised";
    case Autonomy::full: return "full";
  }
  return "";
}

std::string of_plugin(const PluginSettings& plugin) {
  return plugin.name + ": " + (plugin.id.empty() ? plugin.path : plugin.id) + ", " +
         (plugin.isolation == Isolation::inproc ? "in this process" : "in a process of its own");
}

std::string of_agent(const AgentSettings& agent) {
  std::string text = agent.name + ": in " + agent.plugin + ", ";
  text.append(name_of(agent.autonomy)).append(", tools");
  for (const std::string& tool : agent.tools) text.append(" ").append(tool);
  if (agent.tools.empty()) text.append(" none");
  text.append("; turns ")
      .append(agent.max_turns == 0 ? "unlimited" : std::to_string(agent.max_turns));
  text.append(", open steps ").append(std::to_string(agent.max_steps_open));
  if (agent.deadline.ns > 0) text.append(", deadline ").append(show_duration(agent.deadline));
  return text;
}

std::string of_trigger(const TriggerSettings& trigger) {
  std::string text = trigger.event;
  if (!trigger.subject.empty()) text.append(" with subject ").append(trigger.subject);
  text.append(" -> ").append(trigger.agent);
  return text.append(trigger.key.empty() ? ", a run each" : ", a run per " + trigger.key);
}

std::string of_class(const ClassSettings& entry) {
  std::string text = entry.name + ":";
  for (const std::string& type : entry.types) text.append(" ").append(type);
  if (entry.max_bytes > 0) text.append(", at most ").append(show_size(entry.max_bytes));
  if (entry.max_age.ns > 0) text.append(", ").append(show_duration(entry.max_age));
  text.append(entry.on_full == OnFull::reject ? ", then refused" : ", then the oldest leave");
  return text.append(entry.durability == Durability::relaxed ? ", relaxed" : "");
}

std::string of_queue(const QueueSettings& queue) {
  return queue.name + ": at most " + std::to_string(queue.max_tasks) + " tasks, " +
         show_size(queue.max_bytes) + ", then " +
         (queue.drop_oldest ? "the oldest die" : "refused") + "; " +
         std::to_string(queue.max_attempts) + " attempts, lease " + show_duration(queue.lease);
}

std::string of_schedule(const ScheduleSettings& schedule) {
  return schedule.name + ": " +
         (schedule.cron.empty() ? "every " + show_duration(schedule.every) : schedule.cron) +
         " -> " + (schedule.queue.empty() ? "event " + schedule.event : "queue " + schedule.queue);
}

}  // namespace

std::string describe(const Settings& settings) {
  std::string out;
  append_line(out, "name", settings.name.empty() ? "the host's" : settings.name);
  append_line(out, "store",
              settings.store.path + ", at most " + show_size(settings.store.max_bytes) +
                  ", linger " + std::to_string(settings.store.linger_ms) + " ms");
  append_line(out, "api", settings.api.socket);
  append_line(out, "memory", show_size(settings.limits.memory_bytes));
  for (const PluginSettings& plugin : settings.plugins)
    append_line(out, "plugin", of_plugin(plugin));
  for (const AgentSettings& agent : settings.agents) append_line(out, "agent", of_agent(agent));
  for (const TriggerSettings& trigger : settings.triggers) {
    append_line(out, "trigger", of_trigger(trigger));
  }
  for (const ClassSettings& entry : settings.classes) append_line(out, "class", of_class(entry));
  for (const QueueSettings& queue : settings.queues) append_line(out, "queue", of_queue(queue));
  for (const ToolSettings& tool : settings.tools) {
    if (!tool.queue.empty()) append_line(out, "tool", tool.name + " -> queue " + tool.queue);
  }
  for (const ScheduleSettings& schedule : settings.schedules) {
    append_line(out, "schedule", of_schedule(schedule));
  }
  return out;
}

}  // namespace limpet::config
