#include "loop/stall_watch.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include "loop/thread_name.hpp"

namespace limpet::loop {

struct StallWatch::Impl {
  Impl(const Loop& the_loop, Duration the_limit, UniqueFunction<void(const Stall&)> callback)
      : loop(the_loop), limit(the_limit), on_stall(std::move(callback)) {}

  // Constant after construction.
  const Loop& loop;
  const Duration limit;

  // Guarded by mutex.
  mutable std::mutex mutex;
  std::condition_variable changed;
  StallStats stats;
  bool stopping = false;

  // Owned by the watch thread.
  UniqueFunction<void(const Stall&)> on_stall;
  uint64_t round_reported = 0;

  std::thread thread;

  void watch();
  void look();
};

void StallWatch::Impl::watch() {
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, std::chrono::nanoseconds(limit.ns), [this] { return stopping; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void StallWatch::Impl::look() {
  const Busy busy = loop.busy();
  const BootTime now = Loop::now();
  if (busy.since == BootTime{} || now < busy.since + limit) return;
  const Duration so_far = now - busy.since;
  const bool is_new = busy.round != round_reported;
  {
    const std::lock_guard lock(mutex);
    if (is_new) ++stats.stalls;
    stats.longest_ms = std::max(stats.longest_ms, to_ms(so_far));
  }
  round_reported = busy.round;
  if (is_new) on_stall(Stall{so_far, busy.activity});
}

StallWatch::StallWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::unique_ptr<StallWatch>> StallWatch::create(
    const Loop& loop, Duration limit, UniqueFunction<void(const Stall&)> on_stall) {
  std::unique_ptr<StallWatch> watch(
      new StallWatch(std::make_unique<Impl>(loop, limit, std::move(on_stall))));
  Impl* const impl = watch->impl_.get();
  try {
    impl->thread = std::thread([impl] {
      set_thread_name("limpet-watch");
      impl->watch();
    });
  } catch (const std::system_error& failure) {
    return Error{ErrorCode::io, "loop: start the watch thread", failure.code().value()};
  }
  return watch;
}

StallStats StallWatch::stats() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->stats;
}

}  // namespace limpet::loop
