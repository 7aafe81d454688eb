#pragma once

// Event: something that happened, as CloudEvents 1.0 has it, plus our attributes. [any]
// Event owns its bytes; EventView borrows them from whoever decoded it. Empty text means "absent".
//
// `data` is one CBOR item whatever the sender spoke: JSON is converted at the rim and back, so that
// agents, links and the store see one form. Bytes that are not JSON are a CBOR byte string.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"

namespace limpet {

template <class Text, class Data>
struct BasicEvent {
  Sequence sequence;  // none until it is stored; not part of the record, but of its key
  Text type;          // required
  Text source;        // required; "limpet/<name>" for our own
  Text id;            // empty: the id is "<epoch>-<sequence>"
  Text subject;
  WallTime time;
  Text content_type;  // of the data as the sender gave it; empty: application/json
  Text data_schema;
  Text correlation;  // the id of what began it all
  Text causation;    // the id of the event that directly led to this one
  RunId run;         // none: belongs to no run
  Text tenant;
  Text principal;  // who asked: "uid:1000", "token:ops", "link:cloud", "agent:watchdog"
  Text trace_parent;
  Data extensions;  // CloudEvents extension attributes we do not know: a CBOR map, or empty
  Data data;        // one CBOR item, or empty
  uint8_t retention_class = 0;  // its number in the store: how long it stays; 0 is `work`
};

using EventView = BasicEvent<std::string_view, ByteSpan>;
using Event = BasicEvent<std::string, ByteVector>;

// A view of `event`; lives as long as it, unchanged. [any, no-alloc]
[[nodiscard]] EventView view(const Event& event LIMPET_LIFETIMEBOUND);
// A copy that owns its bytes. [any]
[[nodiscard]] Event own(const EventView& event);

// The types of our own events: stable names, see design.
namespace event_type {
inline constexpr std::string_view run_created = "limpet.run.created";
inline constexpr std::string_view run_waiting = "limpet.run.waiting";
inline constexpr std::string_view run_completed = "limpet.run.completed";
inline constexpr std::string_view run_failed = "limpet.run.failed";
inline constexpr std::string_view run_cancelled = "limpet.run.cancelled";
inline constexpr std::string_view step_started = "limpet.step.started";
inline constexpr std::string_view step_progress = "limpet.step.progress";
inline constexpr std::string_view step_finished = "limpet.step.finished";
inline constexpr std::string_view step_unknown = "limpet.step.unknown";
inline constexpr std::string_view task_queued = "limpet.task.queued";
inline constexpr std::string_view task_done = "limpet.task.done";
inline constexpr std::string_view task_dead = "limpet.task.dead";
inline constexpr std::string_view log_gap = "limpet.log.gap";
inline constexpr std::string_view plugin_state = "limpet.plugin.state";
inline constexpr std::string_view store_state = "limpet.store.state";
inline constexpr std::string_view policy_denied = "limpet.policy.denied";
inline constexpr std::string_view drop = "limpet.drop";
inline constexpr std::string_view own_prefix = "limpet.";
}  // namespace event_type

}  // namespace limpet
