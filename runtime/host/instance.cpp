#include "host/instance.hpp"

#include <cstddef>
#include <utility>

#include "base/check.hpp"
#include "codec/cbor.hpp"

namespace limpet::host {

namespace {

constexpr uint8_t empty_map = 0xa0;

limpet_bytes borrow(ByteSpan bytes) { return {bytes.data(), static_cast<uint32_t>(bytes.size())}; }

bool is_map(ByteSpan item) { return codec::CborReader(item).peek() == codec::CborKind::map; }

ByteVector map_or_empty(const ByteVector& config) {
  return config.empty() ? ByteVector{empty_map} : config;
}

std::string dotted(unsigned major, unsigned minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

Problem lie(std::string_view sentence) {
  return "its manifest does not tell the truth: " + std::string(sentence);
}

limpet_status status_of(const Result<void>& fate) {
  if (fate) return LIMPET_OK;
  switch (fate.error().code) {
    case ErrorCode::denied: return LIMPET_DENIED;
    case ErrorCode::full:
    case ErrorCode::busy: return LIMPET_FULL;
    default: return LIMPET_INVALID;
  }
}

}  // namespace

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::loaded: return "loaded";
    case InstanceState::active: return "active";
    case InstanceState::failed: return "failed";
    case InstanceState::quarantined: return "quarantined";
    case InstanceState::stopped: return "stopped";
  }
  return "";
}

Instance::Instance(InstanceOrigin origin, std::shared_ptr<Mailbox> mailbox, Logger& logger)
    : origin_(std::move(origin)),
      mailbox_(std::move(mailbox)),
      config_(map_or_empty(origin_.settings.config)),
      face_(make_face(origin_.settings.name.c_str())),
      calls_(*mailbox_, counters_),
      emissions_({origin_.settings.name, origin_.manifest.source_types}, *mailbox_, counters_),
      timers_(*mailbox_),
      log_("host/" + origin_.settings.name, logger, *mailbox_, counters_) {
  face_.host_data = this;
}

// Runs the plugin's function with its error text caught, and an exception too, which no plugin may
// let out.
template <class Function>
Instance::Entered Instance::enter(Function function) {
  const ErrorTexts::Scope scope(texts_);
  Entered entered;
  try {
    entered.status = function();
  } catch (...) {
    counters_.violations.add();
    entered.status = LIMPET_INTERNAL;
    entered.threw = true;
  }
  entered.text = scope.text(limpet_status_text(entered.status));
  return entered;
}

Problem Instance::entered_problem(const char* function, const Entered& entered) const {
  if (entered.threw) return std::string(function) + "() threw an exception";
  if (entered.status == LIMPET_OK) return std::nullopt;
  return std::string(function) + "() says: " + entered.text;
}

limpet_bytes Instance::config() const { return borrow(config_); }

Problem Instance::create() {
  const limpet_entry_point& entry = *origin_.entry;
  const limpet_plugin* plugin = nullptr;
  const Entered entered = enter([&] { return entry.create(&face_, &plugin); });
  if (Problem problem = entered_problem("create", entered)) return problem;
  if (plugin == nullptr) return "create() says it went well, but there is no instance";
  plugin_ = plugin;
  callable_.store(true, std::memory_order_release);
  if (Problem problem = check_face()) {
    plugin_ = nullptr;  // what it points at cannot be used, not even to destroy it
    return problem;
  }
  return fetch_extensions();
}

Problem Instance::check_face() const {
  if (plugin_->struct_size < sizeof(limpet_plugin)) {
    return "its limpet_plugin has " + std::to_string(plugin_->struct_size) + " bytes, not " +
           std::to_string(sizeof(limpet_plugin));
  }
  if (limpet_abi_fits(plugin_->abi_major, plugin_->abi_minor) == 0) {
    return "its instance is of plugin ABI " + dotted(plugin_->abi_major, plugin_->abi_minor) +
           ", this Limpet speaks " + dotted(LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR);
  }
  if (plugin_->check == nullptr || plugin_->activate == nullptr || plugin_->deactivate == nullptr ||
      plugin_->destroy == nullptr || plugin_->get_extension == nullptr) {
    return "a function of its limpet_plugin is missing";
  }
  return std::nullopt;
}

