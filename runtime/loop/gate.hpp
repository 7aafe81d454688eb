#pragma once

// Gate: lets work in until it is closed, and tells when the last of it is done: how every part
// shuts down without blocking main.
// Owner: the part. Thread: [main]. Never fails, never allocates. REQUIRES at destruction: nothing
// is inside.

#include <cstddef>
#include <utility>

#include "base/check.hpp"
#include "loop/function.hpp"

namespace limpet::loop {

class Gate {
 public:
  // Proof of having entered; leaving is its destruction. Moved, not copied.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      if (this != &other) {
        release();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Pass() { release(); }
    explicit operator bool() const { return gate_ != nullptr; }
    void release() {
      if (gate_ != nullptr) std::exchange(gate_, nullptr)->leave();
    }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  Gate() = default;
  ~Gate() { LIMPET_ASSERT(inside_ == 0); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // An empty pass once the gate is closed. [main, no-alloc]
  [[nodiscard]] Pass enter() {
    if (closed_) return {};
    ++inside_;
    return Pass(this);
  }

  // Lets nobody in from now on; `on_idle` runs once, when nobody is inside: perhaps at once.
  // REQUIRES: not yet closed. [main]
  void close(Task on_idle) {
    LIMPET_ASSERT(!closed_);
    closed_ = true;
    on_idle_ = std::move(on_idle);
    report_idle();
  }

  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] size_t inside() const { return inside_; }

 private:
  void leave() {
    --inside_;
    report_idle();
  }
  void report_idle() {
    if (!closed_ || inside_ > 0 || !on_idle_) return;
    Task on_idle = std::move(on_idle_);
    on_idle();  // may destroy the gate: nothing of it is touched after this
  }

  size_t inside_ = 0;
  bool closed_ = false;
  Task on_idle_;
};

}  // namespace limpet::loop
