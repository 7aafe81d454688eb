#include <doctest/doctest.h>

#include "step_executor.hpp"

using namespace limpet;
using namespace limpet::host;
using namespace limpet::host::test;
using codec::cbor_map;

namespace {

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("host: a quick tool answers before the call returns, on main, without a post") {
  World world;
  world.start_stray();
  const size_t posts = world.executor.posts();
  const ToolResult result = world.call("echo", cbor_map({{"a", 1}}));
  CHECK(result.outcome == Outcome::done);
  CHECK(result.value == cbor_map({{"a", 1}}));
  CHECK(world.executor.posts() == posts);
  CHECK(world.executor.activities.back() == "stray.echo");
  CHECK(world.counters().calls == 1);
}

TEST_CASE("host: arguments that are not the tool's end the call before the plugin sees it") {
  World world;
  world.start_stray();
  const ToolResult zero = world.call("count", cbor_map({{"n", 0}}));
  CHECK(zero.outcome == Outcome::failed);
  CHECK(contains(zero.error, "arguments at /n"));
  CHECK(world.call("count").outcome == Outcome::failed);
  CHECK(contains(world.call("echo", {0xff}).error, "the arguments are no CBOR"));
  CHECK(contains(world.call("echo", {0x01}).error, "the arguments are not a map"));
  CHECK(world.call("count", cbor_map({{"n", 2}})).outcome == Outcome::done);
  CHECK(world.executor.activities.size() == 2);  // the start, and the last call
}

TEST_CASE("host: what cannot begin is an error and nothing else happens") {
  World world;
  world.start_stray();
  CHECK(world.begin(0, "echo").error().code == ErrorCode::invalid);
  CHECK(world.begin(1, "none").error().code == ErrorCode::not_found);
  CHECK(world.begin(1, "hold").ok());
  CHECK(world.begin(1, "hold").error().code == ErrorCode::exists);
  CHECK(world.begin(2, "hold").ok());
  CHECK(world.begin(3, "hold").error().code == ErrorCode::busy);
  CHECK(world.counters().busy == 1);
  CHECK(world.results.empty());
  world.ask("finish_held");
  world.executor.settle();
  CHECK(world.results[1].size() == 1);
  CHECK(world.results[2].size() == 1);
  CHECK(world.begin(3, "hold").ok());
}

TEST_CASE("host: a status other than OK is an outcome: nothing happened") {
  World world;
  world.start_stray();
  const ToolResult retry = world.call("status", cbor_map({{"status", 6}}));
  CHECK(retry.outcome == Outcome::retry);
  CHECK(retry.error == "the status speaks");
  CHECK(world.call("status", cbor_map({{"status", 2}})).outcome == Outcome::failed);
  CHECK(world.call("status", cbor_map({{"status", 999}})).outcome == Outcome::retry);
  CHECK(world.counters().errors == 3);
  CHECK(world.info().error == "the status speaks");
}

TEST_CASE("host: the four outcomes pass as they are, with a clean text") {
  World world;
  world.start_stray();
  const Outcome outcomes[] = {Outcome::done, Outcome::failed, Outcome::retry, Outcome::unknown};
  for (uint32_t number = 0; number < 4; ++number) {
    const ToolResult result = world.call("outcome", cbor_map({{"outcome", number}}));
    CHECK(result.outcome == outcomes[number]);
    CHECK(result.error == (number == 0 ? "" : "as asked ?"));
    CHECK(result.retry_after_ms == (number == 0 ? 0 : 1500));
  }
}

TEST_CASE("host: results that are not results become a clear failure and are counted") {
  World world;
  world.start_stray();
  const ToolResult garbage = world.call("garbage");
  CHECK(garbage.outcome == Outcome::failed);
  CHECK(contains(garbage.error, "the plugin's result was refused: "));
  CHECK(contains(world.call("gigabyte").error, "larger than a result may be"));
  CHECK(contains(world.call("no_bytes").error, "a size without bytes"));
  // Here nobody knows what happened.
  CHECK(world.call("no_result").outcome == Outcome::unknown);
  CHECK(world.call("short_result").outcome == Outcome::unknown);
  CHECK(world.call("bad_outcome").outcome == Outcome::unknown);
  CHECK(world.counters().garbage == 6);
  CHECK(world.info().state == InstanceState::active);
}

TEST_CASE("host: the first finish counts, others are counted") {
  World world;
  world.start_stray();
  CHECK(world.ask("twice") == "first");
  CHECK(world.counters().double_finishes == 1);
  world.ask("stray_finish");
  CHECK(world.counters().double_finishes == 2);
  const ToolResult result = world.call("status_after_finish");
  CHECK(result.outcome == Outcome::done);  // a claim of an effect is believed
  CHECK(world.counters().violations == 1);
}

TEST_CASE("host: an exception out of a call may have left an effect behind") {
  World world;
  world.start_stray();
  const ToolResult result = world.call("throw");
  CHECK(result.outcome == Outcome::unknown);
  CHECK(contains(result.error, "exception"));
  CHECK(world.counters().violations == 1);
  CHECK(world.call("echo").outcome == Outcome::done);
}

TEST_CASE("host: a deadline tells the plugin, waits for its grace, then settles the call") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold").ok());
  world.executor.advance(milliseconds(999));
  CHECK(world.ask("cancels") == "");
  world.executor.advance(milliseconds(1));
  CHECK(world.ask("cancels") == "1 ");
  CHECK(world.results.count(1) == 0);
  world.executor.advance(milliseconds(1000));
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::unknown);  // it may have acted
  CHECK(world.counters().timeouts == 1);
}

