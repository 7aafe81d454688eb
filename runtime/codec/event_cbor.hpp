#pragma once

// Events as a CBOR sequence (RFC 8742): one map an event with the names of event_json.hpp, time as
// nanoseconds since 1970, data as it is stored. The fast form of replay and export. [any]
//
// It holds all that the JSON form holds, and reads back as event_from_map does. Data is copied as
// it stands, unread: it was checked when it came in.

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "codec/event_json.hpp"
#include "model/event.hpp"

namespace limpet::codec {

class EventCborWriter {
 public:
  explicit EventCborWriter(Epoch epoch) : epoch_text_(to_string(epoch)) {}

  // One map after what `out` already holds; on an error `out` is as before. Allocates only what
  // `out` does. Errors: invalid (extensions that are no map), too_large (attributes beyond any
  // limit).
  [[nodiscard]] Result<void> append(std::string& out, const EventView& event) const;

 private:
  const std::string epoch_text_;
};

// At least one event; all or nothing. Refusals as events_from_json.
[[nodiscard]] Explained<std::vector<Event>> events_from_cbor(ByteSpan sequence, Origin origin);

}  // namespace limpet::codec