Problem Instance::fetch_extensions() {
  const auto get = [&](const char* id) -> const void* {
    const void* extension = nullptr;
    const Entered entered = enter([&] {
      extension = plugin_->get_extension(plugin_, id);
      return LIMPET_OK;
    });
    return entered.threw ? nullptr : extension;
  };
  tools_ = static_cast<const limpet_plugin_tools*>(get(LIMPET_EXT_TOOLS));
  agents_ = static_cast<const limpet_plugin_agents*>(get(LIMPET_EXT_AGENTS));
  sources_ = static_cast<const limpet_plugin_sources*>(get(LIMPET_EXT_SOURCES));
  timer_ = static_cast<const limpet_plugin_timer*>(get(LIMPET_EXT_TIMER));

  const Manifest& manifest = origin_.manifest;
  if (!manifest.tools.empty() && (!tools_ || !tools_->call || !tools_->cancel)) {
    return lie("it lists tools, but the code has none");
  }
  if (!manifest.agents.empty() && (!agents_ || !agents_->turn)) {
    return lie("it lists agents, but the code has none");
  }
  if (!manifest.source_types.empty() && (!sources_ || !sources_->start || !sources_->stop)) {
    return lie("it lists sources, but the code has none");
  }
  if (!manifest.agents.empty() && (agents_->state_version != manifest.state_version ||
                                   agents_->state_version_min != manifest.state_version_min)) {
    return lie("its agents' state versions differ from the code's");
  }
  // What the manifest does not list is not used: nobody could have agreed to it.
  if (manifest.tools.empty()) tools_ = nullptr;
  if (manifest.agents.empty()) agents_ = nullptr;
  if (manifest.source_types.empty()) sources_ = nullptr;
  return std::nullopt;
}

Problem Instance::check() {
  const Result<void> valid = codec::validate(config_);
  if (!valid) return std::string("the config is no CBOR: ") + valid.error().where;
  if (const auto refusal = origin_.manifest.config.compiled.check(config_)) {
    return "config: " + refusal->detail;
  }
  return entered_problem("check", enter([&] { return plugin_->check(plugin_, config()); }));
}

Problem Instance::activate() {
  timers_.open();
  Problem problem =
      entered_problem("activate", enter([&] { return plugin_->activate(plugin_, config()); }));
  if (problem) timers_.close();
  return problem;
}

Problem Instance::start_source() {
  if (sources_ == nullptr) return std::nullopt;
  emissions_.open();
  const ByteVector& position = origin_.settings.position;
  Problem problem =
      entered_problem("start", enter([&] { return sources_->start(plugin_, borrow(position)); }));
  if (problem) emissions_.close();
  return problem;
}

void Instance::stop_source() {
  timers_.close();
  if (sources_ == nullptr) return;
  enter([&] { return sources_->stop(plugin_), LIMPET_OK; });
  emissions_.close();
}

void Instance::deactivate() {
  enter([&] { return plugin_->deactivate(plugin_), LIMPET_OK; });
}

void Instance::destroy() {
  if (plugin_ == nullptr) return;
  const limpet_plugin* const plugin = std::exchange(plugin_, nullptr);
  enter([&] { return plugin->destroy(plugin), LIMPET_OK; });
  log_.close();
}

void Instance::abandon() {
  self_ = shared_from_this();
  emissions_.drop();
  timers_.close();
  log_.close();
}

template <class Function>
bool Instance::run(const ToolCall& call, const std::string& tool, Function function) {
  limpet_call borrowed{};
  borrowed.struct_size = sizeof borrowed;
  borrowed.attempt = call.attempt;
  borrowed.id = call.id;
  borrowed.deadline_ns = call.deadline.ns;
  borrowed.tool = tool.c_str();
  borrowed.key = call.key.c_str();
  borrowed.arguments = borrow(call.arguments);
  limpet_result result{};
  result.struct_size = sizeof result;
  Entered entered = enter([&] { return function(borrowed, result); });
  Returned returned{entered.status, std::move(entered.text), entered.threw, &result};
  return calls_.returned(call.id, std::move(returned));
}

