#pragma once

// EmissionQueue: the events of one instance's sources between emit() and their commit, and the
// credit that bounds them. An emit spends credit at once; settled() gives it back.
// Owner: an instance. Thread: emit is [any], the rest [main]; its own mutex. Never fails.
// Limits: emissions_waiting_max events and emissions_waiting_bytes_max bytes not yet settled; at
// the limit emit() answers FULL and counts.

#include <limpet/plugin.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "host/counters.hpp"
#include "host/mailbox.hpp"
#include "host/observer.hpp"

namespace limpet::host {

struct EmissionRules {
  std::string instance;
  std::vector<std::string> types;  // what the manifest allows
};

class EmissionQueue {
 public:
  EmissionQueue(EmissionRules rules, Mailbox& mailbox, LiveCounters& counters)
      : rules_(std::move(rules)), mailbox_(mailbox), counters_(counters) {}

  // The plugin's emit(): answers at once; the sentence says why it was INVALID. [any]
  [[nodiscard]] limpet_status emit(uint64_t token, limpet_bytes event, limpet_bytes position,
                                   std::string& problem_out);

  // Emits are taken between open and close; what was taken before close is still offered. [main]
  void open();
  void close();
  // Forgets everything not settled; their settled() will not be told. [main]
  void drop();

  // Offers what waits, oldest first, until the observer is full. False: it was. [main]
  [[nodiscard]] bool offer(Observer& observer);

  struct Settled {
    uint64_t token = 0;  // 0: the plugin does not want to know
    bool known = false;  // false: no such emission waits
  };
  // [main]
  [[nodiscard]] Settled settle(uint64_t emission);

  [[nodiscard]] bool idle() const;  // nothing offered or taken is left [main]

 private:
  struct Waiting {
    Emission emission;
    uint64_t token = 0;
    size_t cost = 0;
    bool taken = false;  // by the observer: only its fate is waited for
  };

  const EmissionRules rules_;
  Mailbox& mailbox_;
  LiveCounters& counters_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool open_ = false;
  bool offering_ = false;
  uint64_t last_id_ = 0;
  size_t bytes_ = 0;
  std::deque<Waiting> waiting_;  // in the order of the emits; the taken ones first
};

// The event a plugin emitted, or what is wrong with it. [any]
[[nodiscard]] Result<Event> decode_emitted(ByteSpan item);

}  // namespace limpet::host
