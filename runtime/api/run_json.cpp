#include "api/run_json.hpp"

#include "api/json_writer.hpp"
#include "codec/json.hpp"
#include "codec/rfc3339.hpp"

namespace limpet::api {

namespace {

std::string time_text(WallTime time) { return time.ns == 0 ? "" : codec::to_rfc3339(time); }

void append_summary(JsonObject& object, const Run& run, Epoch epoch) {
  object.text("run", qualified_id(epoch, run.id.value()));
  object.text("agent", run.agent);
  object.text("state", to_string(run.state));
  object.text_or_null("reason", run.reason);
  object.text_or_null("key", run.key);
  object.text_or_null("tenant", run.tenant);
  object.text_or_null("principal", run.principal);
  object.text_or_null("correlationid", run.correlation);
  object.number("priority", run.priority);
  object.text_or_null("deadline", time_text(run.deadline));
  object.text_or_null("created", time_text(run.created));
  object.text_or_null("updated", time_text(run.updated));
  object.number("turns", run.turns);
  object.number("steps_open", run.steps_open);
}

Result<void> append_item(std::string& out, ByteSpan item) {
  if (!item.empty()) return codec::append_json(out, item);
  out.append("null");
  return {};
}

void sequence_or_null(JsonObject& object, std::string_view name, Sequence sequence) {
  object.raw(name, sequence.none() ? "null" : std::to_string(sequence.value()));
}

Result<void> append_step(std::string& out, const Step& step) {
  JsonObject object(out);
  object.number("ordinal", step.ordinal.value());
  object.text("name", step.name);
  object.text("kind", step.kind == StepKind::call ? "call" : "timer");
  object.text("state", to_string(step.state));
  const bool finished = step.state == StepState::finished;
  object.text_or_null("outcome", finished ? to_string(step.outcome) : std::string_view());
  object.text_or_null("error", step.error);
  if (step.kind == StepKind::call) {
    object.text("tool", step.tool);
    object.number("attempt", step.attempt);
    object.member("arguments");
    LIMPET_CHECK(append_item(out, step.arguments));
  } else {
    object.text_or_null("due", time_text(step.due));
  }
  sequence_or_null(object, "started", step.started);
  sequence_or_null(object, "finished", step.finished);
  object.end();
  return {};
}

}  // namespace

void append_run(std::string& out, const Run& run, Epoch epoch) {
  JsonObject object(out);
  append_summary(object, run, epoch);
  object.end();
}

Result<std::string> run_view_json(const RunView& view, Epoch epoch) {
  std::string out;
  JsonObject object(out);
  append_summary(object, view.run, epoch);
  object.member("input");
  LIMPET_CHECK(append_item(out, view.input));
  object.member("output");
  LIMPET_CHECK(append_item(out, view.output));
  object.member("steps");
  JsonArray steps(out);
  for (const Step& step : view.steps) {
    steps.item();
    LIMPET_CHECK(append_step(out, step));
  }
  steps.end();
  object.end();
  return out;
}

}  // namespace limpet::api
