#pragma once

// Process: the daemon's parts, wired. Built in the order of the layers, taken down in the reverse
// order. Owner: run(). Thread: [main].

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admit/dedup.hpp"
#include "admit/triggers.hpp"
#include "api/api.hpp"
#include "config/settings.hpp"
#include "daemon/agents.hpp"
#include "daemon/calls.hpp"
#include "daemon/consumer_house.hpp"
#include "daemon/drop_reports.hpp"
#include "daemon/imports.hpp"
#include "daemon/intake.hpp"
#include "daemon/logger.hpp"
#include "daemon/queue_house.hpp"
#include "daemon/retention.hpp"
#include "daemon/runs.hpp"
#include "daemon/schedules.hpp"
#include "daemon/services.hpp"
#include "daemon/timers.hpp"
#include "daemon/turns.hpp"
#include "host/loop_executor.hpp"
#include "loop/loop.hpp"
#include "loop/signals.hpp"
#include "loop/stall_watch.hpp"
#include "platform/service_manager.hpp"

namespace limpet::daemon {

class Process final : public host::Observer {
 public:
  Process(config::Settings settings, platform::Clock& clock, Logger& logger);
  ~Process() override;

  // The recipe of the start. An error sentence, or nothing when it serves. [blocking]
  [[nodiscard]] std::optional<std::string> start();
  // Serves until it is told to stop, then drains; the exit code. [blocking]
  [[nodiscard]] int serve();

  // host::Observer
  [[nodiscard]] host::Taken emitted(const host::Emission& emission) override;
  void state_changed(std::string_view instance, host::InstanceState state,
                     std::string_view reason) override;
  void progressed(uint64_t call, uint32_t permille, std::string_view text) override;

 private:
  [[nodiscard]] std::optional<std::string> open_loop();
  [[nodiscard]] std::optional<std::string> open_store();
  [[nodiscard]] std::optional<std::string> load_plugins();
  [[nodiscard]] std::optional<std::string> load_classes();
  [[nodiscard]] std::optional<std::string> load_queues();
  void watch_for_culprits();
  void pause_after_crashes();
  [[nodiscard]] std::optional<std::string> open_api();
  [[nodiscard]] Result<ByteVector> source_position(const std::string& instance);

  // One round after commits, results or time: deliver, pump, wake the observers, set the alarm.
  void round();
  void wake();  // [any]
  void set_alarm();
  void record(std::string_view type, std::string_view subject, ByteVector data);

  void watch_memory();

  void begin_stop(const std::string& why);
  void stop_if_drained();

  // Constant after construction.
  config::Settings settings_;
  platform::Clock& clock_;
  Logger& logger_;

  // In the order of construction; each uses only what stands above it.
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<loop::WorkerPool> workers_;
  std::unique_ptr<host::LoopExecutor> executor_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<host::Host> host_;
  Agents agents_;
  std::optional<admit::Triggers> triggers_;
  admit::Dedup dedup_;
  std::optional<Runs> runs_;
  std::optional<dispatch::Queues> queues_;
  ToolRules tool_rules_;
  Suspects suspects_;
  std::optional<House> house_;
  std::optional<store::Classes> classes_;
  std::optional<dispatch::Consumers> consumers_;
  std::optional<Retention> retention_;
  std::optional<ConsumerHouse> consumer_house_;
  std::optional<Intake> intake_;
  std::optional<Imports> imports_;
  std::optional<Turns> turns_;
  std::optional<QueueHouse> queue_house_;
  std::optional<Calls> calls_;
  std::optional<Schedules> schedules_;
  std::optional<DropReports> drop_reports_;
  std::optional<Timers> timers_;
  std::optional<Status> status_;
  api::RightsTable rights_;
  std::optional<HouseServices> services_;
  std::optional<loop::Timer> alarm_;
  std::optional<loop::Timer> memory_watch_;
  std::optional<loop::Timer> drain_limit_;
  std::unique_ptr<loop::Signals> signals_;
  std::unique_ptr<loop::StallWatch> stall_watch_;
  std::unique_ptr<platform::ServiceManager> service_manager_;
  std::optional<loop::Timer> watchdog_;
  std::unique_ptr<api::Api> api_;

  std::atomic<bool> woken_{false};
  bool stopping_ = false;
  bool host_drained_ = false;
  bool api_drained_ = false;
  int exit_code_ = 0;
};

}  // namespace limpet::daemon
