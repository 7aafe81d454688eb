#pragma once

// The values of the small rows that the daemon writes: see store/FORMAT.md. [any, no-alloc]

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "daemon/runs.hpp"
#include "store/keys.hpp"

namespace limpet::daemon {

class SmallValue {
 public:
  SmallValue& put(uint64_t value, size_t bytes) {
    for (size_t index = bytes; index-- > 0;) {
      data_[size_++] = static_cast<uint8_t>(value >> (8 * index));
    }
    return *this;
  }
  [[nodiscard]] ByteSpan bytes() const LIMPET_LIFETIMEBOUND { return {data_.data(), size_}; }

 private:
  std::array<uint8_t, 16> data_{};
  size_t size_ = 0;
};

[[nodiscard]] inline SmallValue encode_run_id(RunId run) {
  return SmallValue().put(run.value(), 8);
}
[[nodiscard]] inline SmallValue encode_call(RunId run, Ordinal ordinal) {
  return SmallValue().put(run.value(), 8).put(ordinal.value(), 4);
}
[[nodiscard]] inline SmallValue encode_delivery(const Delivery& delivery) {
  return SmallValue().put(delivery.at, 6).put(delivery.own ? 1 : 0, 1).put(delivery.bytes, 4);
}

// nullopt: not an inbox row, or damaged.
[[nodiscard]] inline std::optional<Delivery> decode_delivery(ByteSpan key, ByteSpan value) {
  const std::optional<store::InboxPlace> place = store::parse_inbox_key(key);
  if (!place || value.size() < 11) return std::nullopt;
  Delivery delivery{place->event, 0, store::read_u32(value.subspan(7)), value[6] != 0};
  for (size_t index = 0; index < 6; ++index) delivery.at = (delivery.at << 8) | value[index];
  return delivery;
}

}  // namespace limpet::daemon
