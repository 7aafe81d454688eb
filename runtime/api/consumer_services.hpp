#pragma once

// ConsumerServices: what the API needs of the log's durable consumers. The daemon implements it
// over dispatch::Consumers. Owner, thread, failures: as services.hpp.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "api/services.hpp"
#include "dispatch/consumer_types.hpp"

namespace limpet::api {

struct FetchRequest {
  std::string consumer;
  uint32_t events_max = 100;
  int64_t wait_ms = 0;
};

// Events as JSON lines of the API's form, each with its delivery count; ready to be sent.
struct Fetched {
  std::vector<std::string> events;  // CloudEvents JSON
  std::vector<uint32_t> deliveries;
  // The same events, so that they can be given back when the client has gone; empty: those of a
  // consumer without acks, or they come again after ack_wait.
  std::vector<Sequence> sequences;
  uint64_t pending = 0;  // unacknowledged after this
};

class ConsumerServices {
 public:
  virtual ~ConsumerServices() = default;

  // Makes it, or answers that it is there with the same settings. Refusals: conflict (other
  // settings), full (too many), invalid.
  virtual void make_consumer(dispatch::ConsumerSettings settings, Done<std::monostate> done) = 0;
  virtual void drop_consumer(std::string name, Done<std::monostate> done) = 0;
  // As QueueServices::lease: at once or when something is there. Refusals: not_found, busy.
  virtual uint64_t fetch(FetchRequest request, Done<Fetched> done) = 0;
  virtual void cancel_fetch(uint64_t wait) = 0;  // as QueueServices::cancel_lease
  // `upto`: everything to there; else exactly these. Answers after the commit. Refusals: not_found.
  virtual void ack_events(std::string consumer, std::vector<Sequence> events, Sequence upto,
                          Done<std::monostate> done) = 0;
  // These come again after `delay_ms`.
  virtual void nack_events(std::string consumer, std::vector<Sequence> events, int64_t delay_ms,
                           Done<std::monostate> done) = 0;
  virtual void set_consumer_paused(std::string name, bool paused, Done<std::monostate> done) = 0;
  virtual void seek_consumer(std::string name, Sequence to, Done<std::monostate> done) = 0;
  [[nodiscard]] virtual std::string consumers_json() = 0;
};

}  // namespace limpet::api
