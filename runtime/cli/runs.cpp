// limpet runs: list, show, resolve, cancel.

#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/stopped.hpp"
#include "cli/stopped_runs.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

std::string run_target(const std::string& run) { return "/v1/runs/" + percent_encode(run); }

void print_run(const Context& context, ByteSpan view) {
  for_each_member(view, [&](std::string_view name, ByteSpan value) {
    const std::string text = display(value);
    if (name == "steps" || text.empty()) return;
    context.out << name << ": " << text << "\n";
  });
  Table steps({"STEP", "NAME", "STATE", "OUTCOME", "TOOL", "ATTEMPT", "ERROR"});
  bool any = false;
  for_each_item(member(view, "steps"), [&](ByteSpan step) {
    any = true;
    const auto cell = [step](std::string_view name) { return display(member(step, name)); };
    const std::string tool = cell("tool");
    steps.row({cell("ordinal"), cell("name"), cell("state"), cell("outcome"),
               tool.empty() ? cell("kind") : tool, cell("attempt"), cell("error")});
  });
  if (!any) return;
  context.out << "\n";
  steps.print(context.out);
}

Exit print_answer(const Context& context, Remote& remote, const HttpRequest& request) {
  const std::optional<std::string> answer = remote.post(request);
  if (!answer) return remote.exit();
  if (context.globals.json) {
    context.out << *answer << "\n";
  } else {
    context.out << "done\n";
  }
  return Exit::ok;
}

void print_runs(const Context& context, ByteSpan answer) {
  Table table({"RUN", "AGENT", "STATE", "REASON", "KEY", "TURNS", "OPEN", "UPDATED"});
  for_each_item(member(answer, "runs"), [&](ByteSpan run) {
    const auto cell = [run](std::string_view name) { return display(member(run, name)); };
    table.row({cell("run"), cell("agent"), cell("state"), cell("reason"), cell("key"),
               cell("turns"), cell("steps_open"), cell("updated")});
  });
  table.print(context.out);
  if (!display(member(answer, "next")).empty()) context.out << "(there are more: --limit)\n";
}

// What a store that nobody serves knows: `read` makes the object, `print_one` prints it.
template <class Read, class Print>
Exit print_stopped(const Context& context, const Read& read, const Print& print_one) {
  Exit exit = Exit::ok;
  std::optional<store::StoppedStore> store = open_stopped(context, exit);
  if (!store) return exit;
  const Result<ByteVector> found = read(*store);
  if (!found.ok()) return fail(context, to_string(found.error()));
  if (!context.globals.json) {
    print_one(context, *found);
    return Exit::ok;
  }
  const Result<std::string> json = codec::cbor_to_json(*found);
  if (!json.ok()) return fail(context, to_string(json.error()));
  context.out << *json << "\n";
  return Exit::ok;
}

}  // namespace

Exit list_runs(const Context& context, const RunsOptions& options) {
  if (is_stopped(context)) {
    const auto read = [&](store::StoppedStore& store) { return stopped_runs(store, options); };
    return print_stopped(context, read, print_runs);
  }
  std::string query;
  const auto add = [&query](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    query.append(query.empty() ? "?" : "&").append(name).append("=").append(percent_encode(value));
  };
  add("state", options.state);
  add("agent", options.agent);
  if (options.limit) add("limit", std::to_string(*options.limit));
  Remote remote(context);
  const std::optional<std::string> answer = remote.get("/v1/runs" + query);
  if (!answer) return remote.exit();
  if (context.globals.json) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  const auto parsed = codec::json_to_cbor(*answer);
  if (!parsed) return fail(context, "the answer is not JSON");
  print_runs(context, *parsed);
  return Exit::ok;
}

Exit show_run(const Context& context, const std::string& run) {
  if (is_stopped(context)) {
    const auto read = [&](store::StoppedStore& store) { return stopped_run(store, run); };
    return print_stopped(context, read, print_run);
  }
  Remote remote(context);
  const std::optional<std::string> answer = remote.get(run_target(run));
  if (!answer) return remote.exit();
  if (context.globals.json) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  const auto parsed = codec::json_to_cbor(*answer);
  if (!parsed) return fail(context, "the answer is not JSON");
  print_run(context, *parsed);
  return Exit::ok;
}

Exit cancel_run(const Context& context, const std::string& run) {
  Remote remote(context);
  return print_answer(context, remote, {"POST", run_target(run) + "/cancel", {}, ""});
}

Exit resolve_step(const Context& context, const ResolveOptions& options) {
  if (!options.value.empty()) {
    const auto value = codec::json_to_cbor(options.value);
    if (!value) return fail(context, "--value is not JSON: " + value.detail(), Exit::usage);
  }
  std::string body = "{\"outcome\":\"" + options.outcome + "\"";
  if (!options.value.empty()) body.append(",\"value\":").append(options.value);
  if (!options.reason.empty()) {
    body.append(",\"reason\":");
    codec::append_json_text(body, options.reason);
  }
  body.append("}");
  Remote remote(context);
  const std::string target =
      run_target(options.run) + "/steps/" + percent_encode(options.step) + "/resolve";
  return print_answer(context, remote,
                      {"POST", target, {{"Content-Type", "application/json"}}, std::move(body)});
}

}  // namespace limpet::cli