bool Instance::run_call(const ToolCall& call, const std::string& tool) {
  return run(call, tool, [this](const limpet_call& borrowed, limpet_result&) {
    return tools_->call(plugin_, &borrowed);
  });
}

bool Instance::run_lookup(const ToolCall& call, const std::string& tool) {
  return run(call, tool, [this](const limpet_call& borrowed, limpet_result& result) {
    return tools_->lookup(plugin_, &borrowed, &result);
  });
}

void Instance::cancel(uint64_t id) {
  enter([&] { return tools_->cancel(plugin_, id), LIMPET_OK; });
}

Decision Instance::turn(const Turn& turn, uint64_t turn_id) {
  const auto failed = [&](ErrorCode code, std::string sentence) {
    counters_.errors.add();
    error_ = sentence;
    return Decision{Error{code, "host: turn"}, std::move(sentence), {}};
  };
  counters_.turns.add();
  if (turn.state_version != 0 && (turn.state_version < agents_->state_version_min ||
                                  turn.state_version > agents_->state_version)) {
    return failed(ErrorCode::unsupported,
                  "the run's state has version " + std::to_string(turn.state_version) +
                      ", the plugin reads " + std::to_string(agents_->state_version_min) + " to " +
                      std::to_string(agents_->state_version));
  }
  const std::string run_name(turn.run);
  const std::string agent_name(turn.agent);
  limpet_turn borrowed{};
  borrowed.struct_size = sizeof borrowed;
  borrowed.state_version = turn.state_version;
  borrowed.id = turn_id;
  borrowed.now_ns = turn.now.ns;
  borrowed.seed = turn.seed;
  borrowed.run = run_name.c_str();
  borrowed.agent = agent_name.c_str();
  borrowed.config = turn.config.empty() ? limpet_bytes{&empty_map, 1} : borrow(turn.config);
  borrowed.state = borrow(turn.state);
  borrowed.event = borrow(turn.event);
  limpet_buffer decided{};
  const TurnWindow::Opened open(window_, turn_id, turn.reader);
  const Entered entered = enter([&] { return agents_->turn(plugin_, &borrowed, &decided); });
  Result<ByteVector> bytes = take_item(decided, LIMPET_AGENT_DECISION_BYTES_MAX);
  if (Problem problem = entered_problem("turn", entered)) {
    return failed(ErrorCode::plugin, *std::move(problem));
  }
  if (!bytes || !is_map(*bytes)) {
    counters_.garbage.add();
    return failed(ErrorCode::plugin, std::string("the decision was refused: ") +
                                         (bytes ? "it is not a map" : bytes.error().where));
  }
  return Decision{{}, {}, std::move(bytes).value()};
}

void Instance::settled(uint64_t token, const Result<void>& fate) {
  if (token == 0 || sources_ == nullptr || sources_->settled == nullptr) return;
  enter([&] { return sources_->settled(plugin_, token, status_of(fate)), LIMPET_OK; });
}

void Instance::tick(uint32_t timer) {
  if (timer_ == nullptr || timer_->on_timer == nullptr) return;
  enter([&] { return timer_->on_timer(plugin_, timer), LIMPET_OK; });
}

bool Instance::has_lookup() const { return tools_ != nullptr && tools_->lookup != nullptr; }

void Instance::set_state(InstanceState state, std::string reason) {
  state_ = state;
  if (!reason.empty()) error_ = std::move(reason);
}

InstanceInfo Instance::describe() const {
  InstanceInfo info;
  info.name = name();
  info.id = origin_.manifest.id;
  info.version = origin_.manifest.version;
  info.path = origin_.path;
  info.state = state_;
  info.error = error_;
  info.has_agents = has_agents();
  info.has_sources = has_sources();
  info.agent_state_version = origin_.manifest.state_version;
  info.open_calls = static_cast<uint32_t>(calls_.open_count());
  info.counters = counters_.get();
  return info;
}

}  // namespace limpet::host
