#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_builder.hpp"
#include "codec/event_builder.hpp"
#include "codec/event_json.hpp"
#include "codec/json.hpp"
#include "codec/json_builder.hpp"
#include "codec/json_parser.hpp"

namespace limpet::codec {

namespace {

// An attribute's value may be this large before it is refused: data, or its base 64 text.
constexpr size_t value_bytes_max = limits::event_data_bytes_max * 4 / 3 + 16;

Refusal invalid(std::string detail) {
  return Refusal{{ErrorCode::invalid, "event: not as CloudEvents has it"}, std::move(detail)};
}

// Takes an event, or an array of them, from the parser: the outer levels are handled here, each
// attribute's value goes into a CborBuilder of its own, so its nesting is counted from there.
class EventSink final : public JsonSink {
 public:
  EventSink(std::vector<Event>& events, Origin origin) : events_(events), attributes_(origin) {}

  bool null() override { return value(&JsonBuilder::null); }
  bool boolean(bool truth) override { return value(&JsonBuilder::boolean, truth); }
  bool integer(int64_t number) override { return value(&JsonBuilder::integer, number); }
  bool uint(uint64_t number) override { return value(&JsonBuilder::uint, number); }
  bool number(double number) override { return value(&JsonBuilder::number, number); }
  bool text(std::string_view text) override { return value(&JsonBuilder::text, text); }

  bool key(std::string_view name) override {
    if (inside_ > 0) return value(&JsonBuilder::key, name);
    name_ = name;
    return true;
  }

  bool begin_object() override {
    if (in_event_) return ++inside_, value(&JsonBuilder::begin_object);
    if (events_.size() == limits::batch_events_max) {
      return refuse(
          {{ErrorCode::too_large, "event: too many at once"}, "more than 256 events at once"});
    }
    in_event_ = true;
    return true;
  }

  bool end_object() override {
    if (inside_ > 0) return --inside_, value(&JsonBuilder::end_object);
    in_event_ = false;
    Explained<Event> event = attributes_.finish();
    if (!event) return refuse(event.refusal());
    events_.push_back(std::move(event).value());
    return true;
  }

  bool begin_array() override {
    if (in_event_) return ++inside_, value(&JsonBuilder::begin_array);
    if (in_batch_) return refuse(invalid("an event is an object"));
    in_batch_ = true;
    return true;
  }

  bool end_array() override {
    if (inside_ > 0) return --inside_, value(&JsonBuilder::end_array);
    return true;
  }

  [[nodiscard]] bool in_event() const { return in_event_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

 private:
  static_assert(limits::batch_events_max == 256, "the text above names it");

  // Passes one step on to the builder; when the attribute's value is whole, it is set.
  template <class Method, class... Arguments>
  bool value(Method method, Arguments... arguments) {
    if (!in_event_) return refuse(invalid("an event is an object"));
    if (!(values_.*method)(arguments...)) {
      const char* reason = name_ == "data" ? "the data is larger than 64 KiB as CBOR or nested "
                                             "more than 16 levels deep"
                                           : "an attribute is too large";
      return refuse({{ErrorCode::too_large, "event: too large"}, reason});
    }
    if (inside_ > 0 || !builder_.complete()) return true;
    const Result<ByteVector> item = builder_.take();
    std::optional<Refusal> refusal = attributes_.set(name_, *item);
    return refusal ? refuse(std::move(*refusal)) : true;
  }

  bool refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    return false;
  }

  std::vector<Event>& events_;
  bool in_batch_ = false;
  bool in_event_ = false;
  size_t inside_ = 0;  // containers open within the attribute's value
  std::string name_;   // of the attribute at hand
  CborBuilder builder_{value_bytes_max};
  JsonBuilder values_{builder_};
  EventBuilder attributes_;
  Refusal refusal_{{ErrorCode::invalid, "event"}, {}};
};

// Says which event it was, where there may be several.
Refusal numbered(Refusal refusal, size_t index) {
  refusal.detail = "event " + std::to_string(index + 1) + ": " + refusal.detail;
  return refusal;
}

// Adds the events of one JSON value.
std::optional<Refusal> parse_value(std::string_view text, std::vector<Event>& events,
                                   Origin origin) {
  EventSink sink(events, origin);
  const Explained<JsonEnd> end = parse_json(text, sink);
  if (!end) return end.refusal();
  if (*end == JsonEnd::stopped) return sink.refusal();
  return std::nullopt;
}

constexpr std::string_view white_space = " \t\r\n";

// The bytes of the JSON value at the front of `text`, told by its brackets alone: the parser says
// later whether it is one.
size_t value_size(std::string_view text) {
  size_t depth = 0;
  bool in_text = false;
  for (size_t index = 0; index < text.size(); ++index) {
    const char character = text[index];
    if (in_text) {
      if (character == '\\') ++index;
      in_text = character != '"';
    } else if (character == '"') {
      in_text = true;
    } else if (character == '{' || character == '[') {
      ++depth;
    } else if (character == '}' || character == ']') {
      if (depth <= 1) return index + 1;
      --depth;
    }
  }
  return text.size();
}

}  // namespace

Explained<Event> event_from_json(std::string_view text) {
  const size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos || text[first] != '{') {
    return invalid("one event is one JSON object");
  }
  std::vector<Event> events;
  std::optional<Refusal> refusal = parse_value(text, events, Origin::drop);
  if (refusal) return std::move(*refusal);
  return std::move(events.front());
}

Explained<std::vector<Event>> events_from_json(std::string_view text, Origin origin) {
  if (text.size() > json_bytes_max) {
    return Refusal{{ErrorCode::too_large, "event: too much at once"},
                   "the JSON text is larger than 4 MiB"};
  }
  std::vector<Event> events;
  size_t next = text.find_first_not_of(white_space);
  while (next != std::string_view::npos) {
    const std::string_view rest = text.substr(next);
    const std::string_view value = rest.substr(0, value_size(rest));
    std::optional<Refusal> refusal = parse_value(value, events, origin);
    if (refusal) return numbered(std::move(*refusal), events.size());
    next = text.find_first_not_of(white_space, next + value.size());
  }
  if (events.empty()) return invalid("there is no event in it");
  return events;
}

Explained<Event> event_from_map(ByteSpan map, Origin origin) {
  const Result<void> valid = validate(map);
  if (!valid)
    return Refusal{valid.error(), std::string("the event is not valid: ") + valid.error().where};
  CborReader reader(map);
  EventBuilder attributes(origin);
  const size_t count = reader.map();
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    const std::string_view name = reader.text();
    const ByteSpan value = reader.item();
    if (!reader.ok()) break;
    std::optional<Refusal> refusal = attributes.set(name, value);
    if (refusal) return std::move(*refusal);
  }
  if (!reader.ok()) return invalid("an event is a map with text keys");
  return attributes.finish();
}

}  // namespace limpet::codec
