#include "dispatch/backoff.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace limpet::dispatch {

namespace {

Duration base_delay(const Backoff& backoff, uint16_t attempts) {
  if (!backoff.list.empty()) {
    return backoff.list[std::min<size_t>(attempts, backoff.list.size()) - 1];
  }
  int64_t delay_ms = to_ms(backoff.min);
  const int64_t delay_ms_max = to_ms(backoff.max);
  for (uint16_t step = 1; step < attempts && delay_ms < delay_ms_max; ++step) {
    const int64_t grown_ms =
        delay_ms / 100 * backoff.factor_percent + delay_ms % 100 * backoff.factor_percent / 100;
    if (grown_ms <= delay_ms) break;
    delay_ms = grown_ms;
  }
  return milliseconds(std::min(delay_ms, delay_ms_max));
}

}  // namespace

Duration backoff_delay(const Backoff& backoff, uint16_t attempts, uint64_t random) {
  LIMPET_ASSERT(attempts > 0);
  const Duration base = base_delay(backoff, attempts);
  const int64_t spread_ms = to_ms(base) * std::min<int64_t>(backoff.jitter_percent, 100) / 100;
  if (spread_ms <= 0) return base;
  const auto range = static_cast<uint64_t>(2 * spread_ms + 1);
  return base + milliseconds(static_cast<int64_t>(random % range) - spread_ms);
}

}  // namespace limpet::dispatch
