#include "codec/event_cbor.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include "base/limits.hpp"
#include "codec/cbor.hpp"

namespace limpet::codec {

namespace {

constexpr size_t number_bytes_max = 20;                    // a sequence as text
constexpr size_t id_bytes_max = 8 + 1 + number_bytes_max;  // "<epoch>-<sequence>"
constexpr size_t pair_bytes_max = 9 + 9 + 15;              // two heads and the longest name
constexpr size_t staged_bytes_max = 8 * 1024;

constexpr std::string_view data_name = "\x64\x64\x61\x74\x61";  // "data" with its head
constexpr uint8_t major_uint = 0x00;
constexpr uint8_t major_text = 0x60;
constexpr uint8_t major_map = 0xa0;

// Small items, put together before they go out at once. REQUIRES: it all fits, see `append`.
class Staged {
 public:
  void head(uint8_t major, uint64_t value) {
    if (value < 24) return byte(static_cast<uint8_t>(major | value));
    const int width = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
    byte(static_cast<uint8_t>(major | (24 + width)));
    for (int shift = 8 * ((1 << width) - 1); shift >= 0; shift -= 8) {
      byte(static_cast<uint8_t>(value >> shift));
    }
  }
  void text(std::string_view text) {
    head(major_text, text.size());
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void pair(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text(name);
    text(value);
  }
  void pair(std::string_view name, uint64_t value) {
    if (value == 0) return;
    text(name);
    head(major_uint, value);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  void byte(uint8_t value) { bytes_[size_++] = static_cast<char>(value); }

  std::array<char, staged_bytes_max> bytes_;
  size_t size_ = 0;
};

// "<epoch>-<number>" in memory of its own; empty when the number is none.
class QualifiedText {
 public:
  QualifiedText(std::string_view epoch, uint64_t number) {
    if (number == 0) return;
    std::memcpy(text_.data(), epoch.data(), epoch.size());
    text_[epoch.size()] = '-';
    char* const digits = text_.data() + epoch.size() + 1;
    const char* const end = std::to_chars(digits, digits + number_bytes_max, number).ptr;
    size_ = static_cast<size_t>(end - text_.data());
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, id_bytes_max + 8> text_;
  size_t size_ = 0;
};

// The pairs of a map without its head, and how many.
struct Extensions {
  size_t count = 0;
  ByteSpan pairs;
};

Result<Extensions> extensions_of(const EventView& event) {
  if (event.extensions.empty()) return Extensions{};
  CborReader reader(event.extensions);
  const size_t count = reader.map();
  if (!reader.ok()) return Error{ErrorCode::invalid, "event: extensions that are no map"};
  return Extensions{count, event.extensions.subspan(reader.offset())};
}

size_t texts_size(const EventView& event) {
  return event.type.size() + event.source.size() + event.id.size() + event.subject.size() +
         event.content_type.size() + event.data_schema.size() + event.correlation.size() +
         event.causation.size() + event.tenant.size() + event.principal.size() +
         event.trace_parent.size();
}

size_t count_pairs(const EventView& event, bool has_id) {
  const std::array present = {
      has_id,
      !event.type.empty(),
      !event.source.empty(),
      !event.subject.empty(),
      event.time.ns != 0,
      !event.content_type.empty(),
      !event.data_schema.empty(),
      !event.correlation.empty(),
      !event.causation.empty(),
      !event.run.none(),
      !event.tenant.empty(),
      !event.principal.empty(),
      !event.trace_parent.empty(),
      !event.data.empty(),
      !event.sequence.none(),
  };
  size_t count = 2;  // specversion and epoch
  for (const bool one : present) count += size_t{one};
  return count;
}

}  // namespace

Result<void> EventCborWriter::append(std::string& out, const EventView& event) const {
  LIMPET_TRY(const Extensions extensions, extensions_of(event));
  constexpr size_t pairs_max = 17;
  if (texts_size(event) + 2 * id_bytes_max + pairs_max * pair_bytes_max > staged_bytes_max) {
    return Error{ErrorCode::too_large, "event: its attributes are too large"};
  }
  const QualifiedText own_id(epoch_text_, event.id.empty() ? event.sequence.value() : 0);
  const QualifiedText run(epoch_text_, event.run.value());
  const std::string_view id = event.id.empty() ? own_id.view() : event.id;
  Staged staged;
  staged.head(major_map, count_pairs(event, !id.empty()) + extensions.count);
  staged.pair("specversion", "1.0");
  staged.pair("id", id);
  staged.pair("source", event.source);
  staged.pair("type", event.type);
  staged.pair("subject", event.subject);
  staged.pair("time", event.time.ns);
  staged.pair("datacontenttype", event.content_type);
  staged.pair("dataschema", event.data_schema);
  staged.pair("sequence", event.sequence.value());
  staged.pair("epoch", epoch_text_);
  staged.pair("correlationid", event.correlation);
  staged.pair("causationid", event.causation);
  staged.pair("runid", run.view());
  staged.pair("tenant", event.tenant);
  staged.pair("principal", event.principal);
  staged.pair("traceparent", event.trace_parent);
  out.append(staged.view()).append(as_text(extensions.pairs));
  if (!event.data.empty()) out.append(data_name).append(as_text(event.data));
  return {};
}

Explained<std::vector<Event>> events_from_cbor(ByteSpan sequence, Origin origin) {
  std::vector<Event> events;
  CborReader reader(sequence);
  while (!reader.at_end()) {
    if (events.size() == limits::batch_events_max) {
      return Refusal{{ErrorCode::too_large, "event: too many at once"},
                     "more than 256 events at once"};
    }
    const ByteSpan item = reader.item();
    const std::string place = "event " + std::to_string(events.size() + 1) + ": ";
    if (!reader.ok()) {
      return Refusal{{ErrorCode::invalid, "event: not CBOR"}, place + "it is not CBOR"};
    }
    Explained<Event> event = event_from_map(item, origin);
    if (!event) {
      Refusal refusal = event.refusal();
      refusal.detail = place + refusal.detail;
      return refusal;
    }
    events.push_back(std::move(event).value());
  }
  if (events.empty()) {
    return Refusal{{ErrorCode::invalid, "event: nothing"}, "there is no event in it"};
  }
  return events;
}

}  // namespace limpet::codec
