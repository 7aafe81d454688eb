#include "host/loop_executor.hpp"

#include <utility>

#include "base/check.hpp"

namespace limpet::host {

LoopExecutor::LoopExecutor(loop::Loop& loop, loop::WorkerPool& workers)
    : loop_(loop), workers_(workers), timer_(loop, [this] {
        loop::Task work = std::exchange(work_, nullptr);
        work();  // may order the next one
      }) {}

void LoopExecutor::post(loop::Task work) {
  // The host keeps one post under way: a loop without room for it has a fault of ours.
  LIMPET_EXPECT(loop_.post(std::move(work)));
}

void LoopExecutor::wake_at(BootTime due, loop::Task work) {
  work_ = std::move(work);
  timer_.arm_at(due);
}

}  // namespace limpet::host
