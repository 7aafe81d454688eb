#pragma once

// TurnWindow: lets read() and catalog() through while a turn runs, on the thread it runs on, and
// for that turn's id only. Owner: an instance. Thread: [any].

#include <cstdint>
#include <mutex>
#include <thread>

#include "host/agent.hpp"

namespace limpet::host {

class TurnWindow {
 public:
  // Open as long as it lives; on the stack around turn(). [main]
  class Opened {
   public:
    Opened(TurnWindow& window, uint64_t turn, TurnReader* reader) : window_(window) {
      const std::lock_guard lock(window_.mutex_);
      window_.turn_ = turn;
      window_.reader_ = reader;
      window_.thread_ = std::this_thread::get_id();
    }
    ~Opened() {
      const std::lock_guard lock(window_.mutex_);
      window_.turn_ = 0;
      window_.reader_ = nullptr;
    }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

   private:
    TurnWindow& window_;
  };

  struct View {
    bool open = false;
    TurnReader* reader = nullptr;  // may be null even when open
  };
  [[nodiscard]] View look(uint64_t turn) const {
    const std::lock_guard lock(mutex_);
    if (turn_ == 0 || turn != turn_ || thread_ != std::this_thread::get_id()) return {};
    return {true, reader_};
  }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  uint64_t turn_ = 0;
  TurnReader* reader_ = nullptr;
  std::thread::id thread_;
};

}  // namespace limpet::host
