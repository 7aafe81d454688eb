// POST /v1/queues/{q}/lease: tasks for a worker, at once or when there are some.

#include <utility>

#include "api/body.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/long_poll.hpp"
#include "api/task_json.hpp"
#include "base/limits.hpp"

namespace limpet::api {

namespace {

constexpr int64_t lease_tasks_max = limits::batch_events_max;  // as many as one ack can take
constexpr int64_t wait_ms_max = 60 * 1000;
constexpr int64_t lease_ms_min = 100;
constexpr int64_t lease_ms_max = int64_t{24} * 3600 * 1000;

std::optional<Response> read_lease(const Request& request, LeaseRequest& lease) {
  int64_t tasks_max = lease.tasks_max;
  BodyReader body(request.body);
  body.number("max", {tasks_max, 1, lease_tasks_max});
  body.number("wait_ms", {lease.wait_ms, 0, wait_ms_max});
  body.number("lease_ms", {lease.lease_ms, lease_ms_min, lease_ms_max});
  lease.tasks_max = static_cast<uint32_t>(tasks_max);
  lease.queue = request.segments[2];
  lease.principal = request.principal;
  return body.refusal();
}

Result<std::string> leased_json(const std::vector<TaskView>& tasks, Epoch epoch) {
  std::string json;
  JsonObject object(json);
  object.member("tasks");
  JsonArray array(json);
  for (const TaskView& task : tasks) {
    array.item();
    LIMPET_CHECK(append_task(json, task, epoch));
  }
  array.end();
  object.end();
  return json;
}

// What brings these tasks back to the queue, unharmed. A lease that has ended meanwhile is stale,
// and needs nothing.
std::function<void()> release_of(QueueServices& queues, const std::vector<TaskView>& tasks) {
  if (tasks.empty()) return nullptr;
  std::vector<SettleRequest> requests;
  for (const TaskView& task : tasks) {
    SettleRequest request;
    request.verdict = Verdict::nack;
    request.release = true;
    request.task = task.task;
    request.token = task.token;
    requests.push_back(std::move(request));
  }
  return [&queues, requests = std::move(requests)]() mutable {
    queues.settle(std::move(requests), [](const Answer<SettleAnswers>&) {});
  };
}

}  // namespace

void lease_tasks(Call& call) {
  LeaseRequest request;
  if (auto refusal = read_lease(call.request, request)) {
    return call.exchange.respond(std::move(*refusal));
  }
  QueueServices& queues = *call.queues;
  Response nothing;
  nothing.body = R"({"tasks":[]})";
  const auto poll = LongPoll::begin(
      call.exchange,
      {request.wait_ms > 0, [&queues](uint64_t wait) { queues.cancel_lease(wait); }, nothing});
  if (!poll) return;
  const Epoch epoch = call.services.epoch();
  poll->waits_as(queues.lease(
      std::move(request), [poll, &queues, epoch](const Answer<std::vector<TaskView>>& answer) {
        if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
          return poll->answer(problem(*refusal), nullptr);
        }
        const std::vector<TaskView>& tasks = std::get<std::vector<TaskView>>(answer);
        Result<std::string> json = leased_json(tasks, epoch);
        // A payload that cannot be shown is not given back: its lease runs out, which counts as an
        // attempt, so it ends among the dead and not in a circle.
        if (!json) return poll->answer(problem(Refusal{json.error(), "", 0}), nullptr);
        Response response;
        response.body = std::move(json).value();
        poll->answer(std::move(response), release_of(queues, tasks));
      }));
}

}  // namespace limpet::api
