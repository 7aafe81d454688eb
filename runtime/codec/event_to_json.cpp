#include "codec/base64.hpp"
#include "codec/cbor.hpp"
#include "codec/event_json.hpp"
#include "codec/json.hpp"
#include "codec/rfc3339.hpp"

namespace limpet::codec {

namespace {

// The members of one JSON object, in the order in which they are added.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) {}

  void name(std::string_view name) {
    out_.push_back(first_ ? '{' : ',');
    first_ = false;
    append_json_text(out_, name);
    out_.push_back(':');
  }
  void text(std::string_view name_of, std::string_view text) {
    if (text.empty()) return;
    name(name_of);
    append_json_text(out_, text);
  }
  void number(std::string_view name_of, uint64_t value) {
    if (value == 0) return;
    name(name_of);
    out_.append(std::to_string(value));
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_attributes(Members& members, const EventView& event, Epoch epoch) {
  const bool stored = !event.sequence.none();
  members.text("specversion", "1.0");
  members.text("id", event.id.empty() && stored ? qualified_id(epoch, event.sequence.value())
                                                : std::string(event.id));
  members.text("source", event.source);
  members.text("type", event.type);
  members.text("subject", event.subject);
  members.text("time", event.time.ns == 0 ? std::string() : to_rfc3339(event.time));
  members.text("datacontenttype", event.content_type);
  members.text("dataschema", event.data_schema);
  members.number("sequence", event.sequence.value());
  members.text("epoch", epoch.none() ? std::string() : to_string(epoch));
  members.text("correlationid", event.correlation);
  members.text("causationid", event.causation);
  members.text("runid", event.run.none() ? std::string() : qualified_id(epoch, event.run.value()));
  members.text("tenant", event.tenant);
  members.text("principal", event.principal);
  members.text("traceparent", event.trace_parent);
}

Result<void> append_extensions(std::string& out, Members& members, ByteSpan extensions) {
  if (extensions.empty()) return {};
  LIMPET_CHECK(validate(extensions));
  CborReader reader(extensions);
  const size_t count = reader.map();
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    members.name(reader.text());
    const ByteSpan value = reader.item();
    if (reader.ok()) LIMPET_CHECK(append_json(out, value));
  }
  return reader.finish();
}

Result<void> append_data(std::string& out, Members& members, ByteSpan data) {
  if (data.empty()) return {};
  CborReader reader(data);
  if (reader.peek() != CborKind::bytes) {
    members.name("data");
    return append_json(out, data);
  }
  members.name("data_base64");
  out.append("\"").append(base64(reader.bytes())).append("\"");
  return reader.finish();
}

Result<void> append_event(std::string& out, const EventView& event, Epoch epoch) {
  Members members(out);
  append_attributes(members, event, epoch);
  LIMPET_CHECK(append_extensions(out, members, event.extensions));
  LIMPET_CHECK(append_data(out, members, event.data));
  out.push_back('}');
  return {};
}

}  // namespace

Result<void> append_event_json(std::string& out, const EventView& event, Epoch epoch) {
  const size_t before = out.size();
  Result<void> result = append_event(out, event, epoch);
  if (!result) out.resize(before);
  return result;
}

Result<std::string> event_to_json(const EventView& event, Epoch epoch) {
  std::string out;
  LIMPET_CHECK(append_event(out, event, epoch));
  return out;
}

}  // namespace limpet::codec
