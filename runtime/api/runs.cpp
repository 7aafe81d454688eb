// /v1/runs: submit, list, look, resolve a step, cancel.

#include <algorithm>
#include <array>

#include "api/body.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/query.hpp"
#include "api/run_id.hpp"
#include "api/run_json.hpp"
#include "base/limits.hpp"
#include "codec/utf8.hpp"

namespace limpet::api {

namespace {

constexpr uint64_t list_runs_default = 100;
constexpr uint64_t list_runs_max = 1000;
constexpr int64_t deadline_ms_max = int64_t{366} * 24 * 3600 * 1000;
constexpr size_t reason_bytes_max = 512;

constexpr std::array run_states = {RunState::queued,   RunState::running,   RunState::waiting,
                                   RunState::paused,   RunState::completed, RunState::failed,
                                   RunState::cancelled};

std::optional<RunState> parse_state(std::string_view text) {
  const auto* const found =
      std::find_if(run_states.begin(), run_states.end(),
                   [text](RunState state) { return to_string(state) == text; });
  return found == run_states.end() ? std::nullopt : std::optional(*found);
}

std::optional<Response> read_new_run(const Request& request, NewRun& run) {
  int64_t priority = run.priority;
  BodyReader body(request.body);
  body.text("agent", {run.agent, limits::agent_name_bytes_max});
  body.item("input", run.input);
  body.text("key", {run.key, limits::run_key_bytes_max});
  body.number("priority", {priority, 0, 9});
  body.number("deadline_ms", {run.deadline_ms, 1, deadline_ms_max});
  body.text("tenant", {run.tenant, limits::event_attribute_bytes_max});
  body.text("correlationid", {run.correlation, limits::event_attribute_bytes_max});
  body.text("webhook", {run.webhook, limits::event_attribute_bytes_max});
  run.priority = static_cast<uint8_t>(priority);
  if (run.agent.empty()) body.refuse("Member `agent` is missing: which agent should run?");
  if (run.input.size() > limits::event_data_bytes_max) {
    body.refuse("Member `input` is larger than 64 KiB.");
  }
  run.idempotency_key = header(request, "idempotency-key");
  if (run.idempotency_key.size() > limits::idempotency_key_bytes_max) {
    body.refuse("Header `Idempotency-Key` has more than 256 bytes.");
  }
  if (!codec::utf8_valid(run.idempotency_key)) {
    body.refuse("Header `Idempotency-Key` is not UTF-8.");
  }
  run.principal = request.principal;
  return body.refusal();
}

std::optional<Response> read_resolution(const Request& request, Resolution& resolution) {
  std::string outcome;
  BodyReader body(request.body);
  body.text("outcome", {outcome, 16});
  body.item("value", resolution.value);
  body.text("reason", {resolution.reason, reason_bytes_max});
  if (outcome == "done") {
    resolution.outcome = Outcome::done;
  } else if (outcome == "retry") {
    resolution.outcome = Outcome::retry;
  } else if (outcome == "fail") {
    resolution.outcome = Outcome::failed;
  } else {
    body.refuse("Member `outcome` is `done`, `retry` or `fail`.");
  }
  resolution.principal = request.principal;
  return body.refusal();
}

// A step by its ordinal or its name; of several with that name, the one that waits for a person.
std::optional<Ordinal> find_step(const RunView& view, std::string_view name) {
  const std::optional<uint64_t> number = parse_number(name);
  std::optional<Ordinal> found;
  for (const Step& step : view.steps) {
    const bool named = number ? step.ordinal.value() == *number : step.name == name;
    if (named && (!found || step.state == StepState::unknown)) found = step.ordinal;
  }
  return found;
}

Done<std::monostate> answer_with_state(const Call& call, RunId run) {
  return [exchange = call.exchange, &services = call.services, run](Answer<std::monostate> answer) {
    if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
      return exchange.respond(problem(*refusal));
    }
    Response response;
    JsonObject object(response.body);
    object.text("run", qualified_id(services.epoch(), run.value()));
    object.end();
    exchange.respond(std::move(response));
  };
}

}  // namespace

std::optional<RunId> parse_run_id(std::string_view text, Epoch epoch) {
  const std::optional<QualifiedId> id = parse_qualified_id(text);
  if (!id || id->epoch != epoch || id->number == 0) return std::nullopt;
  return RunId(id->number);
}

Response no_such_run(const Call& call) {
  return refused(Error{ErrorCode::not_found, "api: run"},
                 "There is no run `" + call.request.segments[2] + "`.");
}

