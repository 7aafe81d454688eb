// limpet queue: list, pause, resume, drain, add.

#include "cli/item.hpp"
#include "cli/queue_verbs.hpp"
#include "cli/remote.hpp"
#include "cli/table.hpp"
#include "codec/json.hpp"
#include "config/units.hpp"

namespace limpet::cli {

namespace {

std::string age(ByteSpan queue) {
  const std::string ms = display(member(queue, "oldest_age_ms"));
  if (ms.empty() || ms == "0") return "";
  const uint64_t seconds_old = std::stoull(ms) / 1000;
  return config::show_duration(seconds(static_cast<int64_t>(seconds_old)));
}

// `"name":<ms>` of a duration; false: it is none, and said so.
bool append_duration(const Context& context, std::string& body, const char* name,
                     const std::string& text) {
  if (text.empty()) return true;
  const std::optional<Duration> duration = config::parse_duration(text);
  if (!duration) {
    fail(context, "'" + text + "' is not a duration such as 30s", Exit::usage);
    return false;
  }
  body.append(",\"").append(name).append("\":").append(std::to_string(to_ms(*duration)));
  return true;
}

void append_text(std::string& body, const char* name, const std::string& text) {
  if (text.empty()) return;
  body.append(",\"").append(name).append("\":");
  codec::append_json_text(body, text);
}

}  // namespace

Exit list_queues(const Context& context) {
  Remote remote(context);
  const std::optional<std::string> answer = remote.get("/v1/queues");
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  Table table({"QUEUE", "STATE", "READY", "LEASED", "DELAYED", "DEAD", "OLDEST", "ENQUEUED",
               "ACKED", "RETRIED", "REFUSED"});
  const ByteSpan queues = is_array(*parsed) ? ByteSpan(*parsed) : member(*parsed, "queues");
  for_each_item(queues, [&](ByteSpan queue) {
    const auto cell = [queue](std::string_view name) { return display(member(queue, name)); };
    const bool configured = cell("configured") != "false";
    table.row({cell("name"), cell("state") + (configured ? "" : ", not in the config"),
               cell("ready"), cell("leased"), cell("delayed"), cell("dead"), age(queue),
               cell("enqueued"), cell("acked"), cell("retried"), cell("refused_full")});
  });
  table.print(context.out);
  return Exit::ok;
}

Exit act_on_queue(const Context& context, const QueueActionOptions& options) {
  Remote remote(context);
  const std::string target = "/v1/queues/" + percent_encode(options.queue) + "/" + options.action;
  const std::optional<std::string> answer = remote.post({"POST", target, {}, ""});
  if (!answer) return remote.exit();
  context.out << (context.globals.json ? *answer : "done") << "\n";
  return Exit::ok;
}

Exit add_task(const Context& context, const AddTaskOptions& options) {
  std::string payload = options.payload;
  if (payload.empty()) {
    if (options.file.empty()) {
      return fail(context, "give the payload: --payload JSON, a file, or -", Exit::usage);
    }
    Result<std::string> text = read_input(context, options.file);
    if (!text) return fail(context, options.file + ": " + to_string(text.error()));
    payload = std::move(text).value();
  }
  const auto valid = codec::json_to_cbor(payload);
  if (!valid) return fail(context, "the payload is not JSON: " + valid.detail(), Exit::usage);
  std::string body = "{\"payload\":" + payload;
  if (options.priority) body.append(",\"priority\":").append(std::to_string(*options.priority));
  append_text(body, "group", options.group);
  append_text(body, "key", options.key);
  append_text(body, "tenant", options.tenant);
  if (!append_duration(context, body, "delay_ms", options.delay) ||
      !append_duration(context, body, "ttl_ms", options.ttl)) {
    return Exit::usage;
  }
  body.append("}");
  Remote remote(context);
  const std::string target = "/v1/queues/" + percent_encode(options.queue) + "/tasks";
  const std::optional<std::string> answer =
      remote.post({"POST", target, {{"Content-Type", "application/json"}}, std::move(body)});
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  for_each_item(member(*parsed, "ids"), [&](ByteSpan id) { context.out << display(id) << "\n"; });
  return Exit::ok;
}

}  // namespace limpet::cli
