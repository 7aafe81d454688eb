#pragma once

// Follower: reads the log as server-sent events, over every restart of the daemon, and keeps what
// comes for whoever shows it. It resumes with Last-Event-ID, so that nothing is shown twice.
// Owner: the demo. Thread: one of its own; take() is for main.
// Limits: it holds what came between two calls of take().

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/daemon_client.hpp"

namespace limpet::demo {

class Follower {
 public:
  explicit Follower(std::string socket);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // What came since the last call, in order.
  [[nodiscard]] std::vector<testing::LogEvent> take();

 private:
  void run();

  const std::string socket_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<testing::LogEvent> waiting_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace limpet::demo
