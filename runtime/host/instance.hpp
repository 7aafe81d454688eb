#pragma once

// Instance: one [[plugin]] entry at work: the plugin's half and ours, and every call across.
// Owner: shared by the host and by the jobs that run its calls on workers; one whose threads would
// not end keeps itself (abandon), because they may still speak to it. Thread: as tagged; what is
// not [any] or [worker] is [main]. Fails with sentences: whatever the plugin says or does is an
// answer.

#include <limpet/ext/draft/agents.h>
#include <limpet/ext/draft/sources.h>
#include <limpet/ext/draft/timer.h>
#include <limpet/ext/draft/tools.h>
#include <limpet/plugin.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "host/call_table.hpp"
#include "host/emission_queue.hpp"
#include "host/error_texts.hpp"
#include "host/host.hpp"
#include "host/manifest.hpp"
#include "host/plugin_log.hpp"
#include "host/plugin_timers.hpp"
#include "host/turn_window.hpp"

namespace limpet::host {

// Where an instance comes from; plain data.
struct InstanceOrigin {
  InstanceSettings settings;  // with its name
  Manifest manifest;
  std::string manifest_text;
  std::string path;  // empty: linked into this program
  const limpet_entry_point* entry = nullptr;
};

// nullopt: it went well.
using Problem = std::optional<std::string>;

class Instance : public std::enable_shared_from_this<Instance> {
 public:
  Instance(InstanceOrigin origin, std::shared_ptr<Mailbox> mailbox, Logger& logger);
  ~Instance() = default;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // The life cycle, in this order; each problem is a sentence without the instance's name.
  [[nodiscard]] Problem create();  // also: does the code keep what the manifest says?
  [[nodiscard]] Problem check();
  [[nodiscard]] Problem activate();
  [[nodiscard]] Problem start_source();
  void stop_source();
  void deactivate();
  void destroy();
  // Never freed from now on; the logger is not used any more.
  void abandon();

  // Runs call() or lookup(); true: that completed it. [main for quick tools, worker]
  [[nodiscard]] bool run_call(const ToolCall& call, const std::string& tool);
  [[nodiscard]] bool run_lookup(const ToolCall& call, const std::string& tool);
  void cancel(uint64_t id);
  [[nodiscard]] Decision turn(const Turn& turn, uint64_t turn_id);
  void settled(uint64_t token, const Result<void>& fate);
  void tick(uint32_t timer);

  [[nodiscard]] const std::string& name() const { return origin_.settings.name; }
  [[nodiscard]] const Manifest& manifest() const { return origin_.manifest; }
  [[nodiscard]] bool has_lookup() const;
  [[nodiscard]] bool has_agents() const { return agents_ != nullptr; }
  [[nodiscard]] bool has_sources() const { return sources_ != nullptr; }
  [[nodiscard]] InstanceInfo describe() const;

  [[nodiscard]] InstanceState state() const { return state_; }
  void set_state(InstanceState state, std::string reason);
  void note_error(std::string sentence) { error_ = std::move(sentence); }

  // What plugin_side.cpp works on. [any]
  CallTable& calls() { return calls_; }
  EmissionQueue& emissions() { return emissions_; }
  PluginTimers& timers() { return timers_; }
  PluginLog& log() { return log_; }
  ErrorTexts& texts() { return texts_; }
  TurnWindow& window() { return window_; }
  LiveCounters& counters() { return counters_; }
  // create() has returned: the plugin may call us. [any]
  [[nodiscard]] bool callable() const { return callable_.load(std::memory_order_acquire); }

 private:
  struct Entered {
    limpet_status status = LIMPET_OK;
    std::string text;
    bool threw = false;
  };
  template <class Function>
  Entered enter(Function function);
  [[nodiscard]] Problem entered_problem(const char* function, const Entered& entered) const;
  [[nodiscard]] Problem check_face() const;
  [[nodiscard]] Problem fetch_extensions();
  [[nodiscard]] limpet_bytes config() const;
  template <class Function>
  [[nodiscard]] bool run(const ToolCall& call, const std::string& tool, Function function);

  // Constant after construction.
  const InstanceOrigin origin_;
  const std::shared_ptr<Mailbox> mailbox_;
  const ByteVector config_;
  limpet_host face_;  // what the plugin sees of us

  // Own synchronisation.
  LiveCounters counters_;
  CallTable calls_;
  EmissionQueue emissions_;
  PluginTimers timers_;
  PluginLog log_;
  ErrorTexts texts_;
  TurnWindow window_;
  std::atomic<bool> callable_{false};

  // Main; constant once created.
  const limpet_plugin* plugin_ = nullptr;
  const limpet_plugin_tools* tools_ = nullptr;
  const limpet_plugin_agents* agents_ = nullptr;
  const limpet_plugin_sources* sources_ = nullptr;
  const limpet_plugin_timer* timer_ = nullptr;
  // Main.
  InstanceState state_ = InstanceState::loaded;
  std::string error_;
  std::shared_ptr<Instance> self_;  // set by abandon: a circle on purpose
};

// The functions that an instance's plugin is given; `host_data` must be set to the instance.
[[nodiscard]] limpet_host make_face(const char* name);

}  // namespace limpet::host
