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

Calls::Calls(House& house, host::Host& host)
    : house_(house), host_(host), queue_(house.store, dispatch::call_queue) {}

void Calls::pump() {
  next_due_.reset();
  for (size_t count = again_.size(); count > 0; --count) {
    const auto work = std::move(again_.front());
    again_.pop_front();
    work();
  }
  if (closed_ || open_.size() >= calls_open_max) return;
  const Result<dispatch::Taken> taken = queue_.take(calls_open_max - open_.size());
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
  const Id id = (uint64_t{house_.store.incarnation().value()} << 40) | next_id_++;
  Open open;
  open.run = task.run;
  open.step = std::move(step).value();
  open_.emplace(id, std::move(open));
  house_.runs.hold(task.run);
  begin(id);
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
  if (tool != nullptr) {
    open.repeatable = is_repeatable(tool->hints);
    open.has_lookup = tool->has_lookup;
  }
  if (started) {
    recover(id, "the runtime stopped between the start of the call and its result");
  } else if (is_final(run_of(id)->state)) {
    fail(id, "the run has ended");
  } else if (tool == nullptr) {
    fail(id, "no loaded plugin offers this tool");
  } else if (open.repeatable) {
    call(id);
  } else {
    record_start(id);
  }
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
  host::ToolCall request = make_call(id);
  request.key = call_key(run->epoch, run->id, step.name, step.ordinal);
  const Result<void> begun = host_.call(
      std::move(request), [this, id](host::ToolResult result) { finished(id, std::move(result)); });
  // A quick tool has finished already; `step` and `run` may be gone.
  if (begun.ok()) {
    ++counters_.begun;
  } else if (begun.error().code == ErrorCode::busy) {
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
  open_.at(id).result = std::move(result);
  settle(id);
}

void Calls::settle(Id id) {
  const Open& open = open_.at(id);
  const host::ToolResult& result = open.result;
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
