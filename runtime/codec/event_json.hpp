#pragma once

// Events as CloudEvents JSON and, for plugins, as CBOR maps with the same names. [any]
//
// Attributes: specversion, type, source, id, subject, time (RFC 3339), datacontenttype, dataschema,
// data or data_base64, and ours: correlationid, causationid, runid, tenant, principal, traceparent,
// sequence, epoch. A null attribute is an absent one; `data` null is data. Any other name of a-z
// and 0-9 with a scalar value is an extension and is kept in Event.extensions. A name given twice
// is refused.
//
// Bytes: data that is a CBOR byte string prints as data_base64; byte strings inside data print as
// base64url text (json.hpp). An absent data prints no member. An absent id prints as
// "<epoch>-<sequence>", a run as "<epoch>-<number>", the sequence as a number.
//
// What comes in is checked as check_event does (records.hpp), except that `source` may be missing:
// whoever admits the event knows who sent it. So does it decide whether to believe sequence,
// runid, tenant and principal; epoch is checked for form only, the store has its own.
// Limits: those of json.hpp and of an event, limits::batch_events_max events at once.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "codec/explained.hpp"
#include "model/event.hpp"

namespace limpet::codec {

// What of a stored event's place in its log is kept when it comes in again: nothing, or as
// extensions: `epoch`, `sequence`, `runid` and `principal` become `originepoch`, `originsequence`,
// `originrunid` and `originprincipal`, unless it already says where it is from.
enum class Origin : uint8_t { drop, keep };

// The one event that `text` is. Refusals: invalid, too_large; the sentence names the attribute.
[[nodiscard]] Explained<Event> event_from_json(std::string_view text);

// One event, an array of them, or one after the other (NDJSON): at least one. All or nothing; the
// sentence of a refusal begins with which it was: "event 3: `type` is missing".
[[nodiscard]] Explained<std::vector<Event>> events_from_json(std::string_view text, Origin origin);
[[nodiscard]] inline Explained<std::vector<Event>> events_from_json(std::string_view text) {
  return events_from_json(text, Origin::drop);
}

// The event that a plugin emitted: one CBOR map with text keys, as in limpet/ext/*/sources.h. Time
// is nanoseconds since 1970 or RFC 3339. Its `data` may be nested one level less than the limit.
[[nodiscard]] Explained<Event> event_from_map(ByteSpan map, Origin origin);
[[nodiscard]] inline Explained<Event> event_from_map(ByteSpan map) {
  return event_from_map(map, Origin::drop);
}

// One line of JSON. Errors: invalid (data or extensions are not well-formed CBOR).
[[nodiscard]] Result<std::string> event_to_json(const EventView& event, Epoch epoch);

// The same, after what `out` already holds. On an error `out` is as before.
[[nodiscard]] Result<void> append_event_json(std::string& out, const EventView& event, Epoch epoch);

// The event as an agent sees it: one CBOR map with text keys, as in limpet/ext/*/agents.h. Time is
// nanoseconds since 1970.
[[nodiscard]] ByteVector event_to_map(const EventView& event, Epoch epoch);

}  // namespace limpet::codec
