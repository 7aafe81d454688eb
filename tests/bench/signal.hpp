#pragma once

// A flag that one thread raises and another waits for; raises between two waits count once. Both
// appenders wake their producer with it, so that the comparison has the same hand-over. [any]

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace limpet::bench {

class Signal {
 public:
  void raise() {
    const std::lock_guard lock(mutex_);
    raised_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return raised_; });
    raised_ = false;
  }
  // The same, but not beyond `limit`.
  void wait_until(std::chrono::steady_clock::time_point limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, limit, [this] { return raised_; });
    raised_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

}  // namespace limpet::bench
