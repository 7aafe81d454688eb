#include "daemon/calls.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace limpet::daemon {

namespace {

constexpr uint32_t retry_delay_ms_min = 1000;
constexpr uint32_t retry_delay_ms_max = 60000;

// 1 s, 2 s, 4 s ... a minute, unless the tool asked for a time of its own.
uint32_t retry_delay(const host::ToolResult& result, uint32_t attempt) {
  if (result.retry_after_ms > 0) return result.retry_after_ms;
  const uint32_t doublings = std::min<uint32_t>(attempt > 0 ? attempt - 1 : 0, 6);
  return std::min(retry_delay_ms_min << doublings, retry_delay_ms_max);
}

}  // namespace

Calls::Calls(House& house, host::Host& host, QueueHouse* queues)
    : house_(house), host_(host), queues_(queues), queue_(house.store, dispatch::call_queue) {}

void Calls::pump() {
  next_due_.reset();
  for (size_t count = again_.size(); count > 0; --count) {
    const auto work = std::move(again_.front());
    again_.pop_front();
    work();
  }
  if (closed_ || house_.calls_paused || open_.size() >= calls_open_max) return;
  size_t room = calls_open_max - open_.size();
  if (house_.suspects != nullptr && !house_.suspects->suspects().empty()) {
    // One at a time, so that the next crash has one culprit.
    if (!open_.empty() || !house_.suspects->may_begin(house_.clock.boot())) return;
    room = 1;
  }
  const Result<dispatch::Taken> taken = queue_.take(room);
  if (!taken.ok()) {
    house_.logger.line(LogLevel::error, "calls", to_string(taken.error()));
    return;
  }
  next_due_ = taken->next_due;
  for (const dispatch::ReadyTask& task : taken->tasks) take(task);
}

void Calls::take(const dispatch::ReadyTask& task) {
  const Result<ActiveRun*> active = house_.runs.find(task.run);
  if (!active.ok() || *active == nullptr) return;
  Result<Step> step = load_step(house_.store, task.run, task.ordinal);
  if (!step.ok()) {
    house_.logger.line(LogLevel::error, "calls", to_string(step.error()));
    return;
  }
  // The row may be older than what has happened to the step meanwhile.
  if (step->ready_ticket != task.place.ticket) return;
  begin(open_step(task.run, std::move(step).value()));
}

Calls::Id Calls::open_step(RunId run, Step step) {
  const Id id = (uint64_t{house_.store.incarnation().value()} << 40) | next_id_++;
  Open open;
  open.run = run;
  open.step = std::move(step);
  open_.emplace(id, std::move(open));
  house_.runs.hold(run);
  return id;
}

void Calls::blame(const UnderWay& culprit) {
  const Result<ActiveRun*> active = house_.runs.find(culprit.run);
  if (!active.ok() || *active == nullptr || is_final((*active)->run.state)) return;
  Result<Step> step = load_step(house_.store, culprit.run, culprit.step);
  const host::ToolInfo* tool = step.ok() ? host_.find_tool(step->tool) : nullptr;
  if (tool == nullptr || !is_repeatable(tool->hints)) return;
  if (step->state == StepState::finished || step->state == StepState::unknown) return;
  const Id id = open_step(culprit.run, std::move(step).value());
  open_.at(id).repeatable = true;
  host::ToolResult result;
  result.error = "the process died during the call";
  try_again(id, result);
}

void Calls::leave_watch(Open& open) {
  if (open.slot == Suspects::no_slot) return;
  house_.suspects->end(std::exchange(open.slot, Suspects::no_slot));
}

const Run* Calls::run_of(Id id) {
  const Result<ActiveRun*> active = house_.runs.find(open_.at(id).run);
  LIMPET_ASSERT(active.ok() && *active != nullptr);  // held since take()
  return &(*active)->run;
}

