#pragma once

// LoopExecutor: the daemon's Executor, over its loop and its worker pool. Owner: the daemon, which
// keeps loop and pool longer than this. Thread: as Executor says.

#include <optional>

#include "host/executor.hpp"
#include "loop/loop.hpp"
#include "loop/timer.hpp"
#include "loop/worker_pool.hpp"

namespace limpet::host {

class LoopExecutor final : public Executor {
 public:
  LoopExecutor(loop::Loop& loop, loop::WorkerPool& workers);

  BootTime now() const override { return loop::Loop::now(); }
  void post(loop::Task work) override;
  bool submit(loop::Task work) override { return workers_.submit(std::move(work)); }
  void wake_at(BootTime due, loop::Task work) override;
  void enter(std::string_view what) override { activity_.emplace(loop_, what); }
  void leave() override { activity_.reset(); }

 private:
  loop::Loop& loop_;
  loop::WorkerPool& workers_;
  loop::Task work_;  // of timer_
  loop::Timer timer_;
  std::optional<loop::Activity> activity_;
};

}  // namespace limpet::host
