// POST /v1/queues/{q}/tasks; ack, nack and extend, of one task and of many.

#include <utility>

#include "api/body.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/reply.hpp"
#include "api/task_json.hpp"
#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "store/task_record.hpp"

namespace limpet::api {

namespace {

constexpr int64_t delay_ms_max = int64_t{366} * 24 * 3600 * 1000;
constexpr int64_t lease_ms_min = 100;
constexpr int64_t lease_ms_max = int64_t{24} * 3600 * 1000;
constexpr uint8_t cbor_null = 0xf6;
constexpr std::string_view stale_name = "stale-lease";

// Producers -------------------------------------------------------------------------------------

void read_task(BodyReader& body, TaskRequest& task) {
  int64_t priority = task.priority;
  int64_t ttl_ms = 0;
  body.item("payload", task.payload);
  body.number("priority", {priority, 0, 9});
  body.number("delay_ms", {task.delay_ms, 0, delay_ms_max});
  body.number("ttl_ms", {ttl_ms, 1, delay_ms_max});
  body.text("group", {task.group, limits::run_key_bytes_max});
  body.text("key", {task.key, limits::run_key_bytes_max});
  body.text("tenant", {task.tenant, limits::event_attribute_bytes_max});
  body.text("correlationid", {task.correlation, limits::event_attribute_bytes_max});
  task.priority = static_cast<uint8_t>(priority);
  if (ttl_ms > 0) task.ttl_ms = ttl_ms;
  if (task.payload.empty()) task.payload.push_back(cbor_null);
  if (task.payload.size() > limits::event_data_bytes_max) {
    body.refuse("Member `payload` is larger than 64 KiB.");
  }
}

std::optional<Response> read_tasks(const BodyItems& items, std::vector<TaskRequest>& tasks) {
  tasks.reserve(items.size());
  for (size_t index = 0; index < items.size(); ++index) {
    BodyReader body(items, index);
    read_task(body, tasks.emplace_back());
    if (auto refusal = body.refusal()) return refusal;
  }
  return std::nullopt;
}

void append_ids(JsonObject& object, std::string& out, std::string_view name,
                const std::vector<std::string>& ids) {
  object.member(name);
  JsonArray array(out);
  for (const std::string& id : ids) {
    array.item();
    out.append("\"").append(id).append("\"");
  }
  array.end();
}

std::string taken_json(const TasksTaken& taken, Epoch epoch) {
  const auto texts = [epoch](const std::vector<Sequence>& tasks) {
    std::vector<std::string> ids;
    for (const Sequence task : tasks) ids.push_back(qualified_id(epoch, task.value()));
    return ids;
  };
  std::string json;
  JsonObject object(json);
  append_ids(object, json, "ids", texts(taken.tasks));
  append_ids(object, json, "duplicates", texts(taken.repeated));
  object.end();
  return json;
}

// Workers ---------------------------------------------------------------------------------------

Response stale(const Refusal& refusal) {
  return refusal.error.code == ErrorCode::conflict ? problem(refusal, stale_name)
                                                   : problem(refusal);
}

Refusal of_another_store() {
  return {{ErrorCode::conflict, "api: task"},
          "The task is of another store, or of this one before it was restored."};
}

Response no_such_task(const std::string& id) {
  return refused(Error{ErrorCode::not_found, "api: task"}, "There is no task `" + id + "`.");
}

void read_result(BodyReader& body, ByteVector& result) {
  body.item("result", result);
  if (result.empty()) return;
  if (result.size() > limits::item_bytes_max) {
    body.refuse("Member `result` is larger than 60 KiB.");
  }
  if (!codec::validate_item(result)) body.refuse("Member `result` is nested too deeply.");
}

void read_settlement(BodyReader& body, SettleRequest& request) {
  body.identifier("token", request.token);
  if (request.token == 0) body.refuse("Member `token` is missing: it came with the lease.");
  if (request.verdict == Verdict::ack) return read_result(body, request.result);
  body.optional_number("delay_ms", request.delay_ms, delay_ms_max);
  body.flag("permanent", request.permanent);
  body.flag("release", request.release);
  body.text("reason", {request.reason, store::death_error_bytes_max});
  if (request.permanent && request.release) {
    body.refuse("Members `permanent` and `release` exclude each other.");
  }
}

void settle_one(Call& call, Verdict verdict) {
  const std::string& id = call.request.segments[2];
  const std::optional<Sequence> task = parse_task_id(id, call.services.epoch());
  SettleRequest request;
  request.verdict = verdict;
  BodyReader body(call.request.body);
  read_settlement(body, request);
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  if (!task) return call.exchange.respond(no_such_task(id));
  if (task->none()) return call.exchange.respond(stale(of_another_store()));
  request.task = *task;
  std::vector<SettleRequest> requests;
  requests.push_back(std::move(request));
  call.queues->settle(std::move(requests),
                      [exchange = call.exchange, id](Answer<SettleAnswers> answer) {
                        if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
                          return exchange.respond(problem(*refusal));
                        }
                        const SettleAnswers& answers = std::get<SettleAnswers>(answer);
                        if (!answers.empty() && answers.front()) {
                          return exchange.respond(stale(*answers.front()));
                        }
                        std::string json;
                        JsonObject object(json);
                        object.text("id", id);
                        object.end();
                        reply_json(exchange, std::move(json));
                      });
}

// Settlements of an array: those of tasks of this store go to the house, the others are stale.
struct Batch {
  std::vector<std::string> ids;         // all, as they were sent
  std::vector<SettleRequest> requests;  // of this store
  std::vector<size_t> places;           // of `requests` in `ids`
};

std::optional<Response> read_batch(const BodyItems& items, Verdict verdict, Epoch epoch,
                                   Batch& batch) {
  for (size_t index = 0; index < items.size(); ++index) {
    BodyReader body(items, index);
    std::string& id = batch.ids.emplace_back();
    SettleRequest request;
    request.verdict = verdict;
    body.text("id", {id, limits::event_attribute_bytes_max});
    const std::optional<Sequence> task = parse_task_id(id, epoch);
    if (!task) body.refuse("Member `id` is not the id of a task.");
    read_settlement(body, request);
    if (auto refusal = body.refusal()) return refusal;
    if (task->none()) continue;
    request.task = *task;
    batch.requests.push_back(std::move(request));
    batch.places.push_back(index);
  }
  return std::nullopt;
}

// `answers` are for the tasks of this store.
std::string batch_json(const Batch& batch, const SettleAnswers& answers) {
  SettleAnswers all(batch.ids.size(), of_another_store());
  for (size_t index = 0; index < batch.places.size() && index < answers.size(); ++index) {
    all[batch.places[index]] = answers[index];
  }
  std::string json;
  JsonObject object(json);
  object.member("results");
  JsonArray results(json);
  for (size_t index = 0; index < batch.ids.size(); ++index) {
    results.item();
    JsonObject result(json);
    result.text("id", batch.ids[index]);
    if (const std::optional<Refusal>& refusal = all[index]) {
      const Response response = stale(*refusal);
      result.number("status", static_cast<uint64_t>(response.status));
      result.raw("problem", response.body);
    } else {
      result.number("status", 200);
    }
    result.end();
  }
  results.end();
  object.end();
  return json;
}

void settle_many(Call& call, Verdict verdict) {
  const auto items = BodyItems::parse(call.request.body, limits::batch_events_max);
  if (!items) return call.exchange.respond(refused(items.error(), items.detail()));
  if (!items->is_array()) {
    return call.exchange.respond(invalid("The body is an array of {\"id\", \"token\", ...}."));
  }
  Batch batch;
  if (auto refusal = read_batch(*items, verdict, call.services.epoch(), batch)) {
    return call.exchange.respond(std::move(*refusal));
  }
  if (batch.requests.empty()) return reply_json(call.exchange, batch_json(batch, {}));
  auto asked = std::move(batch.requests);
  call.queues->settle(std::move(asked),
                      reply_with<SettleAnswers>(
                          call.exchange, [batch = std::move(batch)](const SettleAnswers& answers) {
                            return batch_json(batch, answers);
                          }));
}

}  // namespace