void Calls::begin(Id id) {
  Open& open = open_.at(id);
  const bool started = open.step.state == StepState::started;
  const host::ToolInfo* tool = host_.find_tool(open.step.tool);
  const std::string_view queue = house_.tools == nullptr || queues_ == nullptr
                                     ? std::string_view()
                                     : house_.tools->queue_of(open.step.tool);
  if (!queue.empty()) {
    open.repeatable = is_repeatable(*house_.tools->worker_hints(open.step.tool));
  } else if (tool != nullptr) {
    open.repeatable = is_repeatable(tool->hints);
    open.has_lookup = tool->has_lookup;
  }
  const bool ended = is_final(run_of(id)->state);
  const bool to_begin = !ended && (!started || open.repeatable);
  if (house_.tools != nullptr && to_begin && (tool != nullptr || !queue.empty())) {
    const Duration wait =
        house_.tools->begin(open.step.tool, run_of(id)->agent, house_.clock.boot());
    if (wait.ns > 0) return put_back(id, wait);
    open.limited = true;
  }
  if (!queue.empty() && to_begin) return delegate(id, queue);
  if (started) {
    recover(id, "the runtime stopped between the start of the call and its result");
  } else if (ended) {
    fail(id, "the run has ended");
  } else if (tool == nullptr) {
    fail(id, "no loaded plugin offers this tool");
  } else if (open.repeatable) {
    call(id);
  } else {
    record_start(id);
  }
}

void Calls::report(Open& open, bool success) {
  if (!std::exchange(open.limited, false)) return;
  if (!house_.tools->report(open.step.tool, success, house_.clock.boot())) return;
  house_.logger.line(
      LogLevel::warning, "calls",
      "the breaker of " + open.step.tool + (success ? " has closed" : " has opened"));
}

void Calls::put_back(Id id, Duration delay) {
  ++counters_.limited;
  const Result<void> put = try_put_back(id, delay);
  if (put.ok()) return;
  if (put.error().code != ErrorCode::busy) return drop(id);
  again_.push_back([this, id, delay] { put_back(id, delay); });
}

Result<void> Calls::try_put_back(Id id, Duration delay) {
  Open& open = open_.at(id);
  Commit commit(house_);
  commit.delay_calls(static_cast<uint32_t>(std::clamp<int64_t>(to_ms(delay) + 1, 1, UINT32_MAX)));
  run::Effects effects;
  effects.run = *run_of(id);
  effects.steps.push_back(open.step);
  effects.calls.push_back(open.step.ordinal);
  LIMPET_CHECK(commit.apply(effects));
  return commit.submit([this, id](const Result<void>&) { drop(id); });
}

void Calls::delegate(Id id, std::string_view queue) {
  const Result<void> delegated = try_delegate(id, queue);
  if (delegated.ok()) return;
  const ErrorCode code = delegated.error().code;
  if (code == ErrorCode::full) return put_back(id, house_.queues->retry_after(queue));
  if (code == ErrorCode::busy) {
    ++counters_.waited_busy;
    again_.push_back([this, id, queue] { delegate(id, queue); });
    return;
  }
  if (code == ErrorCode::closed) return drop(id);
  fail(id, to_string(delegated.error()));
}

Result<void> Calls::try_delegate(Id id, std::string_view queue) {
  Open& open = open_.at(id);
  QueueCommit commit(house_);
  run::Effects effects;
  if (open.repeatable && open.step.attempt > 0) {
    // Its start was recorded with the turn, or when it was postponed.
    effects.run = *run_of(id);
    effects.steps.push_back(open.step);
    effects.steps.front().state = StepState::started;
  } else {
    effects = run::start_step(*run_of(id), open.step, commit.commit().moment());
  }
  commit.commit().leave_queue(*run_of(id), effects.steps.front());
  LIMPET_CHECK(commit.commit().apply(effects));
  LIMPET_CHECK(
      queues_->delegate(commit, {queue, *run_of(id), effects.steps.front(), open.repeatable}));
  LIMPET_CHECK(commit.submit([this, id](const Result<void>&) { drop(id); }));
  ++counters_.begun;
  return {};
}

void Calls::record_start(Id id) {
  const Result<void> recorded = try_record_start(id);
  if (recorded.ok()) return;
  if (recorded.error().code != ErrorCode::busy) return drop(id);
  ++counters_.waited_busy;
  again_.push_back([this, id] { record_start(id); });
}

Result<void> Calls::try_record_start(Id id) {
  Open& open = open_.at(id);
  Commit commit(house_);
  run::Effects effects = run::start_step(*run_of(id), open.step, commit.moment());
  LIMPET_CHECK(commit.apply(effects));
  LIMPET_CHECK(commit.submit([this, id](const Result<void>& result) {
    if (!result.ok()) return drop(id);
    LIMPET_CRASH_POINT("call.recorded");
    call(id);
  }));
  open.step = effects.steps.front();
  return {};
}

