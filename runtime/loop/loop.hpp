#pragma once

// Loop: the one place where the main thread waits; everything that happens to Limpet's state
// happens in a callback of it.
// Owner: the daemon (a child runner or a test has its own). Thread: [main] is the thread that calls
// run() or run_until(); only post() and stop() are for others. Callbacks must not block.
// Fails with: io at creation (no descriptors left).
// Limits: posts_max tasks wait at once; at the limit post() answers false and counts.
//
// Asio is an implementation detail of reactor.cpp. Posts go through our own queue and one eventfd,
// so that a post costs a lock and no allocation, and the Asio context itself is never shared by
// threads.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "loop/function.hpp"

namespace limpet::loop {

class Reactor;
class TimerHeap;

struct LoopOptions {
  size_t posts_max = 8192;  // more than all that workers and the writer can have in flight
};

struct LoopStats {
  uint64_t posts_run = 0;
  uint64_t posts_refused = 0;  // the queue of posts was full
};

// What the main thread is doing, for whoever watches it from another thread.
struct Busy {
  BootTime since;      // zero: it waits for something to do
  uint64_t round = 0;  // differs for every callback
  char activity[48] = "";
};

class Loop {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Loop>> create(LoopOptions options);
  // REQUIRES: not running; every Timer, FdWatch, Stream, Listener and Signals of it is gone.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs callbacks until stop(). May be called again after it. [main, blocking]
  void run();
  // Runs callbacks until `done` says true (it is asked after each) or `limit` has passed; answers
  // what `done` said last. For tests and for shutting down in order. [main, blocking]
  [[nodiscard]] bool run_until(UniqueFunction<bool()> done, Duration limit);
  // Makes run() return after the current callback. [any]
  void stop();

  // Queues `task` for main, in order of the calls. False: the limit is reached and the task was
  // destroyed. What still waits when the loop is destroyed is destroyed unrun, on main. [any]
  [[nodiscard]] bool post(Task task);

  // CLOCK_BOOTTIME: counts suspend, never jumps. [any, no-alloc]
  [[nodiscard]] static BootTime now();
  // Is the caller the main thread? True for everyone while the loop does not run. [any]
  [[nodiscard]] bool on_main() const;

  [[nodiscard]] LoopStats stats() const;  // [any]
  [[nodiscard]] Busy busy() const;        // [any]

  // For the loop's own parts.
  [[nodiscard]] Reactor& reactor();
  [[nodiscard]] TimerHeap& timers();

 private:
  friend class Round;
  friend class Activity;
  struct Impl;
  explicit Loop(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// Marks one callback of main; the loop's own parts open one around every callback. [main, no-alloc]
class Round {
 public:
  explicit Round(Loop& loop);
  ~Round();
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

 private:
  Loop& loop_;
  bool outermost_;
};

// Names what main does while it lives ("turn watchdog"), for the stall watch; nests. The text is
// copied and cut to 47 bytes. [main, no-alloc]
class Activity {
 public:
  Activity(Loop& loop, std::string_view name);
  ~Activity();
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;

 private:
  Loop& loop_;
  char before_[sizeof(Busy::activity)];
};

}  // namespace limpet::loop
