#pragma once

// Signals: process signals (SIGTERM, SIGINT, SIGHUP, SIGCHLD) as callbacks on main.
// Owner: the daemon, one per process. Thread: [main]. Fails with: io.

#include <csignal>
#include <initializer_list>
#include <memory>

#include "base/result.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"

namespace limpet::loop {

class Signals {
 public:
  // Calls `on_signal(number)` on main each time one of `numbers` came (several of a kind that come
  // at once may count as one). Their default action is off until this is destroyed. [main]
  [[nodiscard]] static Result<std::unique_ptr<Signals>> create(Loop& loop,
                                                               std::initializer_list<int> numbers,
                                                               UniqueFunction<void(int)> on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct State;
  explicit Signals(std::shared_ptr<State> state);

  // Shared with the operation that waits in the reactor: that may end after this is gone.
  std::shared_ptr<State> state_;
};

}  // namespace limpet::loop
