#include "platform/random.hpp"

#include <errno.h>
#include <sys/random.h>

#include <array>
#include <cstring>

#include "base/check.hpp"

namespace limpet::platform {

uint64_t Random::number() {
  std::array<uint8_t, 8> bytes{};
  fill(bytes);
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

void SystemRandom::fill(std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t count = getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    // Left are a kernel before 3.17 and a filter that forbids the call: guessable tokens would be
    // worse than no start.
    LIMPET_ASSERT(count > 0);
    out = out.subspan(static_cast<size_t>(count));
  }
}

}  // namespace limpet::platform
