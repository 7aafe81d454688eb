#include "host/in_process.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "host/entry.hpp"

namespace limpet::host {

namespace {

Refusal refuse(ErrorCode code, const std::string& name, std::string_view sentence) {
  return {Error{code, "host: load plugin"}, std::string(name).append(": ").append(sentence)};
}

bool still_runs(const Instance& instance) {
  return instance.state() == InstanceState::active ||
         instance.state() == InstanceState::quarantined;
}

}  // namespace

InProcessHost::InProcessHost(HostOptions options, Executor& executor, Observer& observer,
                             Logger& logger)
    : options_(std::move(options)),
      executor_(executor),
      observer_(observer),
      logger_(logger),
      mailbox_(std::make_shared<Mailbox>(executor, [this] { deliver(); })) {}

InProcessHost::~InProcessHost() {
  LIMPET_EXPECT(!started_ || stopped_);
  mailbox_->close();
  for (const auto& instance : instances_) {
    if (instance->state() == InstanceState::loaded) instance->destroy();
    if (still_runs(*instance)) instance->abandon();
  }
}

std::optional<Refusal> InProcessHost::load(const InstanceSettings& settings) {
  LIMPET_ASSERT(!started_);
  auto found = find_origin(options_, settings);
  if (auto* refusal = std::get_if<Refusal>(&found)) return std::move(*refusal);
  InstanceOrigin origin = std::get<InstanceOrigin>(std::move(found));
  const std::string name = origin.settings.name;
  if (find_instance(name) != nullptr) {
    return refuse(ErrorCode::exists, name, "two plugins have this name");
  }
  if (instances_.size() == limits::instances_max) {
    return refuse(ErrorCode::full, name, "more plugins than Limpet takes");
  }
  if (std::optional<Refusal> refusal = open_entry(origin)) return refusal;
  auto instance = std::make_shared<Instance>(std::move(origin), mailbox_, logger_);
  Problem problem = instance->create();
  if (!problem) problem = instance->check();
  if (problem) {
    instance->destroy();
    return refuse(ErrorCode::plugin, name, *problem);
  }
  instances_.push_back(instance);
  add_tools(instance);
  return std::nullopt;
}

void InProcessHost::add_tools(const std::shared_ptr<Instance>& instance) {
  for (const ManifestTool& described : instance->manifest().tools) {
    Tool tool;
    tool.own_name = described.name;
    tool.instance = instance;
    tool.info.name = instance->name() + "." + described.name;
    tool.info.instance = instance->name();
    tool.info.description = described.description;
    tool.info.hints = described.hints;
    tool.info.quick = described.quick;
    tool.info.timeout_ms = described.timeout_ms;
    tool.info.concurrency = described.concurrency;
    tool.info.has_lookup = instance->has_lookup();
    tool.info.arguments_schema = described.arguments.json;
    tool.schema = described.arguments.compiled;
    std::string name = tool.info.name;
    tools_.emplace(std::move(name), std::move(tool));
  }
}

std::vector<Refusal> InProcessHost::start() {
  LIMPET_ASSERT(!started_);
  started_ = true;
  std::vector<Refusal> refusals;
  for (const auto& instance : instances_) {
    executor_.enter(instance->name());
    Problem problem = instance->activate();
    executor_.leave();
    if (problem) {
      instance->destroy();
      refusals.push_back(refuse(ErrorCode::plugin, instance->name(), *problem));
      change_state(*instance, InstanceState::failed, *problem);
      continue;
    }
    change_state(*instance, InstanceState::active, {});
  }
  // After all are active: what the first event sets in motion may need any of them.
  for (const auto& instance : instances_) {
    if (instance->state() != InstanceState::active) continue;
    if (Problem problem = instance->start_source()) {
      refusals.push_back(refuse(ErrorCode::plugin, instance->name(), *problem));
      instance->note_error(*std::move(problem));
    }
  }
  deliver();
  return refusals;
}

Instance* InProcessHost::find_instance(std::string_view name) const {
  const auto found = std::find_if(instances_.begin(), instances_.end(),
                                  [&](const auto& instance) { return instance->name() == name; });
  return found == instances_.end() ? nullptr : found->get();
}

void InProcessHost::change_state(Instance& instance, InstanceState state,
                                 const std::string& reason) {
  instance.set_state(state, reason);
  std::string text = "plugin " + instance.name() + " is " + std::string(to_string(state));
  if (!reason.empty()) text += ": " + reason;
  const bool bad = state == InstanceState::failed || state == InstanceState::quarantined;
  logger_.line(bad ? LogLevel::error : LogLevel::info, "host", text);
  observer_.state_changed(instance.name(), state, reason);
}

// It is not called any more, not even to stop; what it still hands over is taken or counted.
void InProcessHost::quarantine(Instance& instance, const std::string& reason) {
  if (instance.state() != InstanceState::active) return;
  instance.timers().close();
  instance.emissions().drop();
  change_state(instance, InstanceState::quarantined, reason);
}

void InProcessHost::deliver() {
  for (size_t index = 0; index < instances_.size(); ++index) collect(*instances_[index]);
  arm();
  check_stopped();
}

void InProcessHost::collect(Instance& instance) {
  for (Progress& progress : instance.calls().take_progress()) {
    observer_.progressed(progress.id, progress.permille, progress.text);
  }
  for (Completion& completion : instance.calls().take()) finish(std::move(completion));
  if (!instance.emissions().offer(observer_)) {
    emission_retry_ = executor_.now() + milliseconds(limits::emission_retry_ms);
    arm();
  }
  if (instance.counters().faults() >= limits::plugin_faults_max) {
    quarantine(instance, "it broke the rules of the plugin ABI " +
                             std::to_string(limits::plugin_faults_max) + " times");
  }
}

void InProcessHost::settled(std::string_view name, uint64_t emission, Result<void> fate) {
  Instance* const instance = find_instance(name);
  if (instance == nullptr) return;
  const EmissionQueue::Settled settled = instance->emissions().settle(emission);
  if (!settled.known) return;  // dropped with its instance's quarantine
  if (instance->state() == InstanceState::active && settled.token != 0) {
    executor_.enter(instance->name());
    instance->settled(settled.token, fate);
    executor_.leave();
  }
  // Credit came back: what the observer was too full for may pass now.
  if (emission_retry_ || stopping_) mailbox_->ring();
}

std::optional<Refusal> InProcessHost::check_agent(const AgentSettings& settings) const {
  const auto refused = [&](ErrorCode code, const std::string& sentence) {
    return Refusal{Error{code, "host: check agent"},
                   "agent " + std::string(settings.name) + ": " + sentence};
  };
  const Instance* const instance = find_instance(settings.instance);
  if (instance == nullptr) {
    return refused(ErrorCode::not_found, "no plugin " + std::string(settings.instance));
  }
  const std::vector<ManifestAgent>& agents = instance->manifest().agents;
  if (agents.empty()) {
    return refused(ErrorCode::not_found, "plugin " + instance->name() + " has no agents");
  }
  // A plugin with one agent gives it whatever name the config likes.
  auto agent = agents.begin();
  if (agents.size() > 1) {
    agent = std::find_if(agent, agents.end(),
                         [&](const ManifestAgent& entry) { return entry.name == settings.name; });
  }
  if (agent == agents.end()) {
    return refused(ErrorCode::not_found, "plugin " + instance->name() + " has none of this name");
  }
  constexpr uint8_t empty_map[] = {0xa0};
  const ByteSpan config = settings.config.empty() ? ByteSpan(empty_map) : settings.config;
  const auto refusal = agent->config.compiled.check(config);
  if (!refusal) return std::nullopt;
  return refused(ErrorCode::invalid, "config: " + refusal->detail);
}

std::vector<InstanceInfo> InProcessHost::describe() const {
  std::vector<InstanceInfo> infos;
  for (const auto& instance : instances_) infos.push_back(instance->describe());
  return infos;
}

void InProcessHost::wake() {
  armed_.reset();
  const BootTime now = executor_.now();
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    const uint64_t id = alarms_.begin()->second;
    expire(id);
  }
  if (emission_retry_ && *emission_retry_ <= now) emission_retry_.reset();
  tick_timers(now);
  deliver();
}

