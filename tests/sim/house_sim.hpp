#pragma once

// HouseSim: random work for the daemon's workers and an oracle that the store cannot influence.
// Everything random comes from the seed; after each action the writer is waited for, so that a seed
// always takes the same way.

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/daemon/house_fixture.hpp"

namespace limpet::testing {

struct SimCounts {
  uint64_t acknowledged = 0;
  uint64_t repeats = 0;
  uint64_t crashes = 0;
  uint64_t runs = 0;
  uint64_t acts = 0;
  uint64_t parked = 0;
};

class HouseSim {
 public:
  explicit HouseSim(uint64_t seed);

  // `ticks` random actions, then rest, then every check. The first thing that was wrong; empty: all
  // was well.
  [[nodiscard]] std::string run(int ticks);
  [[nodiscard]] const SimCounts& counts() const { return counts_; }

 private:
  struct Sent {
    std::string id;  // empty: without
    std::string subject;
    uint64_t at_ms = 0;
    Sequence sequence;  // none: not acknowledged, it may or may not be stored
  };
  using Request = std::vector<uint64_t>;  // numbers of sent events

  uint64_t random(uint64_t below) { return engine_() % below; }
  bool chance(uint64_t percent) { return random(100) < percent; }
  void fail(const std::string& what) {
    if (fault_.empty()) fault_ = what;
  }

  void add_tools();
  void add_agents();
  void work(const SeenTurn& seen, Decide& decide);
  host::ToolResult act(const host::ToolCall& call);
  Result<host::ToolResult> look(const host::ToolCall& call);

  void tick();
  void send_new();
  void send_again();
  void submit(const Request& request);
  void answered(const Request& request, const api::Answer<api::Ingested>& answer);
  void finish_one();
  void resolve_one();
  void move_clock();
  void crash();
  void check_now(const std::string& when);
  void come_to_rest();
  void check_log();
  void check_runs();

  HouseFixture fixture_;
  std::mt19937_64 engine_;
  bool dying_ = false;                       // the disk takes nothing any more
  std::map<uint64_t, Sent> sent_;            // by number, which is the event's data
  std::map<std::string, int> acts_;          // of tools that must not act twice, by idempotency key
  std::map<std::string, int> agent_errors_;  // by run and event
  SimCounts counts_;
  std::string fault_;
};

}  // namespace limpet::testing