host::ToolCall Calls::make_call(Id id) const {
  const Open& open = open_.at(id);
  host::ToolCall call;
  call.id = id;
  call.tool = open.step.tool;
  call.attempt = std::max<uint32_t>(open.step.attempt, 1);
  call.arguments = open.step.arguments;
  return call;
}

void Calls::call(Id id) {
  const Run* run = run_of(id);
  const Step& step = open_.at(id).step;
  open_.at(id).begun = house_.clock.boot();
  if (house_.suspects != nullptr) {
    open_.at(id).slot =
        house_.suspects->begin({UnderWay::Kind::call, run->id, step.ordinal, Sequence()});
  }
  host::ToolCall request = make_call(id);
  request.key = call_key(run->epoch, run->id, step.name, step.ordinal);
  const Result<void> begun = host_.call(
      std::move(request), [this, id](host::ToolResult result) { finished(id, std::move(result)); });
  // A quick tool has finished already; `step` and `run` may be gone.
  if (begun.ok()) {
    ++counters_.begun;
    return;
  }
  leave_watch(open_.at(id));
  if (begun.error().code == ErrorCode::busy) {
    ++counters_.waited_busy;
    again_.push_back([this, id] { call(id); });
  } else if (begun.error().code == ErrorCode::closed) {
    postpone(id, to_string(begun.error()), retry_delay_ms_min);  // for the next start
  } else {
    host::ToolResult refused;
    refused.error = to_string(begun.error());
    try_again(id, refused);
  }
}

void Calls::finished(Id id, host::ToolResult result) {
  LIMPET_CRASH_POINT("call.finished");
  Open& open = open_.at(id);
  open.result = std::move(result);
  leave_watch(open);
  const Duration took = house_.clock.boot() - open.begun;
  house_.measures.tool.record(open.step.tool, took);
  house_.measures.step.record(run_of(id)->agent + "/" + open.step.name, took);
  settle(id);
}

void Calls::settle(Id id) {
  Open& open = open_.at(id);
  const host::ToolResult& result = open.result;
  report(open, result.outcome == Outcome::done);
  switch (result.outcome) {
    case Outcome::done:
    case Outcome::failed:
      ++(result.outcome == Outcome::done ? counters_.done : counters_.failed);
      save(
          id,
          [result](const Run& run, const Step& step, const run::Moment& moment) {
            return run::finish_step(run, step, {result.outcome, result.error, result.value, {}},
                                    moment);
          },
          0);
      return;
    case Outcome::retry: return try_again(id, result);
    case Outcome::unknown:
      // The host is going: the record of the start stays, and the next start asks the tool.
      if (closed_) return drop(id);
      if (!open.repeatable) return recover(id, std::string(result.error));
      return try_again(id, result);
  }
}

// Nothing happened, or it may happen twice: later once more, up to call_attempts_max times.
void Calls::try_again(Id id, const host::ToolResult& result) {
  const uint32_t attempt = open_.at(id).step.attempt;
  if (attempt >= call_attempts_max) return fail(id, "given up after 5 attempts: " + result.error);
  postpone(id, result.error, retry_delay(result, attempt));
}

void Calls::recover(Id id, std::string_view why) {
  const Open& open = open_.at(id);
  if (open.repeatable) return call(id);
  if (!open.has_lookup) return park(id, why);
  ++counters_.looked_up;
  const Run* run = run_of(id);
  host::ToolCall question = make_call(id);
  question.key = call_key(run->epoch, run->id, open.step.name, open.step.ordinal);
  const Result<void> asked =
      host_.lookup(std::move(question),
                   [this, id, why = std::string(why)](const Result<host::ToolResult>& answer) {
                     looked_up(id, answer, why);
                   });
  if (asked.ok()) return;
  if (asked.error().code == ErrorCode::closed) return drop(id);
  if (asked.error().code != ErrorCode::busy) return park(id, why);
  again_.push_back([this, id, why = std::string(why)] { recover(id, why); });
}

void Calls::looked_up(Id id, const Result<host::ToolResult>& answer, std::string_view why) {
  if (!answer.ok()) return closed_ ? drop(id) : park(id, why);
  switch (answer->outcome) {
    case Outcome::done:
    case Outcome::failed: open_.at(id).result = *answer; return settle(id);
    case Outcome::retry:  // it did not happen
      // An abandoned call may yet do it: only an end of the process or of the call settles that.
      if (open_.at(id).result.abandoned) {
        return park(id, "the deadline passed and the call may still be running");
      }
      if (is_final(run_of(id)->state)) return fail(id, "the run has ended");
      return try_again(id, *answer);
    case Outcome::unknown: return park(id, why);
  }
}

