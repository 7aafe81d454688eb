#include "dispatch/token_bucket.hpp"

#include <algorithm>

namespace limpet::dispatch {

Duration TokenBucket::wait(BootTime now) const {
  if (rate_.count == 0) return {};
  const Duration until_full = std::max(full_at_, now) - now;
  const int64_t over = until_full.ns - token_ns() * (burst() - 1);
  return {std::max<int64_t>(over, 0)};
}

void TokenBucket::take(BootTime now) {
  if (rate_.count == 0) return;
  full_at_ = std::max(full_at_, now) + Duration{token_ns()};
}

}  // namespace limpet::dispatch
