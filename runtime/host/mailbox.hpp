#pragma once

// Mailbox: how plugin threads get main to come by. Whatever they hand over waits in bounded places
// of its own (CallTable, EmissionQueue, PluginTimers); this is only the bell.
// Owner: shared by the host, which closes it, and by its instances, of which some may outlive the
// host because their threads would not end: that is why it is shared. Thread: as tagged.

#include <memory>
#include <mutex>

#include "host/executor.hpp"

namespace limpet::host {

class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  // `deliver` runs on main after a ring; one run may answer many rings.
  Mailbox(Executor& executor, loop::Task deliver)
      : executor_(&executor), deliver_(std::move(deliver)) {}

  // Never more than one post is under way. [any]
  void ring() {
    const std::lock_guard lock(mutex_);
    if (executor_ == nullptr || rung_) return;
    rung_ = true;
    executor_->post([self = shared_from_this()] { self->answer(); });
  }

  // From now on nobody comes. [main]
  void close() {
    const std::lock_guard lock(mutex_);
    executor_ = nullptr;
  }

  // Is the host still there? [main]
  [[nodiscard]] bool open() const {
    const std::lock_guard lock(mutex_);
    return executor_ != nullptr;
  }

  // Zero once closed. [any]
  [[nodiscard]] BootTime now() const {
    const std::lock_guard lock(mutex_);
    return executor_ != nullptr ? executor_->now() : BootTime{};
  }

 private:
  void answer() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = false;
      if (executor_ == nullptr) return;
    }
    deliver_();
  }

  mutable std::mutex mutex_;
  Executor* executor_;  // guarded by mutex_; null once closed
  bool rung_ = false;   // guarded by mutex_
  loop::Task deliver_;  // main
};

}  // namespace limpet::host