TEST_CASE("host: within the grace the plugin's own word counts") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold").ok());
  world.executor.advance(milliseconds(1000));
  world.ask("finish_held");
  world.executor.settle();
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::done);
  CHECK(world.counters().late_finishes == 0);
}

TEST_CASE("host: a repeatable tool that missed its deadline is tried again") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold_again").ok());
  world.executor.advance(seconds(2));
  world.executor.advance(seconds(2));
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::retry);
}

TEST_CASE("host: a finish after the outcome was given is counted, and its slot is free again") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold_again").ok());
  world.executor.advance(seconds(2));
  world.executor.advance(seconds(2));
  CHECK(world.begin(2, "hold_again").error().code == ErrorCode::busy);
  CHECK(world.info().open_calls == 1);
  world.ask("finish_held");
  world.executor.settle();
  CHECK(world.results[1].size() == 1);
  CHECK(world.counters().late_finishes == 1);
  CHECK(world.begin(2, "hold_again").ok());
}

TEST_CASE("host: a call that never comes back puts its plugin in quarantine") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold").ok());
  world.executor.advance(seconds(1));
  world.executor.advance(seconds(1));
  CHECK(world.info().state == InstanceState::active);
  world.executor.advance(seconds(60));
  CHECK(world.info().state == InstanceState::quarantined);
  CHECK(world.info().error == "a call of stray.hold did not come back from the plugin");
  CHECK(world.begin(2, "echo").error().code == ErrorCode::plugin);
}

TEST_CASE("host: a deadline of the caller's own goes before the tool's") {
  World world;
  world.start_stray();
  ToolCall call;
  call.id = 5;
  call.tool = "stray.hold_again";
  call.deadline = world.executor.now() + milliseconds(10);
  size_t answers = 0;
  CHECK(world.host->call(std::move(call), [&](ToolResult) { ++answers; }).ok());
  world.executor.advance(milliseconds(10));
  world.executor.advance(milliseconds(1000));
  CHECK(answers == 1);

  ToolCall past;
  past.id = 6;
  past.tool = "stray.echo";
  past.deadline = world.executor.now();
  Outcome outcome = Outcome::done;
  CHECK(
      world.host->call(std::move(past), [&](ToolResult result) { outcome = result.outcome; }).ok());
  CHECK(outcome == Outcome::retry);
}

TEST_CASE("host: a cancel reaches the plugin, and the truth still comes") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold").ok());
  world.host->cancel(1);
  world.host->cancel(99);
  CHECK(world.ask("cancels") == "1 ");
  CHECK(world.ask("progress_held") == "8");  // CANCELLED
  world.ask("finish_held");
  world.executor.settle();
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::done);
}

TEST_CASE("host: progress reaches the observer, the latest once a round") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold").ok());
  CHECK(world.ask("progress_held") == "0");
  CHECK(world.ask("progress_held") == "0");
  world.executor.settle();
  REQUIRE_FALSE(world.observer.progress.empty());
  CHECK(world.observer.progress.back() == "1 250 a quarter");
}

TEST_CASE("host: stopping lets open calls finish and takes no new ones") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "work", cbor_map({{"a", 1}})).ok());
  CHECK(world.stop(seconds(5)).empty());
  REQUIRE(world.results[1].size() == 1);
  CHECK(world.results[1][0].outcome == Outcome::done);
  CHECK(world.begin(2, "echo").error().code == ErrorCode::closed);
}

TEST_CASE("host: what does not finish in time is named, settled, and left behind") {
  World world;
  world.start_stray();
  CHECK(world.begin(1, "hold").ok());
  CHECK(world.begin(2, "hold").ok());
  const std::vector<std::string> unfinished = world.stop(milliseconds(100));
  CHECK(unfinished == std::vector<std::string>{"stray: 2 calls did not finish"});
  CHECK(world.results[1].size() == 1);
  CHECK(world.results[2].size() == 1);
  CHECK(world.results[2][0].outcome == Outcome::unknown);
  CHECK(world.info().state == InstanceState::quarantined);
}
