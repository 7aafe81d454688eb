#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "host/in_process.hpp"

namespace limpet::host {

namespace {

constexpr Duration cancel_grace = milliseconds(limits::cancel_grace_ms);
constexpr Duration overdue_grace = milliseconds(limits::overdue_grace_ms);
constexpr uint8_t empty_map = 0xa0;

Error refuse(ErrorCode code, const char* where) { return Error{code, where}; }

ToolResult expired_result(uint64_t id, GaveUp how_far, const ToolHints& hints) {
  ToolResult result;
  result.id = id;
  const bool harmless = how_far == GaveUp::not_begun || is_repeatable(hints);
  result.outcome = harmless ? Outcome::retry : Outcome::unknown;
  result.abandoned = how_far != GaveUp::not_begun;
  result.error = how_far == GaveUp::not_begun
                     ? "the deadline passed before the call could begin"
                     : "the deadline passed and the plugin has not answered";
  return result;
}

}  // namespace

const ToolInfo* InProcessHost::find_tool(std::string_view name) const {
  const auto tool = tools_.find(name);
  return tool == tools_.end() ? nullptr : &tool->second.info;
}

std::vector<const ToolInfo*> InProcessHost::tools() const {
  std::vector<const ToolInfo*> infos;
  infos.reserve(tools_.size());
  for (const auto& [name, tool] : tools_) infos.push_back(&tool.info);
  return infos;
}

Result<InProcessHost::Tool*> InProcessHost::admit(const ToolCall& call) {
  if (call.id == 0) return refuse(ErrorCode::invalid, "host: a call needs an id");
  if (stopping_) return refuse(ErrorCode::closed, "host: stopping");
  const auto tool = tools_.find(call.tool);
  if (tool == tools_.end()) return refuse(ErrorCode::not_found, "host: no such tool");
  if (tool->second.instance->state() != InstanceState::active) {
    return refuse(ErrorCode::plugin, "host: the tool's plugin is not active");
  }
  if (pending_.contains(call.id)) return refuse(ErrorCode::exists, "host: the call is open");
  return &tool->second;
}

std::string InProcessHost::argument_problem(const Tool& tool, ByteVector& arguments) {
  if (arguments.empty()) arguments = {empty_map};
  const Result<void> valid = codec::validate(arguments);
  if (!valid) return std::string("the arguments are no CBOR: ") + valid.error().where;
  if (codec::CborReader(arguments).peek() != codec::CborKind::map) {
    return "the arguments are not a map";
  }
  const auto refusal = tool.schema.check(arguments);
  return refusal ? "arguments " + refusal->detail : std::string{};
}

Result<void> InProcessHost::call(ToolCall call, CallDone done) {
  LIMPET_TRY(Tool* const tool, admit(call));
  Instance& instance = *tool->instance;
  if (tool->open_calls >= tool->info.concurrency) {
    instance.counters().busy.add();
    return refuse(ErrorCode::busy, "host: the tool's concurrency is used up");
  }
  instance.counters().calls.add();
  if (std::string problem = argument_problem(*tool, call.arguments); !problem.empty()) {
    instance.counters().errors.add();
    done(ToolResult{call.id, Outcome::failed, std::move(problem), 0, {}, false});
    return {};
  }
  const BootTime now = executor_.now();
  if (call.deadline.ns == 0) call.deadline = now + milliseconds(tool->info.timeout_ms);
  if (call.deadline <= now) {
    instance.counters().timeouts.add();
    done(expired_result(call.id, GaveUp::not_begun, tool->info.hints));
    return {};
  }
  const BootTime deadline = call.deadline;
  const uint64_t id = call.id;
  open_pending(*tool, call, CallKind::call).called = std::move(done);
  if (tool->info.quick) {
    begin_inline(*tool, std::move(call));
  } else if (!begin_on_worker(*tool, std::move(call), CallKind::call)) {
    instance.counters().busy.add();
    return refuse(ErrorCode::busy, "host: no worker is free");
  }
  if (const auto pending = pending_.find(id); pending != pending_.end()) {
    set_alarm(id, pending->second, deadline);
    arm();
  }
  return {};
}

Result<void> InProcessHost::lookup(ToolCall call, LookupDone done) {
  LIMPET_TRY(Tool* const tool, admit(call));
  if (!tool->info.has_lookup) return refuse(ErrorCode::unsupported, "host: the tool has no lookup");
  if (tool->open_lookups >= tool->info.concurrency) {
    return refuse(ErrorCode::busy, "host: the tool's lookups are used up");
  }
  if (!argument_problem(*tool, call.arguments).empty()) {
    return refuse(ErrorCode::invalid, "host: the arguments are not the tool's");
  }
  if (call.deadline.ns == 0) {
    call.deadline = executor_.now() + milliseconds(tool->info.timeout_ms);
  }
  const BootTime deadline = call.deadline;
  const uint64_t id = call.id;
  open_pending(*tool, call, CallKind::lookup).looked_up = std::move(done);
  if (!begin_on_worker(*tool, std::move(call), CallKind::lookup)) {
    return refuse(ErrorCode::busy, "host: no worker is free");
  }
  set_alarm(id, pending_.at(id), deadline);
  arm();
  return {};
}

InProcessHost::Pending& InProcessHost::open_pending(Tool& tool, const ToolCall& call,
                                                    CallKind kind) {
  Pending& pending = pending_[call.id];
  pending.tool = &tool;
  pending.kind = kind;
  (kind == CallKind::call ? tool.open_calls : tool.open_lookups) += 1;
  tool.instance->calls().open(call.id, kind);
  return pending;
}

void InProcessHost::close_pending(PendingCalls::iterator pending) {
  Tool& tool = *pending->second.tool;
  (pending->second.kind == CallKind::call ? tool.open_calls : tool.open_lookups) -= 1;
  alarms_.erase({pending->second.alarm, pending->first});
  pending_.erase(pending);
}

void InProcessHost::begin_inline(Tool& tool, ToolCall call) {
  Instance& instance = *tool.instance;
  // Nobody can have cancelled what was opened a moment ago on this same thread.
  if (!instance.calls().begin(call.id)) return;
  executor_.enter(tool.info.name);
  const bool complete = instance.run_call(call, tool.own_name);
  executor_.leave();
  if (complete) collect(instance);
}

bool InProcessHost::begin_on_worker(Tool& tool, ToolCall call, CallKind kind) {
  const uint64_t id = call.id;
  const bool submitted = executor_.submit(
      [instance = tool.instance, mailbox = mailbox_, kind,
       job = std::make_unique<std::pair<ToolCall, std::string>>(std::move(call), tool.own_name)] {
        const ToolCall& own = job->first;
        if (!instance->calls().begin(own.id)) return mailbox->ring();
        const bool complete = kind == CallKind::call ? instance->run_call(own, job->second)
                                                     : instance->run_lookup(own, job->second);
        if (complete) mailbox->ring();
      });
  if (submitted) return true;
  tool.instance->calls().forget(id);
  close_pending(pending_.find(id));
  return false;
}

void InProcessHost::cancel(uint64_t id) {
  const auto pending = pending_.find(id);
  if (pending == pending_.end()) return;
  Instance& instance = *pending->second.tool->instance;
  if (instance.calls().cancel(id)) tell_cancel(instance, id);
}

void InProcessHost::tell_cancel(Instance& instance, uint64_t id) {
  executor_.enter(instance.name());
  instance.cancel(id);
  executor_.leave();
}

// A call's outcome, on its way from the plugin to whoever asked.
void InProcessHost::finish(Completion completion) {
  const auto pending = pending_.find(completion.id);
  LIMPET_ASSERT(pending != pending_.end());
  if (completion.late) return close_pending(pending);
  answer(pending, std::move(completion));
}

void InProcessHost::answer(PendingCalls::iterator pending, Completion completion) {
  Instance& instance = *pending->second.tool->instance;
  const CallKind kind = pending->second.kind;
  CallDone called = std::move(pending->second.called);
  LookupDone looked_up = std::move(pending->second.looked_up);
  close_pending(pending);
  if (kind == CallKind::lookup) {
    if (completion.answered) return looked_up(std::move(completion.result));
    instance.note_error(std::move(completion.result.error));
    return looked_up(refuse(ErrorCode::plugin, "host: the plugin could not look"));
  }
  if (completion.result.outcome != Outcome::done) {
    instance.counters().errors.add();
    instance.note_error(completion.result.error);
  }
  called(std::move(completion.result));
}

void InProcessHost::set_alarm(uint64_t id, Pending& pending, BootTime due) {
  alarms_.erase({pending.alarm, id});
  pending.alarm = due;
  alarms_.insert({due, id});
}

void InProcessHost::expire(uint64_t id) {
  const auto pending = pending_.find(id);
  LIMPET_ASSERT(pending != pending_.end());
  Instance& instance = *pending->second.tool->instance;
  switch (pending->second.phase) {
    case Phase::open:
      instance.counters().timeouts.add();
      if (!instance.calls().cancel(id)) return give_up(pending);
      pending->second.phase = Phase::cancelling;
      set_alarm(id, pending->second, executor_.now() + cancel_grace);
      return tell_cancel(instance, id);
    case Phase::cancelling: return give_up(pending);
    case Phase::overdue:
      alarms_.erase({pending->second.alarm, id});
      return quarantine(instance, "a call of " + pending->second.tool->info.name +
                                      " did not come back from the plugin");
  }
}

// Gives the outcome that the plugin did not give. The slot stays taken until the plugin is done.
void InProcessHost::give_up(PendingCalls::iterator pending) {
  const uint64_t id = pending->first;
  Tool& tool = *pending->second.tool;
  ToolResult result;
  const GaveUp how_far = tool.instance->calls().give_up(id, result);
  pending->second.phase = Phase::overdue;
  set_alarm(id, pending->second, executor_.now() + overdue_grace);
  if (pending->second.kind == CallKind::lookup) {
    LookupDone looked_up = std::exchange(pending->second.looked_up, nullptr);
    return looked_up(refuse(ErrorCode::timeout, "host: lookup"));
  }
  CallDone called = std::exchange(pending->second.called, nullptr);
  if (how_far != GaveUp::finished) result = expired_result(id, how_far, tool.info.hints);
  if (result.outcome != Outcome::done) {
    tool.instance->counters().errors.add();
    tool.instance->note_error(result.error);
  }
  called(std::move(result));
}

Decision InProcessHost::turn(const Turn& turn) {
  const auto refused = [](ErrorCode code, const char* sentence) {
    return Decision{Error{code, "host: turn"}, sentence, {}};
  };
  if (stopping_) return refused(ErrorCode::closed, "Limpet is stopping");
  Instance* const instance = find_instance(turn.instance);
  if (instance == nullptr) return refused(ErrorCode::not_found, "there is no such plugin");
  if (!instance->has_agents()) return refused(ErrorCode::not_found, "the plugin has no agents");
  if (instance->state() != InstanceState::active) {
    return refused(ErrorCode::plugin, "the plugin is not active");
  }
  executor_.enter(instance->name());
  Decision decision = instance->turn(turn, ++last_turn_);
  executor_.leave();
  return decision;
}

}  // namespace limpet::host
