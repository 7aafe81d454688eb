#pragma once

// Observer: what the host tells its owner without being asked. All calls on [main], none
// re-entrant: an implementation may call the Host from inside, except load, start and stop.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "model/event.hpp"

namespace limpet::host {

// An event that a plugin's source produced; it waits for a commit.
struct Emission {
  uint64_t id = 0;  // for Host::settled; from 1, in the order of an instance's emits
  std::string instance;
  // As the plugin gave it: type, data, and where it chose to subject, id, time and correlation. A
  // time of zero means "not given". `source` is empty: the owner's to fill in.
  Event event;
  ByteVector position;  // commit it with the event; empty: leave the position as it is
};

enum class Taken : uint8_t { taken, full };

enum class InstanceState : uint8_t {
  loaded,       // its code is in, its config is good; not yet active
  active,       // works
  failed,       // activate refused; it stays out until a restart
  quarantined,  // misbehaved: it gets no work; calls that are inside are left to end
  stopped,      // deactivated in good order
};
[[nodiscard]] std::string_view to_string(InstanceState state);

class Observer {
 public:
  virtual ~Observer() = default;

  // Take this event towards the store. taken: Host::settled(instance, id, ...) follows once, later
  // or from inside. full: nothing was taken; the host keeps it, in order, and offers it again after
  // the next settled() or after limits::emission_retry_ms. [main]
  [[nodiscard]] virtual Taken emitted(const Emission& emission) = 0;

  // An instance changed its state; `reason` is empty or a sentence. [main]
  virtual void state_changed(std::string_view instance, InstanceState state,
                             std::string_view reason) = 0;

  // A call is still alive: renew its lease. `text` may be empty. At most one for each call and turn
  // of the loop; the latest wins. [main]
  virtual void progressed(uint64_t call, uint32_t permille, std::string_view text) = 0;
};

}  // namespace limpet::host
