#include "run/records.hpp"

#include "base/check.hpp"
#include "codec/cbor_builder.hpp"
#include "codec/cbor_value.hpp"

namespace limpet::run {

namespace {

using codec::CborBuilder;
using codec::CborRaw;

// Data of our own events: built from bounded parts, so it cannot fail; anything else is our bug.
ByteVector finish(CborBuilder& builder) {
  builder.end();
  Result<ByteVector> item = builder.take();
  LIMPET_ASSERT(item.ok());
  return std::move(item).value();
}

CborBuilder begin_map() {
  CborBuilder builder(limits::event_data_bytes_max);
  builder.begin_map();
  return builder;
}

void put(CborBuilder& builder, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  builder.text(key);
  builder.text(text);
}

void put_item(CborBuilder& builder, std::string_view key, ByteSpan item) {
  if (item.empty()) return;
  builder.text(key);
  builder.raw(item);
}

void put_number(CborBuilder& builder, std::string_view key, uint64_t number) {
  builder.text(key);
  builder.uint(number);
}

std::string key_of(const Run& run, const Step& step) {
  return call_key(run.epoch, run.id, step.name, step.ordinal);
}

}  // namespace

Event run_event(const Run& run, std::string_view type, const Moment& moment) {
  Event event;
  event.type = type;
  event.time = moment.now;
  event.run = run.id;
  event.correlation = run.correlation;
  event.tenant = run.tenant;
  event.principal = "agent:" + run.agent;
  return event;
}

Event created_event(const Run& run, const RunRequest& request, const Moment& moment) {
  Event event = run_event(run, event_type::run_created, moment);
  if (!request.principal.empty()) event.principal = request.principal;
  CborBuilder data = begin_map();
  put(data, "agent", run.agent);
  put(data, "key", run.key);
  put_item(data, "input", request.input);
  if (!request.cause.none()) {
    event.causation = qualified_id(moment.epoch, request.cause.value());
    put(data, "trigger", event.causation);
  }
  event.data = finish(data);
  return event;
}

Event ended_event(const Run& run, const Ending& ending, const Moment& moment) {
  std::string_view type = event_type::run_failed;
  if (ending.state == RunState::completed) type = event_type::run_completed;
  if (ending.state == RunState::cancelled) type = event_type::run_cancelled;
  Event event = run_event(run, type, moment);
  if (!ending.principal.empty()) event.principal = ending.principal;
  CborBuilder data = begin_map();
  put(data, "agent", run.agent);
  put(data, "key", run.key);
  put(data, "reason", ending.reason);
  put_item(data, "output", ending.output);
  event.data = finish(data);
  return event;
}

Event started_event(const Run& run, const Step& step, const Moment& moment) {
  Event event = run_event(run, event_type::step_started, moment);
  CborBuilder data = begin_map();
  put(data, "step", step.name);
  put(data, "tool", step.tool);
  put(data, "key", key_of(run, step));
  put_number(data, "attempt", step.attempt);
  put_item(data, "arguments", step.arguments);
  event.data = finish(data);
  return event;
}

Event finished_event(const Run& run, const Step& step, const StepResult& result,
                     const Moment& moment) {
  Event event = run_event(run, event_type::step_finished, moment);
  if (!result.principal.empty()) event.principal = result.principal;
  if (!step.started.none()) event.causation = qualified_id(moment.epoch, step.started.value());
  CborBuilder data = begin_map();
  put(data, "step", step.name);
  put(data, "outcome", to_string(result.outcome));
  if (step.kind == StepKind::call) {
    put(data, "tool", step.tool);
    put_number(data, "attempt", step.attempt);
    put(data, "error", step.error);
    put_item(data, "value", result.value);
  }
  event.data = finish(data);
  return event;
}

Event postponed_event(const Run& run, const Step& step, const Postponement& postponement,
                      const Moment& moment) {
  Event event = run_event(run, event_type::step_progress, moment);
  CborBuilder data = begin_map();
  put(data, "step", step.name);
  put(data, "tool", step.tool);
  put_number(data, "attempt", step.attempt);
  put(data, "error", postponement.error);
  put_number(data, "retry_after_ms", postponement.delay_ms);
  event.data = finish(data);
  return event;
}

Event unknown_event(const Run& run, const Step& step, const Moment& moment) {
  Event event = run_event(run, event_type::step_unknown, moment);
  CborBuilder data = begin_map();
  put(data, "step", step.name);
  put(data, "tool", step.tool);
  put(data, "key", key_of(run, step));
  put_number(data, "attempt", step.attempt);
  put(data, "why", step.error);
  event.data = finish(data);
  return event;
}

Event denied_event(const Run& run, const Step& step, std::string_view why, const Moment& moment) {
  Event event = run_event(run, event_type::policy_denied, moment);
  CborBuilder data = begin_map();
  put(data, "step", step.name);
  put(data, "tool", step.tool);
  put(data, "why", why);
  event.data = finish(data);
  return event;
}

ByteVector event_for_agent(const EventView& event, Epoch epoch) {
  CborBuilder map(limits::event_record_bytes_max + 1024);
  map.begin_map();
  put(map, "type", event.type);
  put(map, "source", event.source);
  put(map, "subject", event.subject);
  const std::string own_id = qualified_id(epoch, event.sequence.value());
  put(map, "id", event.id.empty() ? std::string_view(own_id) : event.id);
  put_number(map, "time", event.time.ns);
  put_number(map, "sequence", event.sequence.value());
  put(map, "epoch", to_string(epoch));
  put(map, "correlationid", event.correlation);
  put(map, "causationid", event.causation);
  if (!event.run.none()) put(map, "runid", qualified_id(epoch, event.run.value()));
  put_item(map, "data", event.data);
  return finish(map);
}

uint64_t turn_seed(const Run& run, Sequence event) {
  // The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
  // Generators).
  uint64_t mixed = run.id.value() * 0x9e3779b97f4a7c15ull + event.value() + run.epoch.value();
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return mixed ^ (mixed >> 31);
}

}  // namespace limpet::run
