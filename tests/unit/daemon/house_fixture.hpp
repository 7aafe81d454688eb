#pragma once

// HouseFixture: the daemon's workers on a store in a directory of its own, with a clock that stands
// still, stepped by hand. A Life is what one process has in memory: dropping it is the crash.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/calls.hpp"
#include "daemon/drop_reports.hpp"
#include "daemon/intake.hpp"
#include "daemon/queue_house.hpp"
#include "daemon/schedules.hpp"
#include "daemon/timers.hpp"
#include "daemon/turns.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/quiet_logger.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/daemon/fake_host.hpp"

namespace limpet::testing {

// What the config of a test says of queues.
struct WantedQueues {
  std::vector<dispatch::QueueSettings> queues;
  std::vector<daemon::ToolRule> tools;
  std::vector<daemon::AgentRate> rates;
  std::vector<daemon::Schedule> schedules;
};

struct Life {
  Life(std::unique_ptr<store::Store> opened, daemon::House&& parts, host::Host& host,
       const WantedQueues& wanted)
      : store(std::move(opened)),
        runs(*store),
        house{*store,       runs,        dedup,        parts.triggers,
              parts.agents, parts.clock, parts.logger, parts.source},
        queues(wiring(*this)),
        tools(wanted.tools, wanted.rates),
        queue_house(wired(*this), [] {}),
        intake(house),
        turns(house, host),
        calls(house, host, &queue_house),
        timers(house),
        schedules(house, wanted.schedules),
        drop_reports(house) {}

  std::unique_ptr<store::Store> store;
  daemon::Runs runs;
  admit::Dedup dedup;
  daemon::House house;
  dispatch::Queues queues;
  daemon::ToolRules tools;
  daemon::QueueHouse queue_house;
  daemon::Intake intake;
  daemon::Turns turns;
  daemon::Calls calls;
  daemon::Timers timers;
  daemon::Schedules schedules;
  daemon::DropReports drop_reports;

 private:
  static dispatch::Queues::Wiring wiring(Life& life);
  static daemon::House& wired(Life& life);
};

// What became of one ingest.
struct Ingest {
  bool answered = false;
  std::optional<api::Ingested> ok;
  std::optional<api::Refusal> refused;
};

struct HouseFixture {
  TemporaryDirectory directory;
  ManualClock clock;
  QuietLogger logger;
  store::OpenOptions options{directory.path() + "/data", 16 << 20, true, "", Epoch(42)};
  FakeHost host;
  std::vector<admit::Trigger> wanted_triggers;
  daemon::Agents agents;
  WantedQueues wanted_queues;
  std::unique_ptr<admit::Triggers> triggers;
  std::unique_ptr<Life> life;
  std::mutex writer_gate;                  // the writer's thread passes it after each commit
  std::atomic<bool> writer_waits = false;  // at the gate

  // An agent that may call everything.
  void add_agent(const std::string& name, FakeHost::Agent agent) {
    run::AgentPolicy policy;
    policy.name = name;
    policy.tools = {"#"};
    policy.autonomy = run::Autonomy::full;
    add_agent(std::move(policy), std::move(agent));
  }
  void add_agent(run::AgentPolicy policy, FakeHost::Agent agent) {
    policy.instance = policy.name;
    host.add_agent(policy.instance, std::move(agent));
    agents.add(std::move(policy));
  }
  void add_trigger(std::string agent, std::string event, std::string key = {}) {
    wanted_triggers.push_back({std::move(agent), std::move(event), {}, std::move(key)});
  }

  [[nodiscard]] bool open();
  // The process dies; what it had handed to the writer was committed but nobody heard of it.
  void crash();
  // From now on no commit reaches the disk.
  void break_disk();
  // Crash, then a new life.
  [[nodiscard]] bool restart();
  // Until the writer has nothing to do; nothing is delivered.
  void wait_writer() const;
  // From now on, until release_writer(), what is submitted waits.
  void hold_writer();
  void release_writer();

  // One round of everything; false: nothing changed.
  bool step();
  // Until nothing happens any more. False: it never came to rest.
  [[nodiscard]] bool settle();
  void advance(Duration duration) { clock.advance(duration); }

  void pass_gate();  // by the writer's thread

  std::shared_ptr<Ingest> ingest(std::vector<Event> events);
  std::shared_ptr<Ingest> ingest(std::string_view type, std::string_view subject = {});

  // What is on disk.
  [[nodiscard]] std::vector<Event> log() const;
  [[nodiscard]] std::vector<Event> log(std::string_view type) const;
  [[nodiscard]] std::vector<Run> runs() const;
  [[nodiscard]] std::vector<Step> steps(RunId run) const;
  [[nodiscard]] ByteVector state_of(const Run& run) const;
  // Every rule that the rows must keep together, see row_check.hpp; empty: all are kept.
  [[nodiscard]] std::string faults() const;
};

[[nodiscard]] Event make_event(std::string_view type, std::string_view subject = {},
                               std::string_view id = {});
// The text or number of a member of an event's data, as text; empty: it has none.
[[nodiscard]] std::string member(const Event& event, std::string_view key);

}  // namespace limpet::testing
