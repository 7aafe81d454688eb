#pragma once

// EventSource: the log as the body of a response, from a place on, filtered, perhaps without end,
// at once or at the pace at which it happened.
// Owner: the connection. Thread: [main]. Fails by Pull::failed, when the store cannot be read.
// Limits: it reads read_records_max records and gives about body_slice_bytes at once.
//
// What is no longer stored is never passed over in silence: in its place stands one event of type
// limpet.log.gap, which is not stored and has no sequence, with {"from":N,"to":M} (M exclusive) as
// its data; right before the next event, so that many small holes are one gap. A house that knows
// that nothing there could have matched says so (Services::may_have_matched), and there is none.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/exchange.hpp"
#include "api/services.hpp"
#include "codec/event_cbor.hpp"
#include "dispatch/pace.hpp"
#include "store/consumer_record.hpp"

namespace limpet::api {

enum class EventFormat : uint8_t { ndjson, sse, cbor };

struct EventQuery {
  EventFilter filter;
  std::optional<Sequence> from;  // nullopt: see `since`, then `follow`
  std::optional<WallTime> since;
  bool follow = false;  // at the end, wait; without `from`, begin with what is new
  std::optional<uint64_t> events_max;
  bool ends_with_run = false;  // also end after the event that ends the filter's run
  EventFormat format = EventFormat::ndjson;
  uint32_t speed_percent = 0;  // of the original pace; 0: at once
};

class EventSource final : public BodySource {
 public:
  // `now` is the boot clock.
  EventSource(Services& services, EventQuery query, std::function<BootTime()> now);

  [[nodiscard]] Pull pull(std::string& out) override;
  [[nodiscard]] std::string_view heartbeat() const override;
  [[nodiscard]] std::optional<Duration> due_in() const override;

 private:
  [[nodiscard]] Sequence find_since(WallTime time);
  [[nodiscard]] bool take(const EventView& event, std::string& out);
  void note_hole(Sequence to);
  void add_gap(store::LogGap gap);
  void append_event(std::string& out, const EventView& event);
  [[nodiscard]] Result<void> append_form(std::string& out, const EventView& event) const;
  void append_gap(std::string& out, store::LogGap gap) const;

  Services& services_;
  const EventQuery query_;
  const std::function<BootTime()> now_;
  const EventFilter range_;  // `to` alone: what else there is to filter is done here
  const codec::EventCborWriter cbor_;
  Sequence next_;
  std::optional<store::LogGap> gap_;       // before next_, not yet said
  std::optional<store::LogGap> unwanted_;  // the same, where nothing could have matched
  uint64_t events_left_;
  bool run_ended_ = false;
  bool stopped_ = false;  // a pull ended before the house did
  dispatch::Pacer pacer_;
  std::optional<BootTime> due_;  // of the event at next_
};

}  // namespace limpet::api
