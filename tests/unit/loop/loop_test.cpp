#include "loop/loop.hpp"

#include <unistd.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "loop/descriptor.hpp"
#include "loop/fd_watch.hpp"
#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

TEST_CASE("loop: posts run on main in the order of each poster, from many threads") {
  const auto loop = make_loop();
  constexpr int thread_count = 4;
  constexpr int post_count = 1000;
  std::vector<std::vector<int>> seen(thread_count);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < thread_count; ++thread) {
    threads.emplace_back([&, thread] {
      for (int number = 0; number < post_count; ++number) {
        auto& mine = seen[static_cast<size_t>(thread)];
        while (!loop->post([&mine, number] { mine.push_back(number); })) std::this_thread::yield();
      }
    });
  }
  const bool all = loop->run_until(
      [&] { return loop->stats().posts_run == thread_count * post_count; }, patience);
  for (std::thread& thread : threads) thread.join();
  REQUIRE(all);
  for (const auto& mine : seen) {
    REQUIRE(mine.size() == post_count);
    for (int number = 0; number < post_count; ++number) {
      CHECK(mine[static_cast<size_t>(number)] == number);
    }
  }
}

TEST_CASE("loop: at the limit a post is refused and counted, and what waits is kept") {
  const auto loop = make_loop({3});
  int ran = 0;
  for (int count = 0; count < 3; ++count) CHECK(loop->post([&] { ++ran; }));
  CHECK_FALSE(loop->post([&] { ++ran; }));
  CHECK(loop->stats().posts_refused == 1);
  CHECK(loop->run_until([&] { return ran == 3; }, patience));
  CHECK(loop->post([&] { ++ran; }));
  CHECK(loop->run_until([&] { return ran == 4; }, patience));
}

TEST_CASE("loop: a task that posts itself does not starve a descriptor") {
  const auto loop = make_loop();
  int fds[2];
  REQUIRE(pipe(fds) == 0);
  const loop::Descriptor reading(fds[0]);
  const loop::Descriptor writing(fds[1]);
  bool read = false;
  auto watch = loop::FdWatch::create(*loop, reading.get(), {[&] { read = true; }, nullptr});
  REQUIRE(watch);
  (*watch)->want_readable(true);
  std::function<void()> again = [&] { static_cast<void>(loop->post([&] { again(); })); };
  again();
  REQUIRE(write(writing.get(), "x", 1) == 1);
  CHECK(loop->run_until([&] { return read; }, patience));
}

TEST_CASE("loop: stop ends run, from another thread too, and run may be called again") {
  const auto loop = make_loop();
  for (int count = 0; count < 3; ++count) {
    std::thread stopper([&] { loop->stop(); });
    loop->run();
    stopper.join();
  }
  int ran = 0;
  CHECK(loop->post([&] {
    ++ran;
    loop->stop();
  }));
  loop->run();
  CHECK(ran == 1);
}

TEST_CASE("loop: run_until gives up at its limit") {
  const auto loop = make_loop();
  CHECK_FALSE(loop->run_until([] { return false; }, milliseconds(1)));
}

TEST_CASE("loop: on_main tells the thread that runs it") {
  const auto loop = make_loop();
  bool inside = false;
  bool outside = true;
  CHECK(loop->post([&] {
    inside = loop->on_main();
    std::thread([&] { outside = loop->on_main(); }).join();
    loop->stop();
  }));
  loop->run();
  CHECK(inside);
  CHECK_FALSE(outside);
}

TEST_CASE("loop: what was posted and never ran is destroyed with the loop") {
  const auto owned = std::make_shared<int>(1);
  {
    const auto loop = make_loop();
    CHECK(loop->post([owned] {}));
    CHECK(owned.use_count() == 2);
  }
  CHECK(owned.use_count() == 1);
}

TEST_CASE("fd_watch: calls as long as it is wanted and ready, and may be destroyed from inside") {
  const auto loop = make_loop();
  int fds[2];
  REQUIRE(pipe(fds) == 0);
  const loop::Descriptor reading(fds[0]);
  const loop::Descriptor writing(fds[1]);
  int calls = 0;
  std::unique_ptr<loop::FdWatch> watch;
  auto created = loop::FdWatch::create(*loop, reading.get(),
                                       {[&] {
                                          if (++calls == 3) watch.reset();
                                        },
                                        nullptr});
  REQUIRE(created);
  watch = std::move(created).value();
  REQUIRE(write(writing.get(), "x", 1) == 1);
  CHECK_FALSE(loop->run_until([&] { return calls > 0; }, milliseconds(1)));
  watch->want_readable(true);
  CHECK(loop->run_until([&] { return calls == 3; }, patience));
  CHECK_FALSE(loop->run_until([&] { return calls > 3; }, milliseconds(1)));
  CHECK(watch == nullptr);
}
