#include "api/event_source.hpp"

#include <algorithm>
#include <limits>

#include "api/json_writer.hpp"
#include "base/limits.hpp"
#include "codec/event_json.hpp"

namespace limpet::api {

namespace {

constexpr std::string_view gap_type = "limpet.log.gap";

bool ends_run(std::string_view type) {
  return type == event_type::run_completed || type == event_type::run_failed ||
         type == event_type::run_cancelled;
}

}  // namespace

EventSource::EventSource(Services& services, EventQuery query)
    : services_(services),
      query_(std::move(query)),
      next_(query_.from.value_or(query_.follow ? services.log_end() : services.log_begin())),
      events_left_(query_.events_max.value_or(std::numeric_limits<uint64_t>::max())) {
  // A run that has ended already: all its events are stored, so the end of the log is the end.
  if (query_.ends_with_run) {
    const Result<RunView> view = services_.get_run(query_.filter.run);
    run_ended_ = !view || is_final(view->run.state);
  }
}

Pull EventSource::pull(std::string& out) {
  if (next_.none()) next_ = Sequence(1);
  const Sequence begin = services_.log_begin();
  if (next_ < begin) {
    append_gap(out, next_, begin);
    next_ = begin;
  }
  const Result<ReadEnd> end =
      services_.read_events(query_.filter, next_, limits::read_records_max,
                            [this, &out](const EventView& event) { return take(event, out); });
  if (!end) return Pull::failed;
  next_ = end->next;
  if (events_left_ == 0) return Pull::finished;
  if (!end->at_end) return Pull::more;
  const bool past_last = !query_.filter.to.none() && next_ >= query_.filter.to;
  if (!query_.follow || run_ended_ || past_last) return Pull::finished;
  return Pull::waiting;
}

bool EventSource::take(const EventView& event, std::string& out) {
  if (out.size() >= body_slice_bytes || events_left_ == 0) return false;
  std::string json;
  if (codec::append_event_json(json, event, services_.epoch()).ok()) {
    append_framed(out, event, json);
  } else {
    append_gap(out, event.sequence, event.sequence.next());  // damaged: said, not skipped
  }
  --events_left_;
  if (query_.ends_with_run && ends_run(event.type)) events_left_ = 0;
  return true;
}

void EventSource::append_gap(std::string& out, Sequence from, Sequence to) const {
  std::string json;
  JsonObject event(json);
  event.text("specversion", "1.0");
  event.text("id", "gap-" + std::to_string(from.value()) + "-" + std::to_string(to.value()));
  event.text("source", "limpet");
  event.text("type", gap_type);
  event.member("data");
  JsonObject data(json);
  data.number("from", from.value());
  data.number("to", to.value());
  data.end();
  event.end();
  EventView view;
  view.type = gap_type;
  append_framed(out, view, json);
}

void EventSource::append_framed(std::string& out, const EventView& event,
                                std::string_view json) const {
  if (query_.format == EventFormat::ndjson) {
    out.append(json).append("\n");
    return;
  }
  if (!event.sequence.none()) {
    out.append("id: ").append(std::to_string(event.sequence.value())).append("\n");
  }
  out.append("event: ").append(event.type).append("\ndata: ").append(json).append("\n\n");
}

std::string_view EventSource::heartbeat() const {
  return query_.format == EventFormat::sse ? ":\n\n" : "\n";
}

}  // namespace limpet::api