std::optional<RunId> find_run(Call& call) {
  const std::optional<RunId> id = parse_run_id(call.request.segments[2], call.services.epoch());
  if (id && call.services.get_run(*id)) return id;
  call.exchange.respond(no_such_run(call));
  return std::nullopt;
}

void post_run(Call& call) {
  NewRun run;
  if (auto refusal = read_new_run(call.request, run)) {
    return call.exchange.respond(std::move(*refusal));
  }
  call.services.submit_run(
      std::move(run),
      [exchange = call.exchange, epoch = call.services.epoch()](Answer<Submitted> answer) {
        if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
          return exchange.respond(problem(*refusal));
        }
        const Submitted& submitted = std::get<Submitted>(answer);
        Response response;
        response.status = submitted.created ? 202 : 200;
        JsonObject object(response.body);
        object.text("run", qualified_id(epoch, submitted.run.value()));
        object.boolean("created", submitted.created);
        object.end();
        exchange.respond(std::move(response));
      });
}

void list_runs(Call& call) {
  QueryReader query(call.request);
  RunFilter filter;
  std::string state;
  std::string before;
  std::optional<uint64_t> limit;
  query.text("state", state);
  query.text("agent", filter.agent);
  query.text("before", before);
  query.number("limit", limit);
  filter.state = parse_state(state);
  if (!state.empty() && !filter.state) {
    query.refuse(
        "Parameter `state` is one of queued, running, waiting, paused, completed, failed, "
        "cancelled.");
  }
  const Epoch epoch = call.services.epoch();
  filter.before = parse_run_id(before, epoch).value_or(RunId());
  if (!before.empty() && filter.before.none()) {
    query.refuse("Parameter `before` is not the id of a run of this store.");
  }
  if (const auto sentence = query.refusal()) return call.exchange.respond(invalid(*sentence));

  const uint64_t runs_max = std::min(limit.value_or(list_runs_default), list_runs_max);
  Response response;
  JsonObject object(response.body);
  object.member("runs");
  JsonArray runs(response.body);
  uint64_t count = 0;
  RunId last;
  bool more = false;
  const Result<void> listed = call.services.list_runs(filter, [&](const Run& run) {
    more = count == runs_max;
    if (more) return false;
    runs.item();
    append_run(response.body, run, epoch);
    last = run.id;
    ++count;
    return true;
  });
  if (!listed) return call.exchange.respond(problem(Refusal{listed.error(), "", 0}));
  runs.end();
  object.text_or_null("next", more && !last.none() ? qualified_id(epoch, last.value()) : "");
  object.end();
  call.exchange.respond(std::move(response));
}

void get_run(Call& call) {
  const Epoch epoch = call.services.epoch();
  const std::optional<RunId> id = parse_run_id(call.request.segments[2], epoch);
  if (!id) return call.exchange.respond(no_such_run(call));
  const Result<RunView> view = call.services.get_run(*id);
  if (!view && view.error().code == ErrorCode::not_found) {
    return call.exchange.respond(no_such_run(call));
  }
  Result<std::string> json = view ? run_view_json(*view, epoch) : view.error();
  if (!json) return call.exchange.respond(problem(Refusal{json.error(), "", 0}));
  Response response;
  response.body = std::move(json).value();
  call.exchange.respond(std::move(response));
}

void resolve_step(Call& call) {
  Resolution resolution;
  if (auto refusal = read_resolution(call.request, resolution)) {
    return call.exchange.respond(std::move(*refusal));
  }
  const std::optional<RunId> run = parse_run_id(call.request.segments[2], call.services.epoch());
  if (!run) return call.exchange.respond(no_such_run(call));
  const Result<RunView> view = call.services.get_run(*run);
  if (!view) return call.exchange.respond(no_such_run(call));
  const std::string& name = call.request.segments[4];
  const std::optional<Ordinal> step = find_step(*view, name);
  if (!step) {
    return call.exchange.respond(
        refused(Error{ErrorCode::not_found, "api: step"}, "The run has no step `" + name + "`."));
  }
  resolution.run = *run;
  resolution.step = *step;
  call.services.resolve_step(std::move(resolution), answer_with_state(call, *run));
}

void cancel_run(Call& call) {
  if (auto refusal = BodyReader(call.request.body).refusal()) {
    return call.exchange.respond(std::move(*refusal));
  }
  const std::optional<RunId> run = find_run(call);
  if (!run) return;
  call.services.cancel_run(*run, call.request.principal, answer_with_state(call, *run));
}

}  // namespace limpet::api
