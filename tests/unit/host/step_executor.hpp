#pragma once

// The world around a host under test, turned by hand: time passes when the test says so, posts and
// jobs run when it lets them, and everything said is kept.

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "codec/cbor_value.hpp"
#include "host/host.hpp"

namespace limpet::host::test {

class StepExecutor final : public Executor {
 public:
  BootTime now() const override;
  void post(loop::Task work) override;
  bool submit(loop::Task work) override;
  void wake_at(BootTime due, loop::Task work) override;
  void enter(std::string_view what) override { activities.emplace_back(what); }
  void leave() override {}

  // Runs what main has to do: posts, and the alarm if it is due. True: there was something.
  bool run_main();
  // Runs what the workers have to do, here. True: there was something.
  bool run_jobs();
  // Both, until nothing is left.
  void settle();
  void advance(Duration duration);
  // A job for a real thread.
  std::optional<loop::Task> take_job();
  [[nodiscard]] size_t posts() const;

  size_t jobs_max = 64;
  std::vector<std::string> activities;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<loop::Task> posts_;
  std::deque<loop::Task> jobs_;
  BootTime now_{1000000000};
  // Main.
  std::optional<BootTime> due_;
  loop::Task wake_;
};

class RecordingObserver final : public Observer {
 public:
  Taken emitted(const Emission& emission) override {
    if (emissions.size() >= room) return Taken::full;
    emissions.push_back(emission);
    return Taken::taken;
  }
  void state_changed(std::string_view instance, InstanceState state,
                     std::string_view reason) override {
    states.push_back(std::string(instance) + " " + std::string(to_string(state)));
    last_reason = reason;
  }
  void progressed(uint64_t call, uint32_t permille, std::string_view text) override {
    progress.push_back(std::to_string(call) + " " + std::to_string(permille) + " " +
                       std::string(text));
  }

  size_t room = SIZE_MAX;
  std::vector<Emission> emissions;
  std::vector<std::string> states;
  std::vector<std::string> progress;
  std::string last_reason;
};

class RecordingLogger final : public Logger {
 public:
  void line(LogLevel level, std::string_view part, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    lines.push_back(std::to_string(static_cast<int>(level)) + " " + std::string(part) + " " +
                    std::string(text));
  }
  std::vector<std::string> lines;

 private:
  std::mutex mutex_;
};

// A host with its world. Ends in good order whatever the test left open.
class World {
 public:
  explicit World(HostOptions options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Loads the stray plugin as "stray" (with a config) and starts.
  void start_stray(ByteVector config = {}, std::string position = {});
  // Begins a call of stray's; its result lands in `results`.
  Result<void> begin(uint64_t id, const std::string& tool, ByteVector arguments = {});
  // A call whose result is there at once.
  ToolResult call(const std::string& tool, ByteVector arguments = {});
  // The text that a quick tool answers.
  std::string ask(const std::string& tool, ByteVector arguments = {});
  std::vector<std::string> stop(Duration patience);
  // The test stopped the host itself.
  void forget_stop() { started_ = false; }
  [[nodiscard]] InstanceInfo info() const { return host->describe().front(); }
  [[nodiscard]] InstanceCounters counters() const { return info().counters; }

  StepExecutor executor;
  RecordingObserver observer;
  RecordingLogger logger;
  std::unique_ptr<Host> host;
  std::map<uint64_t, std::vector<ToolResult>> results;

 private:
  bool started_ = false;
  uint64_t last_id_ = 1000;
};

[[nodiscard]] std::string plugin_path(const std::string& name);
[[nodiscard]] InstanceSettings settings_of(const std::string& plugin);
// The text item as text; "?" for anything else.
[[nodiscard]] std::string text_of(ByteSpan item);

}  // namespace limpet::host::test
