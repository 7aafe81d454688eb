// POST /v1/events (with `import`: history), GET /v1/events, GET /v1/runs/{id}/events.

#include <algorithm>
#include <array>
#include <cmath>

#include "api/body.hpp"
#include "api/event_source.hpp"
#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/query.hpp"
#include "api/run_id.hpp"
#include "codec/event_cbor.hpp"
#include "codec/event_json.hpp"
#include "loop/loop.hpp"
#include "model/pattern.hpp"

namespace limpet::api {

namespace {

constexpr std::array<std::string_view, 5> event_media = {
    "application/cloudevents+json", "application/cloudevents-batch+json", media_json, media_ndjson,
    media_cbor_sequence};

std::string_view media_of(const Request& request) {
  const std::string_view content_type = header(request, "content-type");
  return content_type.substr(0, content_type.find_first_of("; "));
}

bool carries_events(std::string_view media) {
  if (media.empty()) return true;
  return std::find(event_media.begin(), event_media.end(), media) != event_media.end();
}

codec::Explained<std::vector<Event>> read_events(const Request& request, bool is_import) {
  const codec::Origin origin = is_import ? codec::Origin::keep : codec::Origin::drop;
  if (media_of(request) == media_cbor_sequence) {
    return codec::events_from_cbor(as_bytes(request.body), origin);
  }
  return codec::events_from_json(request.body, origin);
}

std::string ingested_json(Epoch epoch, const Ingested& ingested) {
  std::string json;
  JsonObject object(json);
  object.text("epoch", to_string(epoch));
  const auto sequence = [&object](std::string_view name, Sequence value) {
    object.raw(name, value.none() ? "null" : std::to_string(value.value()));
  };
  sequence("first", ingested.first);
  sequence("last", ingested.last);
  object.number("duplicates", ingested.duplicates);
  object.end();
  return json;
}

void read_pace(QueryReader& reader, EventQuery& query) {
  std::string pace;
  std::optional<double> speed;
  reader.text("pace", pace);
  reader.factor("speed", speed);
  if (!pace.empty() && pace != "original" && pace != "instant") {
    reader.refuse("Parameter `pace` is `instant` or `original`.");
  }
  const bool original = pace == "original";
  if (speed && !original) reader.refuse("Parameter `speed` goes with `pace=original`.");
  if (original) query.speed_percent = static_cast<uint32_t>(std::lround(speed.value_or(1) * 100));
}

std::string_view media_of(EventFormat format) {
  switch (format) {
    case EventFormat::ndjson: return media_ndjson;
    case EventFormat::sse: return media_sse;
    case EventFormat::cbor: return media_cbor_sequence;
  }
  return media_ndjson;
}

// The part of a query that is the same for the log and for one run's events. After a connection
// broke, `Last-Event-ID` outweighs `from`: the client goes on where it was.
std::optional<Response> read_event_query(QueryReader& reader, const Request& request,
                                         EventQuery& query) {
  std::optional<uint64_t> from;
  std::optional<uint64_t> to;
  std::optional<bool> follow;
  reader.number("from", from);
  reader.number("to", to);
  reader.number("limit", query.events_max);
  reader.flag("follow", follow);
  const std::string_view accept = header(request, "accept");
  if (accept.find(media_sse) != std::string_view::npos) query.format = EventFormat::sse;
  if (accept.find(media_cbor_sequence) != std::string_view::npos) query.format = EventFormat::cbor;
  read_pace(reader, query);
  reader.time("since", query.since);
  if (from && query.since) reader.refuse("Send `from` or `since`, not both.");
  query.follow = follow.value_or(query.format == EventFormat::sse);
  query.filter.to = Sequence(to.value_or(0));
  if (from) query.from = Sequence(*from);
  const std::string_view last_id = header(request, "last-event-id");
  if (!last_id.empty()) {
    const std::optional<uint64_t> last = parse_number(last_id);
    if (!last) reader.refuse("Header `Last-Event-ID` is not a sequence.");
    if (last) query.from = Sequence(*last).next();
  }
  if (const auto sentence = reader.refusal()) return invalid(*sentence);
  return std::nullopt;
}

void stream(Call& call, EventQuery query) {
  Response head;
  head.content_type = media_of(query.format);
  call.exchange.respond(std::move(head), std::make_unique<EventSource>(
                                             call.services, std::move(query), &loop::Loop::now));
}

}  // namespace

void post_events(Call& call) {
  const Request& request = call.request;
  if (!carries_events(media_of(request))) {
    return call.exchange.respond(
        problem(Problem{415, "media-type",
                        "Send application/cloudevents+json, application/cloudevents-batch+json, "
                        "application/x-ndjson or application/cbor-seq."}));
  }
  std::optional<bool> import;
  QueryReader query(request);
  query.flag("import", import);
  if (const auto sentence = query.refusal()) return call.exchange.respond(invalid(*sentence));
  const bool is_import = import.value_or(false);
  if (is_import && !call.services.may(request.principal, Right::operate)) {
    return call.exchange.respond(
        problem(Problem{403, "denied", "To import history is for principals who may operate."}));
  }
  codec::Explained<std::vector<Event>> events = read_events(request, is_import);
  if (!events) return call.exchange.respond(refused(events.error(), events.detail()));
  for (Event& event : *events) {
    event.sequence = {};
    event.principal.clear();
  }
  const auto answer_it = [exchange = call.exchange,
                          epoch = call.services.epoch()](const Answer<Ingested>& answer) {
    if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
      return exchange.respond(problem(*refusal));
    }
    Response response;
    response.body = ingested_json(epoch, std::get<Ingested>(answer));
    exchange.respond(std::move(response));
  };
  if (is_import) {
    call.services.import_events(std::move(events).value(), request.principal, answer_it);
  } else {
    call.services.ingest(std::move(events).value(), request.principal, answer_it);
  }
}

void get_events(Call& call) {
  QueryReader reader(call.request);
  EventQuery query;
  std::string run;
  reader.text("type", query.filter.type_pattern);
  reader.text("subject", query.filter.subject);
  reader.text("correlation", query.filter.correlation);
  reader.text("run", run);
  if (!query.filter.type_pattern.empty() && !pattern_valid(query.filter.type_pattern)) {
    reader.refuse("Parameter `type` is not a pattern such as `sensor.*` or `limpet.#`.");
  }
  if (!run.empty()) {
    const std::optional<RunId> id = parse_run_id(run, call.services.epoch());
    if (!id) reader.refuse("Parameter `run` is not the id of a run of this store.");
    query.filter.run = id.value_or(RunId());
  }
  if (auto refusal = read_event_query(reader, call.request, query)) {
    return call.exchange.respond(std::move(*refusal));
  }
  stream(call, std::move(query));
}

void get_run_events(Call& call) {
  const std::optional<RunId> run = find_run(call);
  if (!run) return;
  QueryReader reader(call.request);
  EventQuery query;
  query.filter.run = *run;
  query.ends_with_run = true;
  query.from = Sequence(run->value());  // a run's id is the sequence of its first event
  if (auto refusal = read_event_query(reader, call.request, query)) {
    return call.exchange.respond(std::move(*refusal));
  }
  stream(call, std::move(query));
}

}  // namespace limpet::api
