#pragma once

// Reactor: Asio's context behind a wall; for the parts of this folder only. [main]

#include <memory>

#include "base/result.hpp"
#include "base/time.hpp"

namespace limpet::loop {

class Reactor {
 public:
  struct Context;  // reactor.cpp knows it

  [[nodiscard]] static Result<std::unique_ptr<Reactor>> create();
  ~Reactor();

  void run();                    // until stop()
  void run_one(Duration limit);  // at most one callback
  void stop();                   // [main]
  [[nodiscard]] Context& context() { return *context_; }

 private:
  explicit Reactor(std::unique_ptr<Context> context);

  std::unique_ptr<Context> context_;
};

}  // namespace limpet::loop