void InProcessHost::tick_timers(BootTime now) {
  for (const auto& instance : instances_) {
    if (instance->state() != InstanceState::active) continue;
    for (const uint32_t timer : instance->timers().take_due(now)) {
      executor_.enter(instance->name());
      instance->tick(timer);
      executor_.leave();
    }
  }
}

// Orders one alarm for the next thing that time brings.
void InProcessHost::arm() {
  std::optional<BootTime> next = emission_retry_;
  const auto earlier = [&](std::optional<BootTime> due) {
    if (due && (!next || *due < *next)) next = due;
  };
  if (!alarms_.empty()) earlier(alarms_.begin()->first);
  for (const auto& instance : instances_) earlier(instance->timers().next_due());
  if (stopping_ && !stopped_) {
    earlier(stop_deadline_ + milliseconds(limits::cancel_grace_ms));
  }
  if (!next || armed_ == next) return;
  armed_ = next;
  executor_.wake_at(*next, [this, mailbox = mailbox_] {
    if (mailbox->open()) wake();
  });
}

void InProcessHost::stop(BootTime deadline, StopDone done) {
  LIMPET_ASSERT(started_ && !stopping_);
  stopping_ = true;
  stop_deadline_ = std::max(deadline, executor_.now());
  stop_done_ = std::move(done);
  for (const auto& instance : instances_) {
    if (instance->state() != InstanceState::active) continue;
    executor_.enter(instance->name());
    instance->stop_source();
    executor_.leave();
  }
  for (auto& [id, pending] : pending_) {
    if (pending.phase == Phase::open && pending.alarm > stop_deadline_) {
      set_alarm(id, pending, stop_deadline_);
    }
  }
  // Not from inside: whoever stops us finishes its own work first.
  mailbox_->ring();
}

