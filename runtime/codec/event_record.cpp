#include "codec/cbor.hpp"
#include "codec/record_frame.hpp"
#include "codec/records.hpp"

namespace limpet::codec {

namespace {

// Numbers for ever: FORMAT.md.
enum Key : uint64_t {
  key_type = 1,
  key_source = 2,
  key_id = 3,
  key_subject = 4,
  key_time = 5,
  key_content_type = 6,
  key_data_schema = 7,
  key_correlation = 8,
  key_causation = 9,
  key_run = 10,
  key_tenant = 11,
  key_principal = 12,
  key_trace_parent = 13,
  key_extensions = 14,
  key_data = 15,
  key_class = 16,
};

// One walk over the attributes serves counting, measuring and writing.
template <class Sink>
void each_attribute(const EventView& event, Sink&& sink) {
  sink.text(key_type, event.type);
  sink.text(key_source, event.source);
  sink.text(key_id, event.id);
  sink.text(key_subject, event.subject);
  sink.uint(key_time, event.time.ns);
  sink.text(key_content_type, event.content_type);
  sink.text(key_data_schema, event.data_schema);
  sink.text(key_correlation, event.correlation);
  sink.text(key_causation, event.causation);
  sink.uint(key_run, event.run.value());
  sink.text(key_tenant, event.tenant);
  sink.text(key_principal, event.principal);
  sink.text(key_trace_parent, event.trace_parent);
  sink.bytes(key_extensions, event.extensions);
  sink.bytes(key_data, event.data);
  sink.uint(key_class, event.retention_class);
}

struct Measure {
  size_t pair_count = 0;
  size_t body_bytes = 0;  // without the map's head

  void text(Key, std::string_view text) { add(text.empty(), text.size(), text.size()); }
  void bytes(Key, ByteSpan bytes) { add(bytes.empty(), bytes.size(), bytes.size()); }
  void uint(Key, uint64_t value) { add(value == 0, value, 0); }

  void add(bool absent, uint64_t head, size_t content_bytes) {
    if (absent) return;
    ++pair_count;
    body_bytes += 1 + cbor_head_size(head) + content_bytes;  // every key takes one byte
  }
};

struct Write {
  CborWriter& writer;

  void text(Key key, std::string_view text) {
    if (text.empty()) return;
    writer.uint(key);
    writer.text(text);
  }
  void bytes(Key key, ByteSpan bytes) {
    if (bytes.empty()) return;
    writer.uint(key);
    writer.bytes(bytes);
  }
  void uint(Key key, uint64_t value) {
    if (value == 0) return;
    writer.uint(key);
    writer.uint(value);
  }
};

void read_attribute(CborReader& reader, uint64_t key, EventView& event) {
  switch (key) {
    case key_type: event.type = reader.text(); return;
    case key_source: event.source = reader.text(); return;
    case key_id: event.id = reader.text(); return;
    case key_subject: event.subject = reader.text(); return;
    case key_time: event.time.ns = reader.uint(); return;
    case key_content_type: event.content_type = reader.text(); return;
    case key_data_schema: event.data_schema = reader.text(); return;
    case key_correlation: event.correlation = reader.text(); return;
    case key_causation: event.causation = reader.text(); return;
    case key_run: event.run = RunId(reader.uint()); return;
    case key_tenant: event.tenant = reader.text(); return;
    case key_principal: event.principal = reader.text(); return;
    case key_trace_parent: event.trace_parent = reader.text(); return;
    case key_extensions: event.extensions = reader.bytes(); return;
    case key_data: event.data = reader.bytes(); return;
    case key_class: event.retention_class = static_cast<uint8_t>(reader.uint()); return;
    default: reader.skip(); return;  // of a later minor version
  }
}

Measure measure(const EventView& event) {
  Measure sizes;
  each_attribute(event, sizes);
  return sizes;
}

}  // namespace

size_t event_record_size(const EventView& event) {
  const Measure sizes = measure(event);
  return record_header_bytes + cbor_head_size(sizes.pair_count) + sizes.body_bytes;
}

Result<ByteSpan> encode_event(const EventView& event, std::span<uint8_t> buffer) {
  if (buffer.size() < record_header_bytes) {
    return Error{ErrorCode::too_large, "event record: the buffer is too small"};
  }
  CborWriter writer(buffer.subspan(record_header_bytes));
  writer.map(measure(event).pair_count);
  each_attribute(event, Write{writer});
  LIMPET_TRY(const ByteSpan body, writer.finish());
  const std::span<uint8_t> record = buffer.first(record_header_bytes + body.size());
  seal_record(record, event.sequence.value());
  return ByteSpan(record);
}

Result<EventView> decode_event(ByteSpan record, Sequence sequence) {
  LIMPET_TRY(const ByteSpan body, open_record(record, sequence.value()));
  CborReader reader(body);
  EventView event{};
  event.sequence = sequence;
  const size_t pair_count = reader.map();
  for (size_t index = 0; index < pair_count && reader.ok(); ++index) {
    read_attribute(reader, reader.uint(), event);
  }
  if (!reader.finish()) return Error{ErrorCode::corrupt, "event record: the body is malformed"};
  return event;
}

}  // namespace limpet::codec
