// /v1/consumers: make, drop, pause, resume, seek; fetch, ack and nack.

#include <algorithm>
#include <utility>

#include "api/body.hpp"
#include "api/consumer_body.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/long_poll.hpp"
#include "api/reply.hpp"
#include "base/limits.hpp"

namespace limpet::api {

namespace {

constexpr int64_t fetch_events_max = limits::batch_events_max;
constexpr int64_t wait_ms_max = 60 * 1000;
constexpr int64_t delay_ms_max = int64_t{24} * 3600 * 1000;
constexpr size_t sequences_max = 1000;

std::string consumer_json(const std::string& name) {
  std::string json;
  JsonObject object(json);
  object.text("consumer", name);
  object.end();
  return json;
}

Done<std::monostate> reply_consumer(const Call& call) {
  return reply_done(call.exchange, consumer_json(call.request.segments[2]));
}

std::vector<Sequence> as_sequences(const std::vector<uint64_t>& numbers) {
  std::vector<Sequence> sequences;
  sequences.reserve(numbers.size());
  for (const uint64_t number : numbers) sequences.emplace_back(number);
  return sequences;
}

std::string fetched_json(const Fetched& fetched) {
  std::string json;
  JsonObject object(json);
  object.member("events");
  JsonArray events(json);
  for (const std::string& event : fetched.events) {
    events.item();
    json.append(event, 0, event.find_last_not_of("\r\n") + 1);
  }
  events.end();
  object.member("deliveries");
  JsonArray deliveries(json);
  for (const uint32_t count : fetched.deliveries) {
    deliveries.item();
    json.append(std::to_string(count));
  }
  deliveries.end();
  object.number("pending", fetched.pending);
  object.end();
  return json;
}

std::function<void()> return_of(ConsumerServices& consumers, const std::string& name,
                                const std::vector<Sequence>& events) {
  if (events.empty()) return nullptr;
  return [&consumers, name, events] {
    consumers.nack_events(name, events, 0, [](const Answer<std::monostate>&) {});
  };
}

void set_paused(Call& call, bool paused) {
  if (auto refusal = BodyReader(call.request.body).refusal()) {
    return call.exchange.respond(std::move(*refusal));
  }
  call.consumers->set_consumer_paused(call.request.segments[2], paused, reply_consumer(call));
}

}  // namespace

void get_consumers(Call& call) { reply_json(call.exchange, call.consumers->consumers_json()); }

void put_consumer(Call& call) {
  dispatch::ConsumerSettings settings;
  if (auto refusal = read_consumer(call.request, call.services.epoch(), settings)) {
    return call.exchange.respond(std::move(*refusal));
  }
  call.consumers->make_consumer(std::move(settings), reply_consumer(call));
}

void delete_consumer(Call& call) {
  call.consumers->drop_consumer(call.request.segments[2], reply_consumer(call));
}

void fetch_events(Call& call) {
  FetchRequest request;
  int64_t events_max = request.events_max;
  BodyReader body(call.request.body);
  body.number("max", {events_max, 1, fetch_events_max});
  body.number("wait_ms", {request.wait_ms, 0, wait_ms_max});
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  request.events_max = static_cast<uint32_t>(events_max);
  request.consumer = call.request.segments[2];
  ConsumerServices& consumers = *call.consumers;
  Response nothing;
  nothing.body = R"({"events":[],"deliveries":[],"pending":null})";
  const auto poll = LongPoll::begin(
      call.exchange, {request.wait_ms > 0,
                      [&consumers](uint64_t wait) { consumers.cancel_fetch(wait); }, nothing});
  if (!poll) return;
  poll->waits_as(consumers.fetch(
      request, [poll, &consumers, name = request.consumer](const Answer<Fetched>& answer) {
        if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
          return poll->answer(problem(*refusal), nullptr);
        }
        const Fetched& fetched = std::get<Fetched>(answer);
        Response response;
        response.body = fetched_json(fetched);
        poll->answer(std::move(response), return_of(consumers, name, fetched.sequences));
      }));
}

void ack_events(Call& call) {
  std::vector<uint64_t> numbers;
  uint64_t upto = 0;
  BodyReader body(call.request.body);
  body.identifiers("sequences", numbers, sequences_max);
  body.identifier("upto", upto);
  if (numbers.empty() == (upto == 0)) body.refuse("Send either `sequences` or `upto`.");
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  call.consumers->ack_events(call.request.segments[2], as_sequences(numbers), Sequence(upto),
                             reply_consumer(call));
}

void nack_events(Call& call) {
  std::vector<uint64_t> numbers;
  int64_t delay_ms = 0;
  BodyReader body(call.request.body);
  body.identifiers("sequences", numbers, sequences_max);
  body.number("delay_ms", {delay_ms, 0, delay_ms_max});
  if (numbers.empty()) body.refuse("Member `sequences` is missing: which should come again?");
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  call.consumers->nack_events(call.request.segments[2], as_sequences(numbers), delay_ms,
                              reply_consumer(call));
}

void pause_consumer(Call& call) { set_paused(call, true); }
void resume_consumer(Call& call) { set_paused(call, false); }

void seek_consumer(Call& call) {
  uint64_t sequence = 0;
  BodyReader body(call.request.body);
  body.identifier("sequence", sequence);
  if (sequence == 0) body.refuse("Member `sequence` is missing: where should it go on?");
  if (auto refusal = body.refusal()) return call.exchange.respond(std::move(*refusal));
  call.consumers->seek_consumer(call.request.segments[2], Sequence(sequence), reply_consumer(call));
}

}  // namespace limpet::api
