#pragma once

// TokenBucket: so many in so long, with a burst. Time is given in. [any, no-alloc]
// A bucket begins full. A rate of count 0 never says no.

#include <cstdint>

#include "base/time.hpp"
#include "dispatch/queue_types.hpp"

namespace limpet::dispatch {

class TokenBucket {
 public:
  TokenBucket() = default;
  explicit TokenBucket(const Rate& rate) : rate_(rate) {}

  // Zero: a token is there. Else how long until one is.
  [[nodiscard]] Duration wait(BootTime now) const;
  // Takes a token. REQUIRES: wait(now) is zero.
  void take(BootTime now);
  // The same bucket at another rate, with what is in it, as far as it fits.
  void change(const Rate& rate) { rate_ = rate; }

 private:
  [[nodiscard]] int64_t token_ns() const { return rate_.per.ns / rate_.count; }
  [[nodiscard]] int64_t burst() const {
    return static_cast<int64_t>(rate_.burst == 0 ? rate_.count : rate_.burst);
  }

  Rate rate_;
  // The bucket as one time: it is full when this has passed, and each token taken moves it on.
  BootTime full_at_;
};

}  // namespace limpet::dispatch
