#include "loop/timer.hpp"

#include <sys/timerfd.h>

#include <cerrno>

#include "base/check.hpp"

namespace limpet::loop {

Timer::Timer(Loop& loop, Task on_due) : heap_(loop.timers()), on_due_(std::move(on_due)) {}

Timer::~Timer() {
  cancel();
  if (heap_.firing_ == this) heap_.firing_ = nullptr;
}

void Timer::arm_at(BootTime due) {
  cancel();
  heap_.insert(*this, due);
}

void Timer::arm_after(Duration delay) { arm_at(Loop::now() + delay); }

void Timer::cancel() {
  if (armed()) heap_.remove(*this);
}

Result<void> TimerHeap::open(Loop& loop) {
  timer_fd_ = Descriptor(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_fd_.valid()) return Error{ErrorCode::io, "loop: create the timer", errno};
  LIMPET_TRY(watch_, FdWatch::create(loop, timer_fd_.get(), {[this] { fire(); }, nullptr}));
  watch_->want_readable(true);
  return {};
}

void TimerHeap::insert(Timer& timer, BootTime due) {
  timer.due_ = due;
  timer.order_ = ++order_;
  heap_.push_back(nullptr);
  place(heap_.size() - 1, &timer);
  sift_up(heap_.size() - 1);
  if (heap_.front() == &timer) set_alarm();
}

void TimerHeap::remove(Timer& timer) {
  const size_t index = timer.index_;
  LIMPET_ASSERT(index < heap_.size() && heap_[index] == &timer);
  Timer* const last = heap_.back();
  heap_.pop_back();
  timer.index_ = Timer::unarmed;
  if (last == &timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
  // The alarm may now be too early: one idle wake-up is cheaper than a system call at every cancel.
}

void TimerHeap::fire() {
  uint64_t expirations = 0;
  static_cast<void>(read(timer_fd_.get(), &expirations, sizeof expirations));
  alarm_ = {};
  // One reading of the clock and of the order: a timer that re-arms itself waits for the next
  // round.
  const BootTime now = Loop::now();
  const uint64_t order_last = order_;
  while (!heap_.empty() && heap_.front()->due_ <= now && heap_.front()->order_ <= order_last) {
    Timer* const timer = heap_.front();
    remove(*timer);
    firing_ = timer;
    // Kept outside of the timer while it runs: the callback may destroy the timer.
    Task on_due = std::move(timer->on_due_);
    on_due();
    if (firing_ == timer) timer->on_due_ = std::move(on_due);
    firing_ = nullptr;
  }
  set_alarm();
}

void TimerHeap::set_alarm() {
  if (heap_.empty()) return;
  const BootTime due = heap_.front()->due_;
  if (alarm_ == due) return;
  alarm_ = due;
  itimerspec at = {};
  // Zero would disarm it.
  const uint64_t ns = due.ns == 0 ? 1 : due.ns;
  at.it_value.tv_sec = static_cast<time_t>(ns / 1000000000U);
  at.it_value.tv_nsec = static_cast<long>(ns % 1000000000U);
  LIMPET_ASSERT(timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &at, nullptr) == 0);
}

void TimerHeap::place(size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

bool TimerHeap::before(const Timer& a, const Timer& b) {
  return a.due_ != b.due_ ? a.due_ < b.due_ : a.order_ < b.order_;
}

void TimerHeap::sift_up(size_t index) {
  Timer* const timer = heap_[index];
  while (index > 0 && before(*timer, *heap_[(index - 1) / 2])) {
    place(index, heap_[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  place(index, timer);
}

void TimerHeap::sift_down(size_t index) {
  Timer* const timer = heap_[index];
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *timer)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

}  // namespace limpet::loop
