#pragma once

// WorkerPool: a few named threads (limpet-work-0 ...) for what may block: tool calls, lookups.
// Owner: the daemon. Thread: submit() is [any], the rest [main]; jobs run on [worker] and hand
// their results back with Loop::post. Fails with: io (a thread cannot be started).
// Limits: thread_count threads, queue_max jobs waiting; at the limit submit() answers false and
// counts.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "loop/function.hpp"

namespace limpet::loop {

struct WorkerPoolOptions {
  size_t thread_count = 2;
  size_t queue_max = 256;
  std::string thread_name = "limpet-work";  // "-<n>" follows; the kernel keeps 15 characters
};

struct WorkerPoolStats {
  uint64_t jobs_run = 0;
  uint64_t jobs_refused = 0;
  size_t waiting = 0;
  size_t running = 0;
};

class WorkerPool {
 public:
  // REQUIRES: thread_count > 0, queue_max > 0.
  [[nodiscard]] static Result<std::unique_ptr<WorkerPool>> create(WorkerPoolOptions options);
  // REQUIRES: stopped.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues `job`; jobs begin in order. False: full or closed, and the job was destroyed. [any]
  [[nodiscard]] bool submit(Task job);
  // Refuses new jobs from now on; never blocks. What waits still runs. [any]
  void close();
  // Closes and waits until the last job is done. [main, blocking]
  void stop();

  [[nodiscard]] WorkerPoolStats stats() const;  // [any]

 private:
  struct Impl;
  explicit WorkerPool(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::loop