void Calls::postpone(Id id, const std::string& error, uint32_t delay_ms) {
  ++counters_.retried;
  const bool repeatable = open_.at(id).repeatable;
  save(
      id,
      [error, delay_ms, repeatable](const Run& run, const Step& step, const run::Moment& moment) {
        return run::postpone_step(run, step, {error, delay_ms, repeatable}, moment);
      },
      delay_ms);
}

void Calls::park(Id id, std::string_view why) {
  ++counters_.parked;
  save(
      id,
      [why = std::string(why)](const Run& run, const Step& step, const run::Moment& moment) {
        return run::park_step(run, step, why, moment);
      },
      0);
}

void Calls::fail(Id id, std::string error) {
  ++counters_.failed;
  save(
      id,
      [error = std::move(error)](const Run& run, const Step& step, const run::Moment& moment) {
        return run::finish_step(run, step, {Outcome::failed, error, {}, {}}, moment);
      },
      0);
}

void Calls::save(Id id, MakeEffects make, uint32_t call_delay_ms) {
  const Result<void> saved = try_save(id, make, call_delay_ms);
  if (saved.ok()) return;
  if (saved.error().code != ErrorCode::busy) {
    // The store has closed: what is on disk tells the next start how to go on.
    house_.logger.line(LogLevel::error, "calls", to_string(saved.error()));
    return drop(id);
  }
  ++counters_.waited_busy;
  again_.push_back(
      [this, id, make = std::move(make), call_delay_ms] { save(id, make, call_delay_ms); });
}

Result<void> Calls::try_save(Id id, const MakeEffects& make, uint32_t call_delay_ms) {
  Commit commit(house_);
  commit.delay_calls(call_delay_ms);
  run::Effects effects = make(*run_of(id), open_.at(id).step, commit.moment());
  LIMPET_CHECK(commit.apply(effects));
  return commit.submit([this, id](const Result<void>&) { drop(id); });
}

void Calls::drop(Id id) {
  const RunId run = open_.at(id).run;
  leave_watch(open_.at(id));
  open_.erase(id);
  house_.runs.release(run);
}

void Calls::cancel_run(RunId run) {
  // Collected first: a call that ends at once leaves the table.
  std::vector<Id> ids;
  for (const auto& [id, open] : open_) {
    if (open.run == run) ids.push_back(id);
  }
  for (const Id id : ids) host_.cancel(id);
}

void Calls::resolve(const api::Resolution& resolution, api::Done<std::monostate> done) {
  const Result<void> resolved = try_resolve(resolution, done);
  if (!resolved.ok()) done(api::Refusal{resolved.error(), resolved.error().where, 0});
}

Result<void> Calls::try_resolve(const api::Resolution& resolution,
                                const api::Done<std::monostate>& done) {
  LIMPET_TRY(ActiveRun * active, house_.runs.find(resolution.run));
  if (active == nullptr) return Error{ErrorCode::not_found, "no such run"};
  LIMPET_TRY(const Step step, load_step(house_.store, resolution.run, resolution.step));
  const std::pair place(resolution.run, resolution.step);
  const bool resolving = std::ranges::find(resolving_, place) != resolving_.end();
  if (step.state != StepState::unknown || resolving) {
    return Error{ErrorCode::conflict, "this step's outcome is not unknown"};
  }
  Commit commit(house_);
  const run::Moment moment = commit.moment();
  run::Effects effects;
  if (resolution.outcome == Outcome::retry) {
    effects = run::retry_step(active->run, step, resolution.principal, moment);
  } else {
    effects = run::finish_step(
        active->run, step,
        {resolution.outcome, resolution.reason, resolution.value, resolution.principal}, moment);
  }
  LIMPET_CHECK(commit.apply(effects));
  LIMPET_CHECK(commit.submit([this, place, done](const Result<void>& result) {
    std::erase(resolving_, place);
    if (result.ok()) {
      done(std::monostate());
    } else {
      done(api::Refusal{result.error(), {}, 0});
    }
  }));
  resolving_.push_back(place);
  return {};
}

}  // namespace limpet::daemon
