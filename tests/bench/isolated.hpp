#pragma once

// One measurement in a process of its own, so that its memory, its processor time and its bytes
// written are its own. [main]

#include <functional>
#include <optional>
#include <string>

#include "tests/bench/measure.hpp"

namespace limpet::bench {

class Isolated {
 public:
  // Starts `work` in a child. REQUIRES: this process has one thread.
  explicit Isolated(const std::function<Figures()>& work);
  ~Isolated();
  Isolated(const Isolated&) = delete;
  Isolated& operator=(const Isolated&) = delete;

  // Waits for its end and answers its figures; nullopt: it failed, and said why. Once.
  [[nodiscard]] std::optional<Figures> try_wait();
  // The same, but a child that failed ends this program too.
  [[nodiscard]] Figures wait();

 private:
  int child_;
  int results_;  // the reading end of a pipe
};

[[nodiscard]] inline Figures run_isolated(const std::function<Figures()>& work) {
  return Isolated(work).wait();
}

}  // namespace limpet::bench
