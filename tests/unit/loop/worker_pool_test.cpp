#include "loop/worker_pool.hpp"

#include <pthread.h>

#include <atomic>
#include <future>
#include <string>

#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

std::unique_ptr<loop::WorkerPool> make_pool(size_t thread_count, size_t queue_max) {
  loop::WorkerPoolOptions options;
  options.thread_count = thread_count;
  options.queue_max = queue_max;
  auto created = loop::WorkerPool::create(options);
  REQUIRE(created);
  return std::move(created).value();
}

}  // namespace

TEST_CASE("worker_pool: jobs run on named threads and post their results back") {
  const auto loop = make_loop();
  const auto pool = make_pool(2, 8);
  std::string name;
  CHECK(pool->submit([&] {
    char text[16] = "";
    pthread_getname_np(pthread_self(), text, sizeof text);
    CHECK(loop->post([&name, result = std::string(text)] { name = result; }));
  }));
  CHECK(loop->run_until([&] { return !name.empty(); }, patience));
  CHECK(name.rfind("limpet-work-", 0) == 0);
  pool->stop();
}

TEST_CASE("worker_pool: a full queue refuses and counts; what waits runs when a thread is free") {
  const auto pool = make_pool(1, 2);
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<int> ran{0};
  CHECK(pool->submit([&] {
    begun.set_value();
    go_on.get_future().wait();
    ++ran;
  }));
  begun.get_future().wait();
  CHECK(pool->submit([&] { ++ran; }));
  CHECK(pool->submit([&] { ++ran; }));
  CHECK_FALSE(pool->submit([&] { ++ran; }));
  CHECK(pool->stats().jobs_refused == 1);
  CHECK(pool->stats().waiting == 2);
  CHECK(pool->stats().running == 1);
  go_on.set_value();
  pool->stop();
  CHECK(ran == 3);
  CHECK(pool->stats().jobs_run == 3);
}

TEST_CASE("worker_pool: closed, it takes nothing new, and stopping runs what waits") {
  const auto pool = make_pool(2, 100);
  std::atomic<int> ran{0};
  for (int count = 0; count < 100; ++count) CHECK(pool->submit([&] { ++ran; }));
  pool->close();
  CHECK_FALSE(pool->submit([&] { ++ran; }));
  pool->stop();
  CHECK(ran == 100);
}
