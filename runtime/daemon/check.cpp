// `limpet check`: what `run` would do, without doing it.

#include <algorithm>

#include "daemon/daemon.hpp"
#include "daemon/logger.hpp"
#include "daemon/setup.hpp"
#include "host/loop_executor.hpp"

namespace limpet::daemon {

namespace {

// A host that is never started asks nothing of its observer.
class NoObserver final : public host::Observer {
 public:
  [[nodiscard]] host::Taken emitted(const host::Emission&) override { return host::Taken::full; }
  void state_changed(std::string_view, host::InstanceState, std::string_view) override {}
  void progressed(uint64_t, uint32_t, std::string_view) override {}
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text.empty() ? "none" : text;
}

void describe(const config::Settings& settings, const host::Host& host, std::string& text) {
  text.append("name      ").append(settings.name).append("\n");
  text.append("store     ").append(settings.store.path).append(", at most ");
  text.append(std::to_string(settings.store.max_bytes >> 20)).append(" MiB\n");
  text.append("socket    ").append(settings.api.socket).append("\n");
  for (const host::InstanceInfo& info : host.describe()) {
    text.append("plugin    ").append(info.name).append(": ").append(info.id).append(" ");
    text.append(info.version).append(" (").append(info.path).append(")\n");
  }
  for (const host::ToolInfo* tool : host.tools()) {
    text.append("tool      ").append(tool->name).append("\n");
  }
  for (const config::AgentSettings& agent : settings.agents) {
    text.append("agent     ").append(agent.name).append(" in ").append(agent.plugin);
    text.append(", tools: ").append(joined(agent.tools)).append("\n");
  }
  for (const config::TriggerSettings& trigger : settings.triggers) {
    text.append("trigger   ").append(trigger.event).append(" -> ").append(trigger.agent);
    if (!trigger.key.empty()) text.append(", one run per ").append(trigger.key);
    text.append("\n");
  }
}

}  // namespace

CheckReport check(const Options& options) {
  CheckReport report;
  Setup setup = load_setup(options);
  auto loop = loop::Loop::create({});
  if (!loop.ok()) return {1, "cannot start a loop: " + to_string(loop.error()) + "\n"};
  auto workers = loop::WorkerPool::create({});
  if (!workers.ok()) return {1, "cannot start workers: " + to_string(workers.error()) + "\n"};
  const platform::SystemClock clock;
  StandardErrorLogger logger(clock, LogLevel::warning, false);
  host::LoopExecutor executor(**loop, **workers);
  NoObserver observer;
  auto host = host::create_host(host_options(setup.settings), executor, observer, logger);
  if (setup.problems.empty()) {
    for (const config::PluginSettings& plugin : setup.settings.plugins) {
      if (const auto refusal = host->load(instance_settings(plugin))) {
        setup.problems.push_back(refusal->sentence);
      }
    }
    const Agents agents = make_agents(setup.settings, *host, setup.problems);
    describe(setup.settings, *host, report.text);
  }
  for (const std::string& problem : setup.problems) {
    report.exit_code = 1;
    report.text.append(problem).append("\n");
  }
  host.reset();
  (*workers)->stop();
  return report;
}

}  // namespace limpet::daemon
