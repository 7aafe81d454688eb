// GET /v1/queues; pause, resume and drain.

#include "api/body.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/reply.hpp"

namespace limpet::api {

namespace {

void set_state(Call& call, dispatch::QueueState state, std::string_view name) {
  if (auto refusal = BodyReader(call.request.body).refusal()) {
    return call.exchange.respond(std::move(*refusal));
  }
  const std::string& queue = call.request.segments[2];
  std::string json;
  JsonObject object(json);
  object.text("queue", queue);
  object.text("state", name);
  object.end();
  call.queues->set_queue_state(queue, state, reply_done(call.exchange, std::move(json)));
}

}  // namespace

void get_queues(Call& call) { reply_json(call.exchange, call.queues->queues_json()); }

void pause_queue(Call& call) { set_state(call, dispatch::QueueState::paused, "paused"); }
void resume_queue(Call& call) { set_state(call, dispatch::QueueState::open, "open"); }
void drain_queue(Call& call) { set_state(call, dispatch::QueueState::draining, "draining"); }

}  // namespace limpet::api
