#pragma once

// What the host needs to let an agent decide, and what it brings back.
// Turn borrows everything from the caller for the length of Host::turn. Thread: [main].

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"

namespace limpet::host {

// What an agent may read while it decides. Called on main, inside Host::turn only; an
// implementation must not call the Host.
class TurnReader {
 public:
  virtual ~TurnReader() = default;
  // The event of the turn's run with this sequence, as a CBOR map; nullopt: none, or trimmed.
  // [main]
  virtual std::optional<ByteVector> read(Sequence sequence) = 0;
  // The tools that policy lets this run call, as a CBOR array of maps. [main]
  virtual ByteVector catalog(std::string_view pattern) = 0;
};

struct Turn {
  std::string_view instance;   // the plugin instance that holds the agent
  std::string_view agent;      // its name in the plugin's manifest
  std::string_view run;        // the run's id as text
  ByteSpan config;             // CBOR map
  ByteSpan state;              // one CBOR item; empty: a new run
  ByteSpan event;              // CBOR map
  uint32_t state_version = 0;  // of `state`; 0: a new run
  WallTime now;
  uint64_t seed = 0;
  TurnReader* reader = nullptr;  // null: read() finds nothing, catalog() is empty
};

struct Decision {
  // ok, or: not_found (no such instance, or no agent in it), plugin (it failed, is not active, or
  // decided garbage), unsupported (it does not read this state's version), closed (stopping).
  Result<void> status;
  std::string error;  // the sentence for people; empty when ok
  ByteVector bytes;   // one valid CBOR map, at most LIMPET_AGENT_DECISION_BYTES_MAX
};

}  // namespace limpet::host
