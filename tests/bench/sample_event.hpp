#pragma once

// The event that is appended: a reading with a data of `payload` bytes. [any]

#include "codec/cbor_value.hpp"
#include "model/event.hpp"

namespace limpet::bench {

class SampleEvent {
 public:
  explicit SampleEvent(unsigned payload)
      : data_(codec::cbor_item(codec::CborScalar(ByteVector(payload, 0x5a)))) {}

  [[nodiscard]] EventView view() const LIMPET_LIFETIMEBOUND {
    EventView event;
    event.type = "sensor.reading";
    event.source = "limpet/bench";
    event.subject = "line1/temperature";
    event.time = WallTime{1767225600ull * 1000000000ull};
    event.data = data_;
    return event;
  }

 private:
  ByteVector data_;
};

}  // namespace limpet::bench
