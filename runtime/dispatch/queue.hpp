#pragma once

// Queue: what Queues knows of one queue, as one value. Owner: Queues. Thread: [main].

#include <utility>

#include "dispatch/queue_types.hpp"
#include "dispatch/tenants.hpp"
#include "dispatch/token_bucket.hpp"
#include "dispatch/turns.hpp"

namespace limpet::dispatch {

struct Queue {
  Queue(uint16_t queue_number, QueueSettings queue_settings)
      : number(queue_number), tenants(queue_number) {
    configure(std::move(queue_settings));
  }

  void configure(QueueSettings next) {
    settings = std::move(next);
    bucket.change(settings.rate);
    turns.configure({settings.ageing, settings.tenant_rate});
  }
  // Where its counters stand in the hot record.
  [[nodiscard]] size_t index() const { return size_t{number} - store::first_user_queue; }

  const uint16_t number;
  QueueSettings settings;
  bool configured = true;
  QueueState state = QueueState::open;
  Tenants tenants;
  Turns turns;
  TokenBucket bucket;

  uint32_t leased = 0;
  uint64_t leased_bytes = 0;
  uint64_t waiting = 0;  // after a failure, as far as known
  bool hungry = false;   // a worker got less than it asked for
  bool woken = false;    // on_ready is to be told
  // How long it takes until a task leaves, for retry_after().
  BootTime left_at;
  Duration leave_every = seconds(1);

  QueueStats counters;  // those since the start
};

}  // namespace limpet::dispatch
