#include "run/engine.hpp"

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/cbor_value.hpp"
#include "run/records.hpp"

namespace limpet::run {

namespace {

using codec::cbor_map;
using codec::CborRaw;

constexpr size_t error_bytes_max = 512;

std::string cut(std::string_view text) { return std::string(text.substr(0, error_bytes_max)); }

Effects begin_effects(const Run& run) {
  Effects effects;
  effects.run = run;
  return effects;
}

// A parked step is settled; the run goes on when it was the last one.
void resume(Run& run) {
  if (run.steps_unknown > 0) --run.steps_unknown;
  if (run.state != RunState::paused || run.steps_unknown > 0) return;
  run.state = RunState::waiting;
  run.reason.clear();
}

void close_step(Effects& effects, Step step, const StepResult& result, const Moment& moment) {
  step.state = StepState::finished;
  step.outcome = result.outcome;
  step.error = cut(result.error);
  Event event = finished_event(effects.run, step, result, moment);
  step.arguments.clear();
  if (effects.run.steps_open > 0) --effects.run.steps_open;
  effects.events.push_back({std::move(event), !is_final(effects.run.state), step.ordinal});
  effects.steps.push_back(std::move(step));
}

void end(Effects& effects, const Ending& ending, const Moment& moment) {
  LIMPET_ASSERT(is_final(ending.state));
  effects.run.state = ending.state;
  effects.run.reason = ending.reason;
  effects.run.updated = moment.now;
  effects.ended = true;
  effects.events.push_back({ended_event(effects.run, ending, moment), false, Ordinal()});
}

Step open_step(Effects& effects, std::string name, StepKind kind) {
  Step step;
  step.ordinal = Ordinal(++effects.run.steps);
  step.name = std::move(name);
  step.kind = kind;
  ++effects.run.steps_open;
  return step;
}

// Carries out the commands of one decision, one function for each kind.
class Applying {
 public:
  Applying(Effects& effects, const TurnInput& input) : effects_(effects), input_(input) {}

  void operator()(const CallCommand& call) {
    Step step = open_step(effects_, call.name, StepKind::call);
    step.tool = call.tool;
    step.arguments = call.arguments;
    const ToolHints* hints = input_.find_tool(call.tool);
    if (hints == nullptr) {
      const std::string error = "no loaded plugin offers the tool " + call.tool;
      close_step(effects_, std::move(step), {Outcome::failed, error, {}, {}}, input_.moment);
      return;
    }
    const std::string_view denial = denial_reason(input_.policy, call.tool, *hints);
    if (!denial.empty()) {
      deny(std::move(step), denial);
      return;
    }
    // What may run again needs no record awaited before it: its start is part of the turn.
    if (is_repeatable(*hints)) {
      step.attempt = 1;
      effects_.events.push_back(
          {started_event(effects_.run, step, input_.moment), false, step.ordinal});
    }
    effects_.calls.push_back(step.ordinal);
    effects_.steps.push_back(std::move(step));
  }

  void operator()(const EmitCommand& emit) {
    Event event = run_event(effects_.run, emit.type, input_.moment);
    event.subject = emit.subject;
    event.data = emit.data;
    effects_.events.push_back({std::move(event), false, Ordinal()});
  }

  void operator()(const TimerCommand& timer) {
    Step step = open_step(effects_, timer.name, StepKind::timer);
    step.due = input_.moment.now + milliseconds(static_cast<int64_t>(timer.after_ms));
    effects_.timers.push_back(step.ordinal);
    effects_.steps.push_back(std::move(step));
  }

  void operator()(const CompleteCommand& complete) {
    end(effects_, {RunState::completed, {}, complete.output, {}}, input_.moment);
  }

  void operator()(const FailCommand& fail) {
    end(effects_, {RunState::failed, fail.reason, {}, {}}, input_.moment);
  }

 private:
  void deny(Step step, std::string_view reason) {
    effects_.events.push_back(
        {denied_event(effects_.run, step, reason, input_.moment), false, Ordinal()});
    const std::string error = std::string("denied: ").append(reason);
    close_step(effects_, std::move(step), {Outcome::failed, error, {}, {}}, input_.moment);
  }

