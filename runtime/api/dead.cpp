// /v1/dead: list, look, redrive, drop.

#include <algorithm>

#include "api/body.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/query.hpp"
#include "api/reply.hpp"
#include "api/task_json.hpp"
#include "base/limits.hpp"

namespace limpet::api {

namespace {

constexpr uint64_t list_dead_default = 50;
constexpr uint64_t list_dead_max = 100;  // the house reads their payloads too, 64 KiB each
constexpr int64_t redrive_per_second_max = 100000;
constexpr size_t queue_name_bytes_max = 256;

Response no_such_letter(const Call& call) {
  return refused(Error{ErrorCode::not_found, "api: dead letter"},
                 "There is no dead letter `" + call.request.segments[2] + "`.");
}

// The task that the path /v1/dead/{id}... names; nullopt: it cannot be of this store.
std::optional<Sequence> task_of_path(const Call& call) {
  const auto task = parse_task_id(call.request.segments[2], call.services.epoch());
  return task && !task->none() ? task : std::nullopt;
}

Result<std::string> page_json(std::vector<DeadView>& letters, size_t limit, Epoch epoch) {
  size_t bytes = 0;
  for (const DeadView& letter : letters) bytes += letter.payload.size();
  Sequence next;  // none: that was all
  if (letters.size() > limit) {
    next = letters[limit].task;
    letters.resize(limit);
  } else if (bytes >= limits::batch_bytes_max) {
    next = letters.back().task.next();
  }
  std::string json;
  JsonObject object(json);
  object.member("dead");
  JsonArray array(json);
  for (const DeadView& letter : letters) {
    array.item();
    LIMPET_CHECK(append_dead(json, letter, epoch, Payload::hidden));
  }
  array.end();
  object.text_or_null("next", next.none() ? "" : qualified_id(epoch, next.value()));
  object.end();
  return json;
}

Done<uint64_t> reply_count(const Call& call) {
  return reply_with<uint64_t>(call.exchange, [](const uint64_t& count) {
    return "{\"count\":" + std::to_string(count) + "}";
  });
}

}  // namespace

void list_dead(Call& call) {
  const Epoch epoch = call.services.epoch();
  QueryReader query(call.request);
  DeadFilter filter;
  std::string from;
  std::optional<uint64_t> limit;
  query.text("queue", filter.queue);
  query.text("from", from);
  query.number("limit", limit);
  const auto task = parse_task_id(from, epoch);
  if (!from.empty() && (!task || task->none())) {
    query.refuse("Parameter `from` is not the id of a task of this store.");
  }
  if (limit && (*limit == 0 || *limit > list_dead_max)) {
    query.refuse("Parameter `limit` is from 1 to " + std::to_string(list_dead_max) + ".");
  }
  if (const auto sentence = query.refusal()) return call.exchange.respond(invalid(*sentence));
  const auto count = static_cast<size_t>(limit.value_or(list_dead_default));
  filter.from = task.value_or(Sequence());
  filter.count_max = static_cast<uint32_t>(count + 1);  // one more says whether there is more
  Result<std::vector<DeadView>> letters = call.queues->list_dead(filter);
  if (!letters) return call.exchange.respond(problem(Refusal{letters.error(), "", 0}));
  Result<std::string> json = page_json(*letters, count, epoch);
  if (!json) return call.exchange.respond(problem(Refusal{json.error(), "", 0}));
  reply_json(call.exchange, std::move(json).value());
}

void get_dead(Call& call) {
  const auto task = task_of_path(call);
  if (!task) return call.exchange.respond(no_such_letter(call));
  DeadFilter filter;
  filter.from = *task;
  filter.count_max = 1;
  const Result<std::vector<DeadView>> letters = call.queues->list_dead(filter);
  if (!letters) return call.exchange.respond(problem(Refusal{letters.error(), "", 0}));
  if (letters->empty() || letters->front().task != *task) {
    return call.exchange.respond(no_such_letter(call));
  }
  std::string json;
  const auto shown = append_dead(json, letters->front(), call.services.epoch(), Payload::shown);
  if (!shown) return call.exchange.respond(problem(Refusal{shown.error(), "", 0}));
  reply_json(call.exchange, std::move(json));
}

void redrive_one(Call& call) {
  RedriveRequest request;
  BodyReader body(call.request.body);
  body.item("payload", request.payload);
  if (request.payload.size() > limits::event_data_bytes_max) {
    body.refuse("Member `payload` is larger than 64 KiB.");
  }
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  const auto task = task_of_path(call);
  if (!task) return call.exchange.respond(no_such_letter(call));
  request.task = *task;
  request.principal = call.request.principal;
  call.queues->redrive(
      std::move(request),
      reply_with<uint64_t>(call.exchange, [epoch = call.services.epoch()](const uint64_t& number) {
        return R"({"id":")" + qualified_id(epoch, number) + "\"}";
      }));
}

void redrive_many(Call& call) {
  RedriveRequest request;
  int64_t per_second = 0;
  int64_t count_max = 0;
  BodyReader body(call.request.body);
  body.text("queue", {request.queue, queue_name_bytes_max});
  body.number("per_second", {per_second, 1, redrive_per_second_max});
  body.number("max", {count_max, 1, UINT32_MAX});
  if (request.queue.empty()) body.refuse("Member `queue` is missing: whose dead letters?");
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  request.per_second = static_cast<uint32_t>(per_second);
  request.count_max = static_cast<uint32_t>(count_max);
  request.principal = call.request.principal;
  call.queues->redrive(std::move(request), reply_count(call));
}

void drop_dead_one(Call& call) {
  const auto task = task_of_path(call);
  if (!task) return call.exchange.respond(no_such_letter(call));
  call.queues->drop_dead(*task, "", reply_count(call));
}

void drop_dead_many(Call& call) {
  QueryReader query(call.request);
  std::string queue;
  query.text("queue", queue);
  if (queue.empty()) query.refuse("Parameter `queue` is missing: whose dead letters?");
  if (const auto sentence = query.refusal()) return call.exchange.respond(invalid(*sentence));
  call.queues->drop_dead(Sequence(), std::move(queue), reply_count(call));
}

}  // namespace limpet::api
