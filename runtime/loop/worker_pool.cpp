#include "loop/worker_pool.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/bounded_queue.hpp"
#include "base/check.hpp"
#include "loop/thread_name.hpp"

namespace limpet::loop {

struct WorkerPool::Impl {
  explicit Impl(size_t queue_max) : queue(queue_max) {}

  // Guarded by mutex.
  mutable std::mutex mutex;
  std::condition_variable changed;
  BoundedQueue<Task> queue;
  WorkerPoolStats stats;
  bool closed = false;

  // Owned by main.
  std::vector<std::thread> threads;

  void work();
};

void WorkerPool::Impl::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return closed || !queue.empty(); });
    if (queue.empty()) return;
    Task job = queue.pop();
    ++stats.running;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    --stats.running;
    ++stats.jobs_run;
  }
}

WorkerPool::WorkerPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkerPool::~WorkerPool() { LIMPET_ASSERT(impl_->threads.empty()); }

Result<std::unique_ptr<WorkerPool>> WorkerPool::create(WorkerPoolOptions options) {
  LIMPET_ASSERT(options.thread_count > 0);
  std::unique_ptr<WorkerPool> pool(new WorkerPool(std::make_unique<Impl>(options.queue_max)));
  Impl* const impl = pool->impl_.get();
  for (size_t index = 0; index < options.thread_count; ++index) {
    try {
      impl->threads.emplace_back([impl, name = options.thread_name + "-" + std::to_string(index)] {
        set_thread_name(name);
        impl->work();
      });
    } catch (const std::system_error& failure) {
      pool->stop();
      return Error{ErrorCode::io, "loop: start a worker thread", failure.code().value()};
    }
  }
  return pool;
}

bool WorkerPool::submit(Task job) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed || !impl_->queue.push(std::move(job))) {
      ++impl_->stats.jobs_refused;
      return false;
    }
  }
  impl_->changed.notify_one();
  return true;
}

void WorkerPool::close() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closed = true;
  }
  impl_->changed.notify_all();
}

void WorkerPool::stop() {
  close();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

WorkerPoolStats WorkerPool::stats() const {
  const std::lock_guard lock(impl_->mutex);
  WorkerPoolStats stats = impl_->stats;
  stats.waiting = impl_->queue.count();
  return stats;
}

}  // namespace limpet::loop
