#pragma once

// EventSource: the log as the body of a response, from a place on, filtered, perhaps without end.
// Owner: the connection. Thread: [main]. Fails by Pull::failed, when the store cannot be read.
// Limits: it reads read_records_max records and gives about body_slice_bytes at once.
//
// A reader that asks for what is no longer stored, or falls behind the trimming, is told so: in the
// place of what is missing it sees one event of type limpet.log.gap, which is not stored and has no
// sequence, with {"from":N,"to":M} (M exclusive) as its data.

#include <cstdint>
#include <optional>
#include <string>

#include "api/exchange.hpp"
#include "api/services.hpp"

namespace limpet::api {

enum class EventFormat : uint8_t { ndjson, sse };

struct EventQuery {
  EventFilter filter;
  std::optional<Sequence> from;  // nullopt: see `follow`
  bool follow = false;           // at the end, wait; without `from`, begin with what is new
  std::optional<uint64_t> events_max;
  bool ends_with_run = false;  // also end after the event that ends the filter's run
  EventFormat format = EventFormat::ndjson;
};

class EventSource final : public BodySource {
 public:
  EventSource(Services& services, EventQuery query);

  [[nodiscard]] Pull pull(std::string& out) override;
  [[nodiscard]] std::string_view heartbeat() const override;

 private:
  [[nodiscard]] bool take(const EventView& event, std::string& out);
  void append_gap(std::string& out, Sequence from, Sequence to) const;
  void append_framed(std::string& out, const EventView& event, std::string_view json) const;

  Services& services_;
  const EventQuery query_;
  Sequence next_;
  uint64_t events_left_;
  bool run_ended_ = false;
};

}  // namespace limpet::api
