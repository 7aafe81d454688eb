#pragma once

// The queue's cycle on a subject: a producer with a window, workers that lease, acknowledge and
// lease again, all in one thread's turns. [main]

#include "tests/bench/cycle_subject.hpp"
#include "tests/bench/measure.hpp"

namespace limpet::bench {

struct CycleWork {
  std::string directory;
  uint64_t cycles = 0;
  unsigned workers = 4;
  unsigned prefetch = 32;  // tasks that a worker holds unacknowledged
  unsigned window = 64;    // tasks enqueued and not yet answered
  unsigned payload = 256;
};
// Enqueues alone with window 1 for the latency, then the cycles, in a process of its own.
[[nodiscard]] Figures measure_cycle(const CycleSubjectEntry& subject, const CycleWork& work);

// How many cycles take about four seconds, when `count` took that long: a card is slow.
[[nodiscard]] uint64_t cycles_in_time(uint64_t count, uint64_t took_ns);

}  // namespace limpet::bench
