#pragma once

// Executor: what the host needs of the process around it: a clock, the main thread, a few workers.
// Owner: the daemon (over runtime/loop), the child runner, or a test that steps it by hand; it
// outlives the host. Fails never, except submit, which may be full.
//
// Why not runtime/loop itself: the child runner has no loop, and a test that turns the wheel itself
// needs no sleep.

#include <string_view>

#include "base/time.hpp"
#include "loop/function.hpp"

namespace limpet::host {

class Executor {
 public:
  virtual ~Executor() = default;

  // CLOCK_BOOTTIME. [any, no-alloc]
  [[nodiscard]] virtual BootTime now() const = 0;

  // Runs `work` on main, soon, in the order of the posts. The host keeps at most one post under
  // way, so a bounded queue behind this never sees more of it. [any]
  virtual void post(loop::Task work) = 0;

  // Runs `work` on some worker thread, where it may block. false: no worker is free to take it and
  // the pool's queue is full; `work` was dropped. [main]
  [[nodiscard]] virtual bool submit(loop::Task work) = 0;

  // Runs `work` on main once it is `due`; replaces what an earlier wake_at had ordered. [main]
  virtual void wake_at(BootTime due, loop::Task work) = 0;

  // Main is about to run plugin code / has run it: the stall watch names `what` ("sysinfo turn")
  // when it takes too long. `what` lives until leave. [main, no-alloc]
  virtual void enter(std::string_view what) = 0;
  virtual void leave() = 0;
};

}  // namespace limpet::host