void InProcessHost::check_stopped() {
  if (!stopping_ || stopped_) return;
  const bool out_of_time =
      executor_.now() >= stop_deadline_ + milliseconds(limits::cancel_grace_ms);
  const bool idle = std::all_of(instances_.begin(), instances_.end(), [](const auto& instance) {
    return !still_runs(*instance) ||
           (instance->calls().open_count() == 0 && instance->emissions().idle());
  });
  if (idle || out_of_time) finish_stop();
}

void InProcessHost::finish_stop() {
  stopped_ = true;
  std::vector<uint64_t> unanswered;
  for (const auto& [id, pending] : pending_) {
    if (pending.phase != Phase::overdue) unanswered.push_back(id);
  }
  for (const uint64_t id : unanswered) give_up(pending_.find(id));
  std::vector<std::string> unfinished;
  for (const auto& instance : instances_) {
    if (instance->state() == InstanceState::quarantined) instance->abandon();
    if (instance->state() != InstanceState::active) continue;
    const size_t open = instance->calls().open_count();
    if (open > 0) {
      const std::string count = std::to_string(open) + (open == 1 ? " call" : " calls");
      unfinished.push_back(instance->name() + ": " + count + " did not finish");
      quarantine(*instance, count + " did not finish");
      instance->abandon();
      continue;
    }
    instance->emissions().drop();
    executor_.enter(instance->name());
    instance->deactivate();
    instance->destroy();
    executor_.leave();
    change_state(*instance, InstanceState::stopped, {});
  }
  StopDone done = std::move(stop_done_);
  done(std::move(unfinished));  // may destroy this host: nothing of it is touched after
}

std::unique_ptr<Host> create_host(HostOptions options, Executor& executor, Observer& observer,
                                  Logger& logger) {
  return std::make_unique<InProcessHost>(std::move(options), executor, observer, logger);
}

}  // namespace limpet::host
