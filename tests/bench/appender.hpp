#pragma once

// Appender: something that takes events from one thread, makes them durable in another, in groups,
// and answers them in order. The store is one; raw LMDB behind a queue is the other.
// Owner: a workload. Thread: [main]. Failures end the program.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/measure.hpp"
#include "tests/bench/options.hpp"

namespace limpet::bench {

class Appender {
 public:
  virtual ~Appender() = default;
  // Hands over one event. REQUIRES: fewer than `window` are unanswered.
  virtual void submit() = 0;
  // Waits until at least one event is on disk; answers how many since the last call.
  virtual size_t wait_answers() = 0;
  [[nodiscard]] virtual uint64_t commits() const = 0;
  virtual void reset_commits() = 0;
};

struct AppenderOptions {
  std::string directory;
  uint64_t max_bytes;
  unsigned payload;
  unsigned window;
};
[[nodiscard]] std::unique_ptr<Appender> make_store_appender(const AppenderOptions& options);
[[nodiscard]] std::unique_ptr<Appender> make_raw_appender(const AppenderOptions& options);

// One run: events with the options' window, each answered when it is on disk.
[[nodiscard]] Figures measure_append(const Options& options, uint64_t events,
                                     const std::string& directory,
                                     std::unique_ptr<Appender> (*make)(const AppenderOptions&));

}  // namespace limpet::bench
