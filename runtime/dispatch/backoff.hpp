#pragma once

// How long a task waits after its nth failure. [any, no-alloc]

#include <cstdint>

#include "base/time.hpp"
#include "dispatch/queue_types.hpp"

namespace limpet::dispatch {

// `attempts`: failures so far, at least 1. `random`: any number; it decides the jitter.
[[nodiscard]] Duration backoff_delay(const Backoff& backoff, uint16_t attempts, uint64_t random);

// SplitMix64 (Steele, Lea, Flood): the next random number of a sequence that `state` keeps.
[[nodiscard]] inline uint64_t next_random(uint64_t& state) {
  uint64_t value = (state += 0x9e3779b97f4a7c15u);
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

}  // namespace limpet::dispatch
