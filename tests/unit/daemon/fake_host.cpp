#include "tests/unit/daemon/fake_host.hpp"

#include "codec/cbor.hpp"
#include "codec/cbor_builder.hpp"
#include "codec/cbor_value.hpp"

namespace limpet::testing {

namespace {

using codec::cbor_map;
using codec::CborReader;

void read_data(ByteSpan data, SeenTurn& seen) {
  CborReader reader(data);
  const size_t members = reader.map();
  for (size_t index = 0; index < members && reader.ok(); ++index) {
    const std::string_view key = reader.text();
    if (key == "step") {
      seen.step = reader.text();
    } else if (key == "outcome") {
      seen.outcome = reader.text();
    } else if (key == "error") {
      seen.error = reader.text();
    } else {
      reader.skip();
    }
  }
}

SeenTurn see(const host::Turn& turn) {
  SeenTurn seen;
  seen.agent = turn.instance;
  seen.run = turn.run;
  seen.now_ms = turn.now.ns / 1000000;
  seen.seed = turn.seed;
  if (!turn.state.empty() && CborReader(turn.state).peek() == codec::CborKind::uint) {
    seen.count = CborReader(turn.state).uint();
  }
  CborReader reader(turn.event);
  const size_t members = reader.map();
  for (size_t index = 0; index < members && reader.ok(); ++index) {
    const std::string_view key = reader.text();
    if (key == "type") {
      seen.type = reader.text();
    } else if (key == "subject") {
      seen.subject = reader.text();
    } else if (key == "sequence") {
      seen.sequence = reader.uint();
    } else if (key == "data") {
      const ByteSpan data = reader.item();
      if (CborReader(data).peek() == codec::CborKind::map) read_data(data, seen);
    } else {
      reader.skip();
    }
  }
  return seen;
}

}  // namespace

void Decide::call(std::string_view name, std::string_view tool) {
  commands_.push_back(cbor_map({{"do", "call"}, {"as", name}, {"tool", tool}}));
}
void Decide::emit(std::string_view type, std::string_view subject) {
  commands_.push_back(cbor_map({{"do", "emit"}, {"type", type}, {"subject", subject}}));
}
void Decide::timer(std::string_view name, uint64_t after_ms) {
  commands_.push_back(cbor_map({{"do", "timer"}, {"as", name}, {"after_ms", after_ms}}));
}
void Decide::complete() { commands_.push_back(cbor_map({{"do", "complete"}})); }
void Decide::fail(std::string_view reason) {
  commands_.push_back(cbor_map({{"do", "fail"}, {"reason", reason}}));
}

host::Decision Decide::take() {
  if (status_) return {*status_, sentence_, {}};
  if (garbage_) return {{}, {}, *garbage_};
  codec::CborBuilder builder(4 << 20);
  builder.begin_map();
  if (count_ || raw_state_) {
    builder.text("state");
    if (raw_state_) {
      builder.raw(*raw_state_);
    } else {
      builder.uint(*count_);
    }
    builder.text("version");
    builder.uint(1);
  }
  builder.text("commands");
  builder.begin_array();
  for (const ByteVector& command : commands_) builder.raw(command);
  builder.end();
  builder.end();
  return {{}, {}, std::move(builder.take()).value()};
}

FakeTool& FakeHost::add_tool(std::string name, ToolHints hints) {
  FakeTool& tool = tools_[name];
  tool.info.name = std::move(name);
  tool.info.hints = hints;
  tool.info.quick = true;
  tool.info.timeout_ms = 1000;
  tool.act = [](const host::ToolCall&) { return tool_result(Outcome::done); };
  return tool;
}

const host::ToolInfo* FakeHost::find_tool(std::string_view name) const {
  const auto found = tools_.find(std::string(name));
  return found == tools_.end() ? nullptr : &found->second.info;
}

Result<void> FakeHost::call(host::ToolCall call, host::CallDone done) {
  if (refuse_calls) return *refuse_calls;
  const auto found = tools_.find(call.tool);
  if (found == tools_.end()) return Error{ErrorCode::not_found, "host: no such tool"};
  calls.push_back(call);
  if (before_call) before_call(call);
  const FakeTool& tool = found->second;
  if (tool.slow) {
    const uint64_t id = call.id;
    open_.emplace(id, OpenCall{std::move(call), std::move(done)});
    return {};
  }
  host::ToolResult result = tool.act(call);
  result.id = call.id;
  done(std::move(result));
  return {};
}

void FakeHost::finish(uint64_t id, host::ToolResult result) {
  auto node = open_.extract(id);
  if (node.empty()) return;
  result.id = id;
  node.mapped().done(std::move(result));
}

std::vector<host::ToolCall> FakeHost::open() const {
  std::vector<host::ToolCall> result;
  for (const auto& [id, open] : open_) result.push_back(open.call);
  return result;
}

Result<void> FakeHost::lookup(host::ToolCall call, host::LookupDone done) {
  const auto found = tools_.find(call.tool);
  if (found == tools_.end() || !found->second.look) {
    return Error{ErrorCode::unsupported, "host: no lookup"};
  }
  lookups.push_back(call);
  done(found->second.look(call));
  return {};
}

host::Decision FakeHost::turn(const host::Turn& turn) {
  const SeenTurn seen = see(turn);
  turns.push_back(seen);
  if (before_turn) before_turn(seen);
  const auto found = agents_.find(turn.instance);
  if (found == agents_.end()) return {Error{ErrorCode::not_found, "host: no agent"}, "none", {}};
  Decide decide;
  found->second(seen, decide);
  return decide.take();
}

host::ToolResult tool_result(Outcome outcome, std::string error) {
  host::ToolResult result;
  result.outcome = outcome;
  result.error = std::move(error);
  return result;
}

}  // namespace limpet::testing
