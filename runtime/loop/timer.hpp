#pragma once

// Timer: calls back once on main when its time on CLOCK_BOOTTIME has come; may be armed again.
// Owner: whoever needs it. Thread: [main]. Never fails. One timerfd serves all timers of a loop;
// arming costs the logarithm of their number and allocates nothing once the heap has grown.
// May be armed, cancelled or destroyed in its own callback.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "loop/descriptor.hpp"
#include "loop/fd_watch.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"

namespace limpet::loop {

class Timer {
 public:
  Timer(Loop& loop, Task on_due);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Armed again, it forgets the earlier time. A time that has passed comes in the next round.
  // [main]
  void arm_at(BootTime due);
  void arm_after(Duration delay);
  void cancel();
  [[nodiscard]] bool armed() const { return index_ != unarmed; }

 private:
  friend class TimerHeap;
  static constexpr size_t unarmed = SIZE_MAX;

  TimerHeap& heap_;
  Task on_due_;
  BootTime due_;
  uint64_t order_ = 0;  // timers of one time fire in the order they were armed
  size_t index_ = unarmed;
};

// The timers of one loop; for the loop's own use.
class TimerHeap {
 public:
  [[nodiscard]] Result<void> open(Loop& loop);

  void insert(Timer& timer, BootTime due);
  void remove(Timer& timer);

 private:
  friend class Timer;
  void fire();
  void set_alarm();
  void place(size_t index, Timer* timer);
  void sift_up(size_t index);
  void sift_down(size_t index);
  [[nodiscard]] static bool before(const Timer& a, const Timer& b);

  std::vector<Timer*> heap_;
  Timer* firing_ = nullptr;  // cleared by the timer's destructor
  uint64_t order_ = 0;
  BootTime alarm_;  // what the timerfd is set to; zero: nothing
  Descriptor timer_fd_;
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace limpet::loop
