#pragma once

// InProcessHost: the Host whose plugins run in this process. Private to this folder; host.hpp says
// what it does. All members are main's. Its parts: in_process.cpp (loading, living, ending) and
// in_process_calls.cpp (calls, lookups, turns and their deadlines).

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/host.hpp"
#include "host/instance.hpp"
#include "host/mailbox.hpp"

namespace limpet::host {

class InProcessHost final : public Host {
 public:
  InProcessHost(HostOptions options, Executor& executor, Observer& observer, Logger& logger);
  ~InProcessHost() override;

  std::optional<Refusal> load(const InstanceSettings& settings) override;
  std::vector<Refusal> start() override;
  void stop(BootTime deadline, StopDone done) override;
  const ToolInfo* find_tool(std::string_view name) const override;
  std::vector<const ToolInfo*> tools() const override;
  Result<void> call(ToolCall call, CallDone done) override;
  void cancel(uint64_t id) override;
  Result<void> lookup(ToolCall call, LookupDone done) override;
  Decision turn(const Turn& turn) override;
  void settled(std::string_view instance, uint64_t emission, Result<void> fate) override;
  std::optional<Refusal> check_agent(const AgentSettings& settings) const override;
  std::vector<InstanceInfo> describe() const override;

 private:
  struct Tool {
    ToolInfo info;
    std::string own_name;  // as the plugin knows it
    codec::Schema schema;
    std::shared_ptr<Instance> instance;
    uint32_t open_calls = 0;
    uint32_t open_lookups = 0;
  };
  enum class Phase : uint8_t {
    open,        // before its deadline
    cancelling,  // the plugin was told; its answer is awaited for the grace
    overdue,     // its outcome was given; the plugin still has it
  };
  struct Pending {
    Tool* tool = nullptr;
    CallKind kind = CallKind::call;
    Phase phase = Phase::open;
    CallDone called;
    LookupDone looked_up;
    BootTime alarm;
  };
  using PendingCalls = std::unordered_map<uint64_t, Pending>;

  void add_tools(const std::shared_ptr<Instance>& instance);

  // Living: what plugins handed over, and what time brings.
  void deliver();
  void collect(Instance& instance);
  void finish(Completion completion);
  void wake();
  void tick_timers(BootTime now);
  void arm();
  [[nodiscard]] Instance* find_instance(std::string_view name) const;
  void change_state(Instance& instance, InstanceState state, const std::string& reason);
  void quarantine(Instance& instance, const std::string& reason);

  // Calls.
  Result<Tool*> admit(const ToolCall& call);
  [[nodiscard]] static std::string argument_problem(const Tool& tool, ByteVector& arguments);
  void begin_inline(Tool& tool, ToolCall call);
  [[nodiscard]] bool begin_on_worker(Tool& tool, ToolCall call, CallKind kind);
  Pending& open_pending(Tool& tool, const ToolCall& call, CallKind kind);
  void close_pending(PendingCalls::iterator pending);
  void set_alarm(uint64_t id, Pending& pending, BootTime due);
  void tell_cancel(Instance& instance, uint64_t id);
  void expire(uint64_t id);
  void give_up(PendingCalls::iterator pending);
  void answer(PendingCalls::iterator pending, Completion completion);

  // Ending.
  void check_stopped();
  void finish_stop();

  HostOptions options_;
  Executor& executor_;
  Observer& observer_;
  Logger& logger_;
  std::shared_ptr<Mailbox> mailbox_;

  std::vector<std::shared_ptr<Instance>> instances_;  // in the order of load
  std::map<std::string, Tool, std::less<>> tools_;
  PendingCalls pending_;
  std::set<std::pair<BootTime, uint64_t>> alarms_;  // of pending_
  std::optional<BootTime> armed_;                   // what wake_at was told last
  std::optional<BootTime> emission_retry_;
  uint64_t last_turn_ = 0;

  bool started_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  BootTime stop_deadline_;
  StopDone stop_done_;
};

}  // namespace limpet::host
