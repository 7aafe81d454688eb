#include "daemon/status.hpp"

#include <array>

#include "api/json_writer.hpp"
#include "base/check.hpp"
#include "codec/json.hpp"
#include "daemon/metrics.hpp"
#include "daemon/queue_json.hpp"
#include "platform/memory.hpp"

namespace limpet::daemon {

namespace {

using api::JsonArray;
using api::JsonObject;

constexpr std::array<RunState, store::run_state_count> run_states = {
    RunState::queued,    RunState::running, RunState::waiting,  RunState::paused,
    RunState::completed, RunState::failed,  RunState::cancelled};

uint64_t percent(uint64_t part, uint64_t whole) { return whole == 0 ? 0 : part * 100 / whole; }

// ok -> high (80 %) -> critical (95 %) of max_bytes; failed: a commit did not reach the disk.
std::string_view store_state(const store::StoreInfo& info, bool failed) {
  if (failed) return "failed";
  const uint64_t used = percent(info.used_bytes, info.max_bytes);
  if (used >= 95) return "critical";
  return used >= 80 ? "high" : "ok";
}

}  // namespace

std::string Status::status() const {
  const House& house = parts_.house;
  std::string out;
  JsonObject object(out);
  object.text("name", parts_.settings.name);
  object.text("version", LIMPET_VERSION);
  object.text("epoch", to_string(house.store.epoch()));
  object.number("uptime_ms", static_cast<uint64_t>(to_ms(house.clock.boot() - started_)));
  object.member("store");
  store_members(out);
  object.member("queues");
  work_members(out);
  object.member("consumers");
  if (parts_.consumers != nullptr) {
    out.append(parts_.consumers->consumers_json());
  } else {
    JsonArray(out).end();
  }
  object.member("runs");
  {
    JsonObject runs(out);
    for (size_t index = 0; index < run_states.size(); ++index) {
      runs.number(to_string(run_states[index]), house.store.newest().runs[index]);
    }
    runs.end();
  }
  object.member("plugins");
  out.append(plugins());
  object.member("links");
  JsonArray(out).end();
  object.member("memory");
  memory_members(out);
  object.member("drops");
  {
    JsonObject drops(out);
    drops.number("refused", house.drops.refused);
    drops.number("class_full", house.drops.class_full);
    drops.number("unread", house.drops.unread);
    drops.number("inbox_full", house.drops.inbox_full);
    drops.number("trigger_depth", house.drops.trigger_depth);
    drops.number("dedup_shortened", house.dedup.stats().shortened);
    drops.number("unexpected", expect_failures());
    drops.end();
  }
  object.end();
  return out;
}

void Status::store_members(std::string& out) const {
  store::Store& store = parts_.house.store;
  const store::StoreInfo info = store.info();
  const auto snapshot = store.reader().snapshot();
  uint64_t first = 0;
  if (snapshot.ok()) {
    const Result<Sequence> sequence = snapshot->first_event();
    if (sequence.ok()) first = sequence->value();
  }
  JsonObject object(out);
  object.text("state", store_state(info, store.failure().has_value()));
  object.number("bytes", info.used_bytes);
  object.number("max_bytes", info.max_bytes);
  object.number("first", first);
  object.number("last", info.durable_end.value() - 1);
  object.number("events", store.newest().events);
  object.number("incarnation", store.incarnation().value());
  object.number("commits", info.writer.commits);
  object.number("changes", info.writer.changes);
  object.number("pending", info.writer.pending_changes);
  object.number("busy", info.writer.busy);
  object.number("full", info.refused_full);
  object.number("commit_us_last", info.writer.commit_ns_last / 1000);
  object.number("commit_us_max", info.writer.commit_ns_max / 1000);
  object.number("duplicates", parts_.intake.counters().duplicates);
  object.member("classes");
  class_members(out);
  object.end();
}

void Status::class_members(std::string& out) const {
  JsonArray classes(out);
  const Retention* retention = parts_.house.retention;
  for (uint8_t number = 0; retention != nullptr && number < store::classes_max; ++number) {
    const store::Classes::Class& entry = retention->classes().at(number);
    if (entry.name.empty()) continue;
    const store::ClassCount& count = parts_.house.store.newest().classes[number];
    const ClassCounters& counters = retention->counters(number);
    const bool relaxed = entry.settings.durability == store::Durability::relaxed;
    const bool rejects = entry.settings.on_full == store::OnFull::reject;
    classes.item();
    JsonObject object(out);
    object.text("name", entry.name);
    object.boolean("configured", entry.configured);
    object.text("on_full", rejects ? "reject" : "drop_oldest");
    object.text("durability", relaxed ? "relaxed" : "durable");
    object.number("loss_window_ms",
                  relaxed ? static_cast<uint64_t>(to_ms(store::relaxed_window)) : 0);
    object.number("first", count.first.value());
    object.number("events", count.events);
    object.number("bytes", count.bytes);
    object.number("bytes_max", entry.settings.max_bytes);
    object.number("trimmed", counters.trimmed_events);
    object.number("unread", counters.unread_events);
    object.number("refused", counters.refused);
    object.end();
  }
  classes.end();
}

void Status::work_members(std::string& out) const {
  JsonArray queues(out);
  queues.item();
  {
    const TurnCounters& counters = parts_.turns.counters();
    JsonObject turns(out);
    turns.text("name", "turns");
    turns.text("state", parts_.house.turns_paused ? "paused" : "open");
    turns.number("leased", parts_.turns.open());
    turns.number("done", counters.turns);
    turns.number("failed", counters.failed);
    turns.number("orphaned", counters.orphaned);
    turns.end();
  }
  queues.item();
  {
    const CallCounters& counters = parts_.calls.counters();
    JsonObject calls(out);
    calls.text("name", "calls");
    calls.text("state", parts_.house.calls_paused ? "paused" : "open");
    calls.number("leased", parts_.calls.open());
    calls.number("begun", counters.begun);
    calls.number("done", counters.done);
    calls.number("failed", counters.failed);
    calls.number("retried", counters.retried);
    calls.number("looked_up", counters.looked_up);
    calls.number("parked", counters.parked);
    calls.number("limited", counters.limited);
    calls.end();
  }
  if (parts_.house.queues != nullptr) {
    parts_.house.queues->each([&](const dispatch::QueueStats& stats) {
      queues.item();
      append_queue(out, stats);
    });
  }
  queues.end();
}

void Status::memory_members(std::string& out) const {
  const Result<platform::MemoryUse> use = platform::memory_use();
  JsonObject memory(out);
  memory.number("pss", use.ok() ? use->pss_bytes : 0);
  memory.number("anonymous", use.ok() ? use->anonymous_bytes : 0);
  memory.number("limit", parts_.settings.limits.memory_bytes);
  memory.end();
}

std::string Status::plugins() const {
  std::string out;
  JsonArray array(out);
  for (const host::InstanceInfo& info : parts_.host.describe()) {
    array.item();
    JsonObject plugin(out);
    plugin.text("name", info.name);
    plugin.text("id", info.id);
    plugin.text("version", info.version);
    plugin.text("isolation", "inproc");
    plugin.text("state", host::to_string(info.state));
    plugin.text_or_null("error", info.error);
    plugin.number("open_calls", info.open_calls);
    plugin.number("calls", info.counters.calls);
    plugin.number("turns", info.counters.turns);
    plugin.number("events", info.counters.events);
    plugin.number("errors", info.counters.errors);
    plugin.number("timeouts", info.counters.timeouts);
    plugin.number("busy", info.counters.busy);
    plugin.number("emits_full", info.counters.emits_full);
    plugin.number("double_finishes", info.counters.double_finishes);
    plugin.number("late_finishes", info.counters.late_finishes);
    plugin.number("garbage", info.counters.garbage);
    plugin.number("violations", info.counters.violations);
    plugin.end();
  }
  array.end();
  return out;
}

std::string Status::tools() const {
  std::string out;
  JsonArray array(out);
  for (const host::ToolInfo* tool : parts_.host.tools()) {
    array.item();
    JsonObject object(out);
    object.text("name", tool->name);
    object.text("description", tool->description);
    object.boolean("read_only", tool->hints.read_only);
    object.boolean("destructive", tool->hints.destructive);
    object.boolean("idempotent", tool->hints.idempotent);
    object.boolean("open_world", tool->hints.open_world);
    object.boolean("quick", tool->quick);
    object.boolean("lookup", tool->has_lookup);
    object.number("timeout_ms", tool->timeout_ms);
    object.number("concurrency", tool->concurrency);
    object.raw("arguments", tool->arguments_schema.empty() ? "{}" : tool->arguments_schema);
    object.end();
  }
  array.end();
  return out;
}

std::string Status::agents() const {
  std::string out;
  JsonArray array(out);
  for (const auto& [name, policy] : parts_.house.agents.all()) {
    array.item();
    JsonObject object(out);
    object.text("name", name);
    object.text("plugin", policy.instance);
    object.text("autonomy", run::to_string(policy.autonomy));
    object.number("max_turns", policy.turns_max);
    object.number("max_steps_open", policy.steps_open_max);
    object.member("tools");
    JsonArray tools(out);
    for (const std::string& pattern : policy.tools) {
      tools.item();
      codec::append_json_text(out, pattern);
    }
    tools.end();
    object.end();
  }
  array.end();
  return out;
}

std::string Status::metrics() const { return metrics_text(parts_); }

api::Health Status::health() const {
  const store::Store& store = parts_.house.store;
  if (const auto failure = store.failure()) {
    return {false, "The store has closed: " + to_string(*failure)};
  }
  if (to_ms(store.info().writer.pending_for) > commit_stall_ms) {
    return {false, "A commit has been on its way for more than 10 s."};
  }
  return {};
}

}  // namespace limpet::daemon
