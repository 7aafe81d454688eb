#pragma once

// Host: loads plugins into this process and is their only way to the rest of the house.
// Owner: the daemon. Thread: [main] for every function here; plugins call back from any thread and
// what they say reaches main through bounded queues. Fails with: a Refusal, one sentence, for what
// a person configured; an Error for what the caller can retry or route. Whatever a plugin does is
// counted and at worst ends with its instance in quarantine; it never asserts. Limits:
// base/limits.hpp, `host` part; a tool's concurrency and timeout from its manifest.
//
// In the order of a life:  load (each instance), start, [call | lookup | turn | settled]*, stop.
// Quick tools and turns run inline on main; other calls on the executor's workers.
//
// A plugin's code is never unloaded and an instance that would not drain is never freed: its
// threads may be anywhere. The price is its memory, until the restart that its quarantine calls for
// anyway.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "host/agent.hpp"
#include "host/executor.hpp"
#include "host/observer.hpp"
#include "host/tool.hpp"
#include "loop/function.hpp"

struct limpet_entry_point;

namespace limpet::host {

// Why a plugin cannot be used: the code for programs, one clear sentence for people.
struct Refusal {
  Error error;
  std::string sentence;  // "sysinfo: /usr/lib/limpet/sysinfo.so is built for ARM, this is x86-64"
};

struct InstanceSettings {
  std::string name;     // unique; [a-z0-9_-], at most limits::instance_name_bytes_max
  std::string id;       // "org.limpet.sysinfo"; may be empty when path is given
  std::string path;     // of the .so; empty: found by id, static plugins first
  ByteVector config;    // one CBOR map, secrets resolved; empty: the empty map
  ByteVector position;  // of its source, last committed; empty: none
};

struct AgentSettings {
  std::string_view instance;  // the plugin instance that holds it
  std::string_view name;      // which of the plugin's agents, if it holds several
  ByteSpan config;            // one CBOR map; empty: the empty map
};

struct HostOptions {
  std::vector<std::string> directories;                   // the plugin path, searched in order
  std::vector<const limpet_entry_point*> static_plugins;  // linked into this program
};

struct InstanceCounters {
  uint64_t calls = 0;
  uint64_t turns = 0;
  uint64_t events = 0;           // emitted and taken
  uint64_t errors = 0;           // calls and turns that failed
  uint64_t timeouts = 0;         // deadlines that passed
  uint64_t busy = 0;             // calls refused because the tool's concurrency was used up
  uint64_t emits_full = 0;       // emits answered with FULL
  uint64_t double_finishes = 0;  // also: finish for an id that never was
  uint64_t late_finishes = 0;    // after the deadline's outcome had been given
  uint64_t garbage = 0;          // results, decisions, events that were not what they must be
  uint64_t violations = 0;       // other broken rules of the ABI: host called from create, ...
  uint64_t log_drops = 0;        // log lines over the rate
};

struct InstanceInfo {
  std::string name, id, version, path;
  InstanceState state = InstanceState::loaded;
  std::string error;  // why it failed or is in quarantine; else its last error
  bool has_agents = false;
  bool has_sources = false;
  uint32_t agent_state_version = 0;  // what its agents write; 0: it has none
  uint32_t open_calls = 0;
  InstanceCounters counters;
};

using CallDone = loop::UniqueFunction<void(ToolResult)>;
using LookupDone = loop::UniqueFunction<void(Result<ToolResult>)>;
// The instances that did not drain, each with its open calls: "modbus: 2 calls did not finish".
using StopDone = loop::UniqueFunction<void(std::vector<std::string>)>;

class Host {
 public:
  // REQUIRES: stop() has reported, or start() was never called.
  virtual ~Host() = default;

  // Finds the file, checks it without running it, loads it, creates an instance and has it check
  // its config; nothing begins. Enough for `limpet check`. [main, blocking]
  [[nodiscard]] virtual std::optional<Refusal> load(const InstanceSettings& settings) = 0;

  // Activates every loaded instance and starts the sources. One that refuses is `failed`, the
  // others go on; the refusals are returned. Once. [main]
  [[nodiscard]] virtual std::vector<Refusal> start() = 0;

  // Takes no new work, stops sources and timers, waits for open calls until `deadline`, deactivates
  // and destroys. Returns at once; `done` comes on main, at the latest limits::cancel_grace_ms
  // after the deadline. Keep the executor running until then. Once, after start. [main]
  virtual void stop(BootTime deadline, StopDone done) = 0;

  // The tool with this name, or null. Lives until the host ends. [main, no-alloc]
  [[nodiscard]] virtual const ToolInfo* find_tool(std::string_view name) const = 0;
  // All tools, by name. [main]
  [[nodiscard]] virtual std::vector<const ToolInfo*> tools() const = 0;

  // Begins a call. ok: `done` comes exactly once on main, for a quick tool possibly before this
  // returns. Arguments that the tool's schema refuses are an outcome (failed), not an error here.
  // At the deadline the plugin is told to cancel; after limits::cancel_grace_ms without an answer
  // the outcome is `retry` when nothing began or the tool is repeatable, else `unknown`. Errors
  // (nothing happened, `done` never comes): not_found, busy (concurrency or workers used up),
  // plugin (not active), closed (stopping), exists (the id is open), invalid (id 0). [main]
  [[nodiscard]] virtual Result<void> call(ToolCall call, CallDone done) = 0;

  // A wish that an open call end early; its outcome still comes. An unknown id is no error. [main]
  virtual void cancel(uint64_t id) = 0;

  // Asks the plugin whether the call with this key happened; `call.id` names this question. The
  // result's outcome: done or failed (it did), retry (it did not), unknown (cannot say). `done`
  // gets an error when it could not look now (plugin, timeout). Errors here: as call(), and
  // unsupported when the tool has no lookup. [main]
  [[nodiscard]] virtual Result<void> lookup(ToolCall call, LookupDone done) = 0;

  // Lets an agent decide, inline. [main]
  [[nodiscard]] virtual Decision turn(const Turn& turn) = 0;

  // The fate of a taken emission: ok (on disk), or denied, invalid, full. Gives its credit back and
  // tells the plugin. In the order of the emissions of an instance. [main]
  virtual void settled(std::string_view instance, uint64_t emission, Result<void> fate) = 0;

  // Has a loaded instance this agent, and does its config keep the manifest's schema? [main]
  [[nodiscard]] virtual std::optional<Refusal> check_agent(const AgentSettings& settings) const = 0;

  // Every instance, in the order of load. [main]
  [[nodiscard]] virtual std::vector<InstanceInfo> describe() const = 0;
};

// `executor`, `observer` and `logger` outlive the host. [main]
[[nodiscard]] std::unique_ptr<Host> create_host(HostOptions options, Executor& executor,
                                                Observer& observer, Logger& logger);

}  // namespace limpet::host
