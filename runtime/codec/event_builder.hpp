#pragma once

// EventBuilder: an event from named attributes, whatever they came from (JSON, a plugin's map).
// Private to this folder. Owner: the caller. Thread: [any]. The first refusal ends it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/explained.hpp"
#include "model/event.hpp"

namespace limpet::codec {

class EventBuilder {
 public:
  // Takes one attribute; `value` is one well-formed item.
  [[nodiscard]] std::optional<Refusal> set(std::string_view name, ByteSpan value);

  // The event, checked; the builder is as new afterwards.
  [[nodiscard]] Explained<Event> finish();

 private:
  [[nodiscard]] std::optional<Refusal> set_special(std::string_view name, ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_data(std::string_view name, ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_time(ByteSpan value);
  [[nodiscard]] std::optional<Refusal> set_extension(std::string_view name, ByteSpan value);

  Event event_;
  std::vector<std::string> names_;  // seen; bounded by the attributes' limit
  size_t names_bytes_ = 0;
  ByteVector extension_items_;  // names and values, without the map's head
  size_t extension_count_ = 0;
};

}  // namespace limpet::codec