void post_tasks(Call& call) {
  const auto items = BodyItems::parse(call.request.body, limits::batch_events_max);
  if (!items) return call.exchange.respond(refused(items.error(), items.detail()));
  std::vector<TaskRequest> tasks;
  if (auto refusal = read_tasks(*items, tasks)) {
    return call.exchange.respond(std::move(*refusal));
  }
  call.queues->enqueue(
      call.request.segments[2], std::move(tasks), call.request.principal,
      [exchange = call.exchange, epoch = call.services.epoch()](Answer<TasksTaken> answer) {
        if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
          const bool full = refusal->error.code == ErrorCode::full;
          return exchange.respond(full ? problem(*refusal, "queue-full") : problem(*refusal));
        }
        reply_json(exchange, taken_json(std::get<TasksTaken>(answer), epoch));
      });
}

void ack_task(Call& call) { settle_one(call, Verdict::ack); }
void nack_task(Call& call) { settle_one(call, Verdict::nack); }
void ack_tasks(Call& call) { settle_many(call, Verdict::ack); }
void nack_tasks(Call& call) { settle_many(call, Verdict::nack); }

void extend_task(Call& call) {
  const std::string& id = call.request.segments[2];
  const std::optional<Sequence> task = parse_task_id(id, call.services.epoch());
  uint64_t token = 0;
  int64_t lease_ms = 0;
  BodyReader body(call.request.body);
  body.identifier("token", token);
  body.number("lease_ms", {lease_ms, lease_ms_min, lease_ms_max});
  if (token == 0) body.refuse("Member `token` is missing: it came with the lease.");
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  if (!task) return call.exchange.respond(no_such_task(id));
  if (task->none()) return call.exchange.respond(stale(of_another_store()));
  const Answer<uint64_t> extended = call.queues->extend(*task, token, lease_ms);
  if (const auto* const refusal = std::get_if<Refusal>(&extended)) {
    return call.exchange.respond(stale(*refusal));
  }
  std::string json;
  JsonObject object(json);
  object.text("id", id);
  object.text("lease_until", time_text_of_ms(std::get<uint64_t>(extended)));
  object.end();
  reply_json(call.exchange, std::move(json));
}

}  // namespace limpet::api
