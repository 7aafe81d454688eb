#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

// Waits: lets calls wait for a time and be cancelled meanwhile, without polling.
// Owner: the plugin. Thread: [any]; wait() blocks. Limits: as many as there are open calls.
namespace limpet::notify {

enum class Woken { by_time, by_cancel, by_deadline };

class Waits {
 public:
  // An open call: cancel() reaches it from now until it is destroyed.
  class Entry {
   public:
    Entry(Waits& waits, uint64_t id);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // Returns after `time`, or earlier when the call is cancelled or its deadline (CLOCK_BOOTTIME,
    // 0: none) comes. A cancelled call does not wait at all.
    Woken wait(std::chrono::milliseconds time, uint64_t deadline_ns);

   private:
    Waits& waits_;
    uint64_t id_;
  };

  // An id that is not open is ignored.
  void cancel(uint64_t id);

 private:
  struct Open {
    uint64_t id;
    bool cancelled;
  };

  bool is_cancelled(uint64_t id) const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Open> open_;  // guarded by mutex_
};

}  // namespace limpet::notify
