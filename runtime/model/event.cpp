#include "model/event.hpp"

namespace limpet {

namespace {

template <class To, class From, class ToText, class ToData>
To convert(const From& event, ToText to_text, ToData to_data) {
  To result;
  result.sequence = event.sequence;
  result.type = to_text(event.type);
  result.source = to_text(event.source);
  result.id = to_text(event.id);
  result.subject = to_text(event.subject);
  result.time = event.time;
  result.content_type = to_text(event.content_type);
  result.data_schema = to_text(event.data_schema);
  result.correlation = to_text(event.correlation);
  result.causation = to_text(event.causation);
  result.run = event.run;
  result.tenant = to_text(event.tenant);
  result.principal = to_text(event.principal);
  result.trace_parent = to_text(event.trace_parent);
  result.extensions = to_data(event.extensions);
  result.data = to_data(event.data);
  result.retention_class = event.retention_class;
  return result;
}

}  // namespace

EventView view(const Event& event) {
  return convert<EventView>(
      event, [](const std::string& text) { return std::string_view(text); },
      [](const ByteVector& bytes) { return ByteSpan(bytes); });
}

Event own(const EventView& event) {
  return convert<Event>(
      event, [](std::string_view text) { return std::string(text); },
      [](ByteSpan bytes) { return ByteVector(bytes.begin(), bytes.end()); });
}

}  // namespace limpet
