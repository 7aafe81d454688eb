#pragma once

// Random: unpredictable bytes: epochs, seeds, tokens, jitter. Owner: the daemon, or a test with a
// seed. Thread: [any]. Never fails: a kernel without entropy is waited for, which on boards without
// a hardware source can take a second after a cold boot.

#include <cstdint>
#include <span>

namespace limpet::platform {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> out) = 0;

  // Eight bytes of it as a number.
  [[nodiscard]] uint64_t number();
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<uint8_t> out) override;
};

}  // namespace limpet::platform
