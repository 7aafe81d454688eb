#pragma once

// FakeHost: tools and agents that a test scripts; nothing is loaded and nothing runs by itself.
// A quick tool answers inside call(); a slow one when the test says so with finish(). What a tool
// does is noted by its idempotency key at the moment it acts, outside every store.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.hpp"

namespace limpet::testing {

// What an agent sees of one turn, taken apart.
struct SeenTurn {
  std::string agent;
  std::string run;
  std::string type;
  std::string subject;
  std::string step;     // of limpet.step.finished
  std::string outcome;  // likewise
  std::string error;
  uint64_t sequence = 0;
  uint64_t now_ms = 0;
  uint64_t seed = 0;
  uint64_t count = 0;  // the state of these agents is one number; 0: none yet
};

// What the agent decides, in the words of a decision.
class Decide {
 public:
  void state(uint64_t count) { count_ = count; }
  void raw_state(ByteVector state) { raw_state_ = std::move(state); }
  void call(std::string_view name, std::string_view tool);
  void emit(std::string_view type, std::string_view subject = {});
  void timer(std::string_view name, uint64_t after_ms);
  void complete();
  void fail(std::string_view reason);
  void refuse(Error status, std::string sentence) {
    status_ = status;
    sentence_ = std::move(sentence);
  }
  void garbage(ByteVector bytes) { garbage_ = std::move(bytes); }

  [[nodiscard]] host::Decision take();

 private:
  std::vector<ByteVector> commands_;
  std::optional<uint64_t> count_;
  std::optional<ByteVector> raw_state_;
  std::optional<ByteVector> garbage_;
  std::optional<Error> status_;
  std::string sentence_;
};

struct FakeTool {
  host::ToolInfo info;
  bool slow = false;
  // What it does; its answer too when it is quick.
  std::function<host::ToolResult(const host::ToolCall&)> act;
  std::function<Result<host::ToolResult>(const host::ToolCall&)> look;
};

class FakeHost final : public host::Host {
 public:
  using Agent = std::function<void(const SeenTurn&, Decide&)>;

  FakeTool& add_tool(std::string name, ToolHints hints);
  // One agent an instance, so that its name is the instance's.
  void add_agent(std::string instance, Agent agent) {
    agents_[std::move(instance)] = std::move(agent);
  }
  FakeTool& tool(const std::string& name) { return tools_.at(name); }
  void remove_tool(const std::string& name) { tools_.erase(name); }

  // Ends an open call of a slow tool.
  void finish(uint64_t id, host::ToolResult result);
  // The process died: open calls never come back.
  void forget_open() { open_.clear(); }
  [[nodiscard]] std::vector<host::ToolCall> open() const;

  std::function<void(const host::ToolCall&)> before_call;  // sees each call as it begins
  std::function<void(const SeenTurn&)> before_turn;
  std::optional<Error> refuse_calls;
  std::vector<host::ToolCall> calls;    // all that began
  std::vector<host::ToolCall> lookups;  // all that were asked
  std::vector<SeenTurn> turns;
  std::vector<uint64_t> cancelled;

  // Host
  std::optional<host::Refusal> load(const host::InstanceSettings&) override { return {}; }
  std::vector<host::Refusal> start() override { return {}; }
  void stop(BootTime, host::StopDone done) override { done({}); }
  const host::ToolInfo* find_tool(std::string_view name) const override;
  std::vector<const host::ToolInfo*> tools() const override { return {}; }
  Result<void> call(host::ToolCall call, host::CallDone done) override;
  void cancel(uint64_t id) override { cancelled.push_back(id); }
  Result<void> lookup(host::ToolCall call, host::LookupDone done) override;
  host::Decision turn(const host::Turn& turn) override;
  void settled(std::string_view, uint64_t, Result<void>) override {}
  std::optional<host::Refusal> check_agent(const host::AgentSettings&) const override { return {}; }
  std::vector<host::InstanceInfo> describe() const override { return {}; }

 private:
  struct OpenCall {
    host::ToolCall call;
    host::CallDone done;
  };

  std::map<std::string, FakeTool> tools_;
  std::map<std::string, Agent, std::less<>> agents_;
  std::map<uint64_t, OpenCall> open_;
};

// Hints as the tests name them.
inline constexpr ToolHints reads_only{true, false, true, false};
inline constexpr ToolHints acts_once{false, false, false, true};
inline constexpr ToolHints acts_repeatably{false, false, true, true};

[[nodiscard]] host::ToolResult tool_result(Outcome outcome, std::string error = {});

}  // namespace limpet::testing
