#pragma once

// The events by which a run tells its story; their types and members are stable. [any]
// The run's correlation, tenant and id are on each; the principal is the agent unless a person
// acted.

#include <string_view>

#include "model/event.hpp"
#include "model/run.hpp"
#include "run/engine.hpp"

namespace limpet::run {

// What all of them share; `data` is empty.
[[nodiscard]] Event run_event(const Run& run, std::string_view type, const Moment& moment);

// {agent, ?key, ?input, ?trigger}
[[nodiscard]] Event created_event(const Run& run, const RunRequest& request, const Moment& moment);
// limpet.run.completed {?output}, .failed {reason, ?output}, .cancelled {reason}
[[nodiscard]] Event ended_event(const Run& run, const Ending& ending, const Moment& moment);
// {step, tool, key, attempt, arguments}
[[nodiscard]] Event started_event(const Run& run, const Step& step, const Moment& moment);
// {step, tool, outcome, ?value, ?error, attempt}; a timer's has {step, outcome} only
[[nodiscard]] Event finished_event(const Run& run, const Step& step, const StepResult& result,
                                   const Moment& moment);
// limpet.step.progress {step, tool, attempt, error, retry_after_ms}
[[nodiscard]] Event postponed_event(const Run& run, const Step& step,
                                    const Postponement& postponement, const Moment& moment);
// {step, tool, key, attempt, why}
[[nodiscard]] Event unknown_event(const Run& run, const Step& step, const Moment& moment);
// {step, tool, why}
[[nodiscard]] Event denied_event(const Run& run, const Step& step, std::string_view why,
                                 const Moment& moment);

// The event as an agent sees it: one CBOR map, as limpet/ext/draft/agents.h says.
[[nodiscard]] ByteVector event_for_agent(const EventView& event, Epoch epoch);

// The seed of a turn: the same when it is repeated, another for every event of every run.
[[nodiscard]] uint64_t turn_seed(const Run& run, Sequence event);

}  // namespace limpet::run
