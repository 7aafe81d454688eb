// limpet submit: events from a file or the command line, or a run of an agent.

#include <algorithm>

#include "base/limits.hpp"
#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"
#include "model/event.hpp"

namespace limpet::cli {

namespace {

// Leaves room below the API's own limits.
constexpr size_t batch_lines_max = limits::batch_events_max;
constexpr size_t batch_text_bytes_max = limits::batch_bytes_max;

class ObjectText {
 public:
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    codec::append_json_text(json_, value);
  }
  void raw(std::string_view name, std::string_view json) {
    if (json.empty()) return;
    begin(name);
    json_.append(json);
  }
  [[nodiscard]] std::string end() const { return json_ + "}"; }

 private:
  void begin(std::string_view name) {
    if (json_.size() > 1) json_.push_back(',');
    codec::append_json_text(json_, name);
    json_.push_back(':');
  }

  std::string json_ = "{";
};

// What is wrong with `json`, given on the command line as `option`; empty: nothing.
std::string json_problem(std::string_view option, const std::string& json) {
  if (json.empty()) return "";
  const auto parsed = codec::json_to_cbor(json);
  return parsed ? "" : std::string(option) + " is not JSON: " + parsed.detail();
}

std::string event_json(const SubmitOptions& options) {
  ObjectText event;
  event.text("specversion", "1.0");
  event.text("type", options.type);
  event.text("source", options.source);
  event.text("id", options.id);
  event.text("subject", options.subject);
  event.text("correlationid", options.correlation);
  event.raw("data", options.data);
  return event.end();
}

// Is every line an event of its own? Then a long input can be sent in parts. The first line
// decides.
bool is_lines(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{') return false;
  const std::string_view first = text.substr(begin, text.find('\n', begin) - begin);
  return first.size() < text.size() - begin && codec::json_to_cbor(first).ok();
}

// Takes lines off `text` up to a batch's limits.
std::string_view take_batch(std::string_view& text) {
  size_t end = 0;
  for (size_t lines = 0; lines < batch_lines_max && end < text.size(); ++lines) {
    const size_t newline = text.find('\n', end);
    const size_t next = newline == std::string_view::npos ? text.size() : newline + 1;
    if (end > 0 && next > batch_text_bytes_max) break;
    end = next;
  }
  const std::string_view batch = text.substr(0, end);
  text.remove_prefix(end);
  return batch;
}

void print_acknowledged(const Context& context, const std::string& answer) {
  if (context.globals.json) {
    context.out << answer << std::endl;
    return;
  }
  const auto parsed = codec::json_to_cbor(answer);
  if (!parsed) return;
  const std::string first = display(member(*parsed, "first"));
  const std::string last = display(member(*parsed, "last"));
  const std::string duplicates = display(member(*parsed, "duplicates"));
  std::string text = first.empty()   ? "nothing new"
                     : first == last ? "acknowledged " + first
                                     : "acknowledged " + first + ".." + last;
  if (duplicates != "0") text += ", " + duplicates + " duplicate" + (duplicates == "1" ? "" : "s");
  // At once: whoever reads this may rely on it, even if we are killed next.
  context.out << text << " (epoch " << display(member(*parsed, "epoch")) << ")" << std::endl;
}

Exit submit_events(const Context& context, std::string_view text) {
  Remote remote(context);
  const bool lines = is_lines(text);
  do {
    const std::string_view batch = lines ? take_batch(text) : std::exchange(text, {});
    if (batch.find_first_not_of(" \t\r\n") == std::string_view::npos && lines) continue;
    const HttpRequest request = {
        "POST",
        "/v1/events",
        {{"Content-Type", lines ? "application/x-ndjson" : "application/cloudevents+json"}},
        std::string(batch)};
    const std::optional<std::string> answer = remote.post(request);
    if (!answer) return remote.exit();
    print_acknowledged(context, *answer);
  } while (!text.empty());
  return Exit::ok;
}

// Follows the run to its end and shows it.
Exit wait_for_run(const Context& context, const std::string& run, Duration timeout) {
  Remote remote(context);
  const std::string target = "/v1/runs/" + percent_encode(run);
  const bool ended =
      remote.stream(target + "/events?follow=true", timeout, [](std::string_view) { return true; });
  if (!ended) return remote.exit();
  const std::optional<std::string> answer = remote.get(target);
  if (!answer) return remote.exit();
  const auto view = codec::json_to_cbor(*answer);
  const std::string state = view ? display(member(*view, "state")) : "";
  if (context.globals.json) {
    context.out << *answer << "\n";
  } else {
    context.out << state;
    const std::string reason = view ? display(member(*view, "reason")) : "";
    if (!reason.empty()) context.out << " (" << reason << ")";
    const std::string output = view ? display(member(*view, "output")) : "";
    if (!output.empty()) context.out << ": " << output;
    context.out << "\n";
  }
  return state == "completed" ? Exit::ok : Exit::failed;
}

Exit submit_run(const Context& context, const SubmitOptions& options) {
  ObjectText body;
  body.text("agent", options.agent);
  body.raw("input", options.input);
  body.text("key", options.key);
  body.text("tenant", options.tenant);
  body.text("correlationid", options.correlation);
  if (options.priority) body.raw("priority", std::to_string(*options.priority));
  HttpRequest request = {"POST", "/v1/runs", {{"Content-Type", "application/json"}}, body.end()};
  if (!options.idempotency_key.empty()) {
    request.headers.push_back({"Idempotency-Key", options.idempotency_key});
  }
  Remote remote(context);
  const std::optional<std::string> answer = remote.post(request);
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  const std::string run = parsed ? display(member(*parsed, "run")) : "";
  if (context.globals.json && !options.wait) {
    context.out << *answer << std::endl;
  } else if (!context.globals.json) {
    const bool created = parsed && display(member(*parsed, "created")) == "true";
    context.out << "run " << run << (created ? "" : " (was there already)") << std::endl;
  }
  return options.wait ? wait_for_run(context, run, options.timeout) : Exit::ok;
}

}  // namespace

Exit submit(const Context& context, const SubmitOptions& options) {
  const auto given = [](const std::string& text) { return text.empty() ? 0 : 1; };
  if (given(options.file) + given(options.type) + given(options.agent) != 1) {
    return fail(context, "submit takes a file (or -), or --type, or --agent", Exit::usage);
  }
  std::string problem = json_problem("--data", options.data);
  if (problem.empty()) problem = json_problem("--input", options.input);
  if (!problem.empty()) return fail(context, problem, Exit::usage);
  if (!options.agent.empty()) return submit_run(context, options);
  if (!options.type.empty()) return submit_events(context, event_json(options));
  const Result<std::string> text = read_input(context, options.file);
  if (!text) return fail(context, options.file + ": " + to_string(text.error()));
  return submit_events(context, *text);
}

}  // namespace limpet::cli
