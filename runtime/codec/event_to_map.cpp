#include "base/check.hpp"
#include "codec/cbor.hpp"
#include "codec/event_json.hpp"

namespace limpet::codec {

namespace {

// Counts in a first pass, writes in a second: a map says beforehand how many pairs it has.
struct Pairs {
  CborWriter* writer = nullptr;  // null: count only
  size_t count = 0;
  size_t bytes_max = cbor_head_size(UINT64_MAX);

  void text(std::string_view name, std::string_view text) {
    if (text.empty()) return;
    add(name, cbor_head_size(UINT64_MAX) + text.size());
    if (writer != nullptr) writer->text(text);
  }
  void uint(std::string_view name, uint64_t value) {
    if (value == 0) return;
    add(name, cbor_head_size(UINT64_MAX));
    if (writer != nullptr) writer->uint(value);
  }
  void item(std::string_view name, ByteSpan item) {
    if (item.empty()) return;
    add(name, item.size());
    if (writer != nullptr) writer->raw(item);
  }

  void add(std::string_view name, size_t value_bytes_max) {
    ++count;
    bytes_max += cbor_head_size(UINT64_MAX) + name.size() + value_bytes_max;
    if (writer != nullptr) writer->text(name);
  }
};

void each_pair(Pairs& pairs, const EventView& event, Epoch epoch) {
  pairs.text("type", event.type);
  pairs.text("source", event.source);
  pairs.text("id", event.id.empty() && !event.sequence.none()
                       ? qualified_id(epoch, event.sequence.value())
                       : std::string(event.id));
  pairs.text("subject", event.subject);
  pairs.uint("time", event.time.ns);
  pairs.uint("sequence", event.sequence.value());
  pairs.text("epoch", to_string(epoch));
  pairs.text("correlationid", event.correlation);
  pairs.text("causationid", event.causation);
  pairs.text("runid", event.run.none() ? std::string() : qualified_id(epoch, event.run.value()));
  pairs.item("data", event.data);
}

}  // namespace

ByteVector event_to_map(const EventView& event, Epoch epoch) {
  Pairs counted;
  each_pair(counted, event, epoch);
  ByteVector map(counted.bytes_max);
  CborWriter writer(map);
  writer.map(counted.count);
  Pairs written{&writer};
  each_pair(written, event, epoch);
  const Result<ByteSpan> item = writer.finish();
  LIMPET_ASSERT(item.ok());  // sized for the largest form of every item
  map.resize(item->size());
  return map;
}

}  // namespace limpet::codec
