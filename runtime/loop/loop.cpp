#include "loop/loop.hpp"

#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/check.hpp"
#include "loop/descriptor.hpp"
#include "loop/fd_watch.hpp"
#include "loop/reactor.hpp"
#include "loop/timer.hpp"

namespace limpet::loop {

struct Loop::Impl {
  // Constant after construction.
  LoopOptions options;
  std::unique_ptr<Reactor> reactor;
  Descriptor wake_fd;

  // Own synchronisation.
  std::atomic<std::thread::id> main{};
  std::atomic<bool> stopping{false};
  std::atomic<uint64_t> posts_run{0};
  std::atomic<uint64_t> posts_refused{0};

  // Guarded by post_mutex.
  std::mutex post_mutex;
  std::vector<Task> posts;

  // Guarded by busy_mutex.
  mutable std::mutex busy_mutex;
  Busy busy;

  // Owned by main.
  std::vector<Task> posts_running;
  bool in_round = false;
  TimerHeap timers;
  std::unique_ptr<FdWatch> wake_watch;

  void wake() const;
  void drain();
};

void Loop::Impl::wake() const {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then main is awake anyway.
  static_cast<void>(write(wake_fd.get(), &one, sizeof one));
}

// Runs what was queued when it began; what these queue waits for the next round, so that
// descriptors and timers get their turn.
void Loop::Impl::drain() {
  uint64_t count = 0;
  static_cast<void>(read(wake_fd.get(), &count, sizeof count));
  if (stopping.exchange(false)) reactor->stop();
  {
    const std::lock_guard lock(post_mutex);
    posts_running.swap(posts);
  }
  for (Task& task : posts_running) {
    task();
    task = nullptr;  // what it owns goes now, not after the last one
    posts_run.fetch_add(1, std::memory_order_relaxed);
  }
  posts_running.clear();
}

Loop::Loop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Loop::~Loop() {
  // Tasks may own things that use the loop, so they go first.
  std::vector<Task> unrun;
  {
    const std::lock_guard lock(impl_->post_mutex);
    unrun.swap(impl_->posts);
  }
}

Result<std::unique_ptr<Loop>> Loop::create(LoopOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  LIMPET_TRY(impl->reactor, Reactor::create());
  impl->wake_fd = Descriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!impl->wake_fd.valid()) return Error{ErrorCode::io, "loop: create the wake-up", errno};

  std::unique_ptr<Loop> loop(new Loop(std::move(impl)));
  Loop* const self = loop.get();
  LIMPET_TRY(self->impl_->wake_watch, FdWatch::create(*self, self->impl_->wake_fd.get(),
                                                      {[self] { self->impl_->drain(); }, nullptr}));
  self->impl_->wake_watch->want_readable(true);
  LIMPET_CHECK(self->impl_->timers.open(*self));
  return loop;
}

void Loop::run() {
  impl_->main = std::this_thread::get_id();
  impl_->reactor->run();
  impl_->main = std::thread::id{};
}

bool Loop::run_until(UniqueFunction<bool()> done, Duration limit) {
  impl_->main = std::this_thread::get_id();
  const BootTime end = now() + limit;
  bool is_done = done();
  while (!is_done) {
    const BootTime time = now();
    if (time >= end) break;
    impl_->reactor->run_one(end - time);
    is_done = done();
  }
  impl_->main = std::thread::id{};
  return is_done;
}

void Loop::stop() {
  impl_->stopping = true;
  impl_->wake();
}

bool Loop::post(Task task) {
  {
    const std::lock_guard lock(impl_->post_mutex);
    if (impl_->posts.size() >= impl_->options.posts_max) {
      impl_->posts_refused.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    impl_->posts.push_back(std::move(task));
    if (impl_->posts.size() > 1) return true;  // whoever queued the first has woken main
  }
  impl_->wake();
  return true;
}

BootTime Loop::now() {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return {static_cast<uint64_t>(time.tv_sec) * 1000000000U + static_cast<uint64_t>(time.tv_nsec)};
}

bool Loop::on_main() const {
  const std::thread::id main = impl_->main;
  return main == std::thread::id{} || main == std::this_thread::get_id();
}

LoopStats Loop::stats() const { return {impl_->posts_run, impl_->posts_refused}; }

Busy Loop::busy() const {
  const std::lock_guard lock(impl_->busy_mutex);
  return impl_->busy;
}

Reactor& Loop::reactor() { return *impl_->reactor; }
TimerHeap& Loop::timers() { return impl_->timers; }

// Round and Activity --------------------------------------------------------------------------

Round::Round(Loop& loop) : loop_(loop), outermost_(!loop.impl_->in_round) {
  if (!outermost_) return;
  loop_.impl_->in_round = true;
  const BootTime time = Loop::now();
  const std::lock_guard lock(loop_.impl_->busy_mutex);
  loop_.impl_->busy.since = time;
  ++loop_.impl_->busy.round;
}

Round::~Round() {
  if (!outermost_) return;
  loop_.impl_->in_round = false;
  const std::lock_guard lock(loop_.impl_->busy_mutex);
  loop_.impl_->busy.since = {};
}

Activity::Activity(Loop& loop, std::string_view name) : loop_(loop) {
  const std::lock_guard lock(loop_.impl_->busy_mutex);
  char* const current = loop_.impl_->busy.activity;
  std::memcpy(before_, current, sizeof before_);
  const size_t size = std::min(name.size(), sizeof before_ - 1);
  std::memcpy(current, name.data(), size);
  current[size] = '\0';
}

Activity::~Activity() {
  const std::lock_guard lock(loop_.impl_->busy_mutex);
  std::memcpy(loop_.impl_->busy.activity, before_, sizeof before_);
}

}  // namespace limpet::loop