  Effects& effects_;
  const TurnInput& input_;
};

}  // namespace

Effects begin_run(const AgentPolicy& policy, const RunRequest& request, const Moment& moment) {
  Effects effects;
  Run& run = effects.run;
  run.id = request.id;
  run.epoch = moment.epoch;
  run.agent = policy.name;
  run.key = request.key;
  run.created = moment.now;
  run.updated = moment.now;
  // Whoever named no correlation gets one: the id of what began it all.
  const uint64_t beginning = request.cause.none() ? request.id.value() : request.cause.value();
  run.correlation =
      request.correlation.empty() ? qualified_id(moment.epoch, beginning) : request.correlation;
  run.tenant = request.tenant;
  run.principal = request.principal;
  run.priority = request.priority;
  const Duration deadline = request.deadline.ns > 0 ? request.deadline : policy.deadline;
  if (deadline.ns > 0) run.deadline = moment.now + deadline;
  run.input = request.cause.none() ? Sequence(request.id.value()) : request.cause;
  effects.events.push_back({created_event(run, request, moment), request.cause.none(), Ordinal()});
  return effects;
}

Effects apply_decision(const Run& run, const Decision& decision, const TurnInput& input) {
  Effects effects = begin_effects(run);
  effects.run.turns += 1;
  effects.run.turn_attempts = 0;
  effects.run.updated = input.moment.now;
  if (decision.has_state) {
    effects.state = decision.state;
    effects.run.state_version = decision.state_version;
  }
  Applying applying(effects, input);
  for (const Command& command : decision.commands) std::visit(applying, command);
  if (!effects.ended && effects.run.steps_open > input.policy.steps_open_max) {
    // Nothing of this turn takes place: the run ends instead, with the reason.
    effects.calls.clear();
    effects.timers.clear();
    effects.steps.clear();
    effects.events.clear();
    effects.run.steps_open = run.steps_open;
    end(effects, {RunState::failed, std::string(run_reason::budget_steps), {}, {}}, input.moment);
  }
  for (NewEvent& event : effects.events) {
    event.event.causation = qualified_id(input.moment.epoch, input.event.value());
  }
  return effects;
}

Effects start_step(const Run& run, const Step& step, const Moment& moment) {
  Effects effects = begin_effects(run);
  Step started = step;
  started.state = StepState::started;
  started.attempt += 1;
  effects.events.push_back({started_event(run, started, moment), false, started.ordinal});
  effects.steps.push_back(std::move(started));
  return effects;
}

Effects finish_step(const Run& run, const Step& step, const StepResult& result,
                    const Moment& moment) {
  LIMPET_ASSERT(step.state != StepState::finished);
  Effects effects = begin_effects(run);
  effects.run.updated = moment.now;
  const bool was_parked = step.state == StepState::unknown;
  close_step(effects, step, result, moment);
  if (was_parked) resume(effects.run);
  return effects;
}

Effects postpone_step(const Run& run, const Step& step, const Postponement& postponement,
                      const Moment& moment) {
  Effects effects = begin_effects(run);
  Step later = step;
  later.state = StepState::scheduled;
  effects.events.push_back({postponed_event(run, step, postponement, moment), false, Ordinal()});
  if (postponement.repeatable) {
    later.attempt += 1;
    effects.events.push_back({started_event(run, later, moment), false, later.ordinal});
  }
  effects.calls.push_back(later.ordinal);
  effects.steps.push_back(std::move(later));
  return effects;
}

Effects park_step(const Run& run, const Step& step, std::string_view why, const Moment& moment) {
  Effects effects = begin_effects(run);
  Step parked = step;
  parked.state = StepState::unknown;
  parked.error = cut(why);
  effects.events.push_back({unknown_event(run, parked, moment), false, Ordinal()});
  effects.steps.push_back(std::move(parked));
  effects.run.steps_unknown += 1;
  if (!is_final(effects.run.state)) {
    effects.run.state = RunState::paused;
    effects.run.reason = run_reason::unknown_outcome;
  }
  effects.run.updated = moment.now;
  return effects;
}

Effects retry_step(const Run& run, const Step& step, std::string_view principal,
                   const Moment& moment) {
  Effects effects = begin_effects(run);
  Step again = step;
  again.state = StepState::scheduled;
  again.error.clear();
  Event event = run_event(run, event_type::step_progress, moment);
  event.principal = principal;
  event.data = cbor_map({{"step", step.name}, {"tool", step.tool}, {"resolved", "retry"}});
  effects.events.push_back({std::move(event), false, Ordinal()});
  effects.calls.push_back(again.ordinal);
  effects.steps.push_back(std::move(again));
  resume(effects.run);
  effects.run.updated = moment.now;
  return effects;
}

Effects end_run(const Run& run, const Ending& ending, const Moment& moment) {
  Effects effects = begin_effects(run);
  end(effects, ending, moment);
  return effects;
}

void settle(Run& run) {
  if (is_final(run.state) || run.state == RunState::paused) return;
  run.state = run.inbox_events > 0 ? RunState::queued : RunState::waiting;
}

std::string_view turn_refusal(const Run& run, const AgentPolicy& policy) {
  if (policy.turns_max != 0 && run.turns >= policy.turns_max) return run_reason::budget_turns;
  return {};
}

}  // namespace limpet::run
