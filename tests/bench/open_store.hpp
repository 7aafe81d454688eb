#pragma once

// A store opened for a workload, and a log filled quickly. Owner: a workload. Thread: [main].
// Failures end the program.

#include <functional>
#include <memory>
#include <string>

#include "store/store.hpp"
#include "tests/bench/sample_event.hpp"
#include "tests/bench/signal.hpp"

namespace limpet::bench {

class OpenStore {
 public:
  OpenStore(const std::string& directory, uint64_t max_bytes, Duration linger);

  [[nodiscard]] store::Store& store() const { return *store_; }
  // Raised when deliver() has work.
  [[nodiscard]] Signal& answers() { return answers_; }
  // One event; `done` when it is on disk.
  void append(const SampleEvent& event, std::function<void()> done);

 private:
  class SilentLogger final : public Logger {
   public:
    void line(LogLevel, std::string_view, std::string_view) override {}
  };

  platform::SystemClock clock_;
  SilentLogger logger_;
  Signal answers_;
  std::unique_ptr<store::Store> store_;  // last: its thread uses what stands above
};

// `count` events on disk when this returns.
void fill_log(OpenStore& opened, const SampleEvent& event, uint64_t count);

}  // namespace limpet::bench
