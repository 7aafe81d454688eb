// limpet dead: list, show, redrive, drop.

#include "cli/item.hpp"
#include "cli/queue_verbs.hpp"
#include "cli/remote.hpp"
#include "cli/table.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

std::string dead_target(const std::string& task) { return "/v1/dead/" + percent_encode(task); }

Exit print_count(const Context& context, Remote& remote, const HttpRequest& request) {
  const std::optional<std::string> answer = remote.post(request);
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  const std::string count = parsed ? display(member(*parsed, "count")) : "";
  if (context.globals.json) {
    context.out << *answer << "\n";
  } else {
    context.out << (count.empty() ? "done" : count) << "\n";
  }
  return Exit::ok;
}

// One by its id, or all of a queue: never all of everything by leaving out a word.
std::optional<Exit> check_choice(const Context& context, const DeadOptions& options) {
  const bool many = options.all && !options.queue.empty() && options.task.empty();
  const bool one = !options.all && !options.task.empty();
  if (many || one) return std::nullopt;
  return fail(context, "give the id of a task, or --all with --queue NAME", Exit::usage);
}

}  // namespace

Exit list_dead(const Context& context, const DeadOptions& options) {
  std::string target = "/v1/dead?limit=" + std::to_string(options.limit.value_or(100));
  if (!options.queue.empty()) target.append("&queue=").append(percent_encode(options.queue));
  Remote remote(context);
  const std::optional<std::string> answer = remote.get(target);
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  Table table({"TASK", "QUEUE", "REASON", "ATTEMPTS", "DEATHS", "LAST DEATH", "ERROR"});
  const ByteSpan letters = is_array(*parsed) ? ByteSpan(*parsed) : member(*parsed, "dead");
  for_each_item(letters, [&](ByteSpan letter) {
    const auto cell = [letter](std::string_view name) { return display(member(letter, name)); };
    table.row({cell("id"), cell("queue"), cell("reason"), cell("attempts"), cell("deaths"),
               cell("last_death"), cell("error")});
  });
  table.print(context.out);
  return Exit::ok;
}

Exit show_dead(const Context& context, const DeadOptions& options) {
  Remote remote(context);
  const std::optional<std::string> answer = remote.get(dead_target(options.task));
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  for_each_member(*parsed, [&](std::string_view name, ByteSpan value) {
    const std::string text = display(value);
    if (!text.empty()) context.out << name << ": " << text << "\n";
  });
  return Exit::ok;
}

Exit redrive_dead(const Context& context, const DeadOptions& options) {
  if (const auto wrong = check_choice(context, options)) return *wrong;
  Remote remote(context);
  const std::vector<HttpHeader> json = {{"Content-Type", "application/json"}};
  if (options.all) {
    std::string body = "{\"queue\":";
    codec::append_json_text(body, options.queue);
    if (options.per_second) {
      body.append(",\"per_second\":").append(std::to_string(*options.per_second));
    }
    if (options.limit) body.append(",\"max\":").append(std::to_string(*options.limit));
    return print_count(context, remote, {"POST", "/v1/dead/redrive", json, body + "}"});
  }
  std::string body = "{";
  if (!options.payload.empty()) {
    const auto valid = codec::json_to_cbor(options.payload);
    if (!valid) return fail(context, "--payload is not JSON: " + valid.detail(), Exit::usage);
    body.append("\"payload\":").append(options.payload);
  }
  return print_count(context, remote,
                     {"POST", dead_target(options.task) + "/redrive", json, body + "}"});
}

Exit drop_dead(const Context& context, const DeadOptions& options) {
  if (const auto wrong = check_choice(context, options)) return *wrong;
  Remote remote(context);
  const std::string target =
      options.all ? "/v1/dead?queue=" + percent_encode(options.queue) : dead_target(options.task);
  return print_count(context, remote, {"DELETE", target, {}, ""});
}

}  // namespace limpet::cli
