#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "host/loop_executor.hpp"
#include "step_executor.hpp"

using namespace limpet;
using namespace limpet::host;
using namespace limpet::host::test;
using codec::cbor_map;

TEST_CASE("host: a tool that is not quick waits for a worker") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "work", cbor_map({{"a", 1}})).ok());
  CHECK(world.results.empty());
  CHECK(world.executor.run_jobs());
  CHECK(world.results.empty());  // the outcome is main's to tell
  CHECK(world.executor.run_main());
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].value == cbor_map({{"a", 1}}));
}

TEST_CASE("host: without a free worker a call is busy and leaves no trace") {
  World world;
  world.start_stray();
  world.executor.jobs_max = 0;
  CHECK(world.begin(1, "work").error().code == ErrorCode::busy);
  CHECK(world.info().open_calls == 0);
  world.executor.jobs_max = 4;
  CHECK(world.begin(1, "work").ok());
}

TEST_CASE("host: a call that no worker began before its deadline is tried again") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "work").ok());
  world.executor.advance(seconds(1));
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::retry);
  CHECK(world.info().open_calls == 1);
  world.executor.settle();  // the worker comes late and leaves the plugin alone
  CHECK(world.info().open_calls == 0);
  CHECK(world.results[1].size() == 1);
}

TEST_CASE("host: a cancelled call that has not begun never begins") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "work").ok());
  world.host->cancel(1);
  world.executor.settle();
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::retry);
  CHECK(world.ask("cancels") == "");
}

TEST_CASE("host: a blocked call is answered from its own thread once it is released") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "wait").ok());
  std::optional<loop::Task> job = world.executor.take_job();
  REQUIRE(job.has_value());
  std::thread worker([&] { (*job)(); });
  // Main works on while the call blocks.
  CHECK(world.call("echo").outcome == Outcome::done);
  CHECK(world.begin(2, "wait").error().code == ErrorCode::busy);
  world.ask("release");
  worker.join();
  world.executor.settle();
  REQUIRE(world.results[1].size() == 1);
  CHECK(text_of(world.results[1][0].value) == "released");
}

TEST_CASE("host: a thread that is still inside when the host ends finds its instance alive") {
  std::optional<loop::Task> job;
  std::thread worker;
  StepExecutor executor;
  RecordingObserver observer;
  RecordingLogger logger;
  std::unique_ptr<Host> host = create_host({}, executor, observer, logger);
  REQUIRE_FALSE(host->load(settings_of("stray")).has_value());
  REQUIRE(host->start().empty());
  size_t answers = 0;
  ToolCall wait;
  wait.id = 1;
  wait.tool = "stray.wait";
  REQUIRE(host->call(std::move(wait), [&](ToolResult) { ++answers; }).ok());
  job = executor.take_job();
  worker = std::thread([&] { (*job)(); });
  bool stopped = false;
  host->stop(executor.now(), [&](std::vector<std::string>) { stopped = true; });
  executor.settle();
  executor.advance(milliseconds(1000));
  CHECK(stopped);
  CHECK(answers == 1);
  host.reset();
  // Another instance of the same plugin cannot release it: the job ends when the test says so, by
  // way of the list that the plugin keeps of itself.
  std::unique_ptr<Host> later = create_host({}, executor, observer, logger);
  REQUIRE_FALSE(later->load(settings_of("stray")).has_value());
  REQUIRE(later->start().empty());
  ToolCall release;
  release.id = 2;
  release.tool = "stray.release_all";
  REQUIRE(later->call(std::move(release), [](ToolResult) {}).ok());
  worker.join();
  bool ended = false;
  later->stop(executor.now(), [&](std::vector<std::string>) { ended = true; });
  executor.settle();
  CHECK(ended);
  CHECK(answers == 1);
}

TEST_CASE("host: a lookup answers what became of a call") {
  World world;
  world.start_stray();
  struct Answer {
    bool ok;
    Outcome outcome;
    ErrorCode code;
  };
  uint64_t id = 0;
  const auto look = [&](const std::string& key) {
    std::optional<Answer> answer;
    ToolCall call;
    call.id = ++id;
    call.tool = "stray.work";
    call.key = key;
    const Result<void> begun = world.host->lookup(std::move(call), [&](Result<ToolResult> result) {
      if (result) {
        answer = Answer{true, result->outcome, {}};
      } else {
        answer = Answer{false, {}, result.error().code};
      }
    });
    REQUIRE(begun.ok());
    world.executor.settle();
    REQUIRE(answer.has_value());
    return *answer;
  };
  CHECK(look("happened").outcome == Outcome::done);
  CHECK(look("did not").outcome == Outcome::retry);
  for (const char* key : {"busy", "throw", "garbage"}) {
    const Answer answer = look(key);
    CHECK_FALSE(answer.ok);
    CHECK(answer.code == ErrorCode::plugin);
  }
}

TEST_CASE("host: a lookup that takes too long is a timeout, and its late answer is nobody's") {
  World world;
  world.start_stray();
  size_t answers = 0;
  ErrorCode code = ErrorCode::internal;
  ToolCall call;
  call.id = 1;
  call.tool = "stray.work";
  call.key = "happened";
  REQUIRE(world.host
              ->lookup(std::move(call),
                       [&](Result<ToolResult> result) {
                         ++answers;
                         code = result.ok() ? ErrorCode::internal : result.error().code;
                       })
              .ok());
  world.executor.advance(seconds(1));
  CHECK(answers == 1);
  CHECK(code == ErrorCode::timeout);
  world.executor.settle();
  CHECK(answers == 1);
  CHECK(world.info().open_calls == 0);
}

TEST_CASE("host: over the real loop and its workers calls come home and the host ends") {
  auto loop = loop::Loop::create({});
  REQUIRE(loop.ok());
  auto pool = loop::WorkerPool::create({});
  REQUIRE(pool.ok());
  RecordingObserver observer;
  RecordingLogger logger;
  size_t done = 0;
  bool stopped = false;
  {
    LoopExecutor executor(**loop, **pool);
    const std::unique_ptr<Host> host = create_host({}, executor, observer, logger);
    REQUIRE_FALSE(host->load(settings_of("stray")).has_value());
    REQUIRE(host->start().empty());
    uint64_t id = 0;
    for (int round = 0; round < 50; ++round) {
      ToolCall call;
      call.id = ++id;
      call.tool = "stray.work";
      const size_t expected = done + 1;
      REQUIRE(host->call(std::move(call), [&](ToolResult) { ++done; }).ok());
      REQUIRE((*loop)->run_until([&] { return done == expected; }, seconds(30)));
    }
    ToolCall late;
    late.id = ++id;
    late.tool = "stray.hold_again";
    late.deadline = executor.now() + milliseconds(1);
    REQUIRE(host->call(std::move(late), [&](ToolResult) { ++done; }).ok());
    host->stop(executor.now() + milliseconds(1), [&](std::vector<std::string>) { stopped = true; });
    REQUIRE((*loop)->run_until([&] { return stopped; }, seconds(30)));
  }
  CHECK(done == 51);
  (*pool)->stop();
}
