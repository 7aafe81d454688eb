#pragma once

// EventBuilder: an event from named attributes, whatever they came from (JSON, a plugin's map).
// Private to this folder. Owner: the caller. Thread: [any]. The first refusal ends it.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/event_json.hpp"
#include "codec/explained.hpp"
#include "model/event.hpp"

namespace limpet::codec {

class EventBuilder {
 public:
  explicit EventBuilder(Origin origin) : origin_(origin) {}

  // Takes one attribute; `value` is one well-formed item.
  [[nodiscard]] std::optional<Refusal> set(std::string_view name, ByteSpan value);

  // The event, checked; the builder is as new afterwards.
  [[nodiscard]] Explained<Event> finish();

 private:
  [[nodiscard]] std::optional<Refusal> set_special(std::string_view name, ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_data(std::string_view name, ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_time(ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_extension(std::string_view name, ByteSpan value);

  void keep_place(std::string_view name, ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_place();

  Origin origin_;
  Event event_;
  std::vector<std::string> names_;  // seen; bounded by the attributes' limit
  size_t names_bytes_ = 0;
  std::vector<std::pair<std::string_view, ByteVector>> place_;  // in its log: names, items
  ByteVector extension_items_;  // names and values, without the map's head
  size_t extension_count_ = 0;
};

}  // namespace limpet::codec
