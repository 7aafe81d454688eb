#include <algorithm>

#include "config/loader.hpp"

// What only the whole tells about classes, queues, tools, schedules and principals.

namespace limpet::config {

namespace {

template <class Section>
const Section* find(const std::vector<Section>& sections, const std::string& name) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&name](const Section& entry) { return entry.name == name; });
  return found != sections.end() ? &*found : nullptr;
}

std::string names_of(const std::vector<QueueSettings>& queues) {
  std::string names;
  for (const QueueSettings& queue : queues) {
    names.append(names.empty() ? "there are: " : ", ").append(queue.name);
  }
  return names.empty() ? "there is none" : names;
}

std::string taken(const std::string& name) { return "'" + name + "' is taken; names are unique"; }

std::string no_queue(const std::string& name, const std::vector<QueueSettings>& queues) {
  return "no [[queue]] is named '" + name + "'; " + names_of(queues);
}

}  // namespace

void Loader::finish_api() {
  const ApiSettings& api = loaded_.settings.api;
  if (api.tcp.empty() || !api.token_file.empty()) return;
  problem({}, "api.token_file", "is missing: `tcp` is served to those with a token only");
}

void Loader::finish_classes() {
  const std::vector<ClassSettings>& classes = loaded_.settings.classes;
  for (size_t index = 0; index < classes.size(); ++index) {
    if (find(classes, classes[index].name) == &classes[index]) continue;
    problem(classes_[index].of("name"), "class.name", taken(classes[index].name));
  }
}

void Loader::finish_queues() {
  const std::vector<QueueSettings>& queues = loaded_.settings.queues;
  for (size_t index = 0; index < queues.size(); ++index) {
    const QueueSettings& queue = queues[index];
    const SectionPlaces& places = queues_[index];
    if (find(queues, queue.name) != &queue) {
      problem(places.of("name"), "queue.name", taken(queue.name));
    }
    if (queue.backoff_max < queue.backoff_min) {
      problem(places.of("backoff_max"), "queue.backoff_max", "is shorter than backoff_min");
    }
  }
}

void Loader::finish_tools() {
  const std::vector<ToolSettings>& tools = loaded_.settings.tools;
  const std::vector<QueueSettings>& queues = loaded_.settings.queues;
  for (size_t index = 0; index < tools.size(); ++index) {
    const ToolSettings& tool = tools[index];
    const SectionPlaces& places = tools_[index];
    if (find(tools, tool.name) != &tool) {
      problem(places.of("name"), "tool.name", taken(tool.name));
    }
    if (tool.queue.empty()) continue;
    if (find(queues, tool.queue) == nullptr) {
      problem(places.of("queue"), "tool.queue", no_queue(tool.queue, queues));
    }
    if (tool.name.find_first_of("*#") != std::string::npos) {
      problem(places.of("name"), "tool.name", "a tool that workers answer has one exact name");
    }
  }
}

void Loader::finish_schedules() {
  std::vector<ScheduleSettings>& schedules = loaded_.settings.schedules;
  const std::vector<QueueSettings>& queues = loaded_.settings.queues;
  for (size_t index = 0; index < schedules_.size(); ++index) {
    const ScheduleSettings& schedule = schedules[index];
    const SectionPlaces& places = schedules_[index];
    if (find(schedules, schedule.name) != &schedule) {
      problem(places.of("name"), "schedule.name", taken(schedule.name));
    }
    if (schedule.cron.empty() == (schedule.every.ns == 0)) {
      problem(places.section, "schedule", "wants either `cron` or `every`");
    }
    if (schedule.queue.empty() == schedule.event.empty()) {
      problem(places.section, "schedule", "wants either `queue` or `event`");
    }
    if (!schedule.queue.empty() && find(queues, schedule.queue) == nullptr) {
      problem(places.of("queue"), "schedule.queue", no_queue(schedule.queue, queues));
    }
  }
}

void Loader::finish_principals() {
  const std::vector<PrincipalSettings>& principals = loaded_.settings.principals;
  for (size_t index = 0; index < principals.size(); ++index) {
    if (find(principals, principals[index].name) == &principals[index]) continue;
    problem(principals_[index].of("name"), "principal.name", taken(principals[index].name));
  }
}

}  // namespace limpet::config
