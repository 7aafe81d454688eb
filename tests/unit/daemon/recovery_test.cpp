// What is found after a crash between any two commits.

#include <doctest/doctest.h>

#include <map>

#include "tests/unit/daemon/house_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

struct Shop : HouseFixture {
  std::map<std::string, int> acts;  // by idempotency key; no crash forgets what was done

  explicit Shop(ToolHints hints) {
    host.add_tool("t.act", hints).act = [this](const host::ToolCall& call) {
      ++acts[call.key];
      return tool_result(Outcome::done);
    };
    add_agent("buyer", [](const SeenTurn& seen, Decide& decide) {
      decide.state(seen.count + 1);
      if (seen.type == "job.new") decide.call("one", "t.act");
      if (seen.step == "one") decide.timer("pause", 0);
      if (seen.step == "pause") {
        decide.emit("job.done");
        decide.complete();
      }
    });
    add_trigger("buyer", "job.new", "{subject}");
  }
};

// Lets `commits` more changes reach the disk, then no more; what memory did beyond is forgotten.
void run_commits(Shop& shop, int commits) {
  for (int index = 0; index < commits; ++index) {
    const uint64_t before = shop.life->store->info().writer.changes;
    for (int part = 0; part < 6 && shop.life->store->info().writer.changes == before; ++part) {
      if (part % 3 == 0) shop.life->timers.pump();
      if (part % 3 == 1) shop.life->turns.pump();
      if (part % 3 == 2) shop.life->calls.pump();
      shop.wait_writer();
      shop.life->store->deliver();
      shop.wait_writer();
    }
  }
}

}  // namespace

TEST_CASE("recovery: a crash after any commit, heard of or not, and the run still finishes once") {
  for (const ToolHints hints : {acts_once, reads_only}) {
    for (int commits = 0; commits < 9; ++commits) {
      CAPTURE(commits);
      CAPTURE(hints.read_only);
      Shop shop(hints);
      shop.host.tool("t.act").info.has_lookup = true;
      shop.host.tool("t.act").look = [&shop](const host::ToolCall& call) {
        return tool_result(shop.acts.contains(call.key) ? Outcome::done : Outcome::retry);
      };
      REQUIRE(shop.open());
      shop.ingest("job.new", "a");
      shop.wait_writer();
      run_commits(shop, commits);
      REQUIRE(shop.restart());
      CHECK(shop.faults() == "");
      for (int round = 0; round < 5; ++round) {
        REQUIRE(shop.settle());
        shop.advance(seconds(2));
      }
      REQUIRE(shop.runs().size() == 1);
      CHECK(shop.runs()[0].state == RunState::completed);
      CHECK(shop.log("job.done").size() == 1);
      CHECK(shop.log("limpet.step.finished").size() == 2);
      REQUIRE(shop.acts.size() == 1);
      if (!hints.read_only) CHECK(shop.acts.begin()->second == 1);
      CHECK(shop.faults() == "");
    }
  }
}

TEST_CASE("recovery: what was not yet on disk when the power went has never been") {
  for (int commits = 0; commits < 9; ++commits) {
    CAPTURE(commits);
    Shop shop(reads_only);
    REQUIRE(shop.open());
    shop.ingest("job.new", "a");
    shop.wait_writer();
    run_commits(shop, commits);
    shop.break_disk();
    static_cast<void>(shop.step());
    static_cast<void>(shop.step());
    REQUIRE(shop.restart());
    CHECK(shop.faults() == "");
    REQUIRE(shop.settle());
    CHECK(shop.log("job.new").size() == 1);
    CHECK(shop.log("job.done").size() == 1);
    CHECK(shop.runs()[0].state == RunState::completed);
    CHECK(shop.faults() == "");
  }
}

TEST_CASE("recovery: a recorded result is not executed again") {
  Shop shop(reads_only);
  REQUIRE(shop.open());
  shop.ingest("job.new", "a");
  shop.life->store->drain();
  shop.life->turns.pump();
  shop.life->store->drain();
  shop.life->calls.pump();
  REQUIRE(shop.restart());
  CHECK(shop.log("limpet.step.finished").size() == 1);
  REQUIRE(shop.settle());
  CHECK(shop.host.calls.size() == 1);
  CHECK(shop.runs()[0].state == RunState::completed);
}

TEST_CASE("recovery: a repeatable call without a result runs again with the same key and attempt") {
  Shop shop(reads_only);
  shop.host.tool("t.act").slow = true;
  REQUIRE(shop.open());
  shop.ingest("job.new", "a");
  REQUIRE(shop.settle());
  REQUIRE(shop.host.calls.size() == 1);
  shop.host.tool("t.act").slow = false;
  REQUIRE(shop.restart());
  REQUIRE(shop.settle());
  REQUIRE(shop.host.calls.size() == 2);
  CHECK(shop.host.calls[0].key == shop.host.calls[1].key);
  CHECK(shop.host.calls[1].attempt == 1);
  CHECK(shop.runs()[0].state == RunState::completed);
  CHECK(shop.faults() == "");
}

namespace {

// A call of a tool that acts once, interrupted by a crash after it had begun.
struct Interrupted : Shop {
  Interrupted() : Shop(acts_once) {
    host.tool("t.act").slow = true;
    if (!open()) return;
    ingest("job.new", "a");
    if (!settle()) return;
    host.tool("t.act").slow = false;
    host.tool("t.act").info.has_lookup = true;
  }
  void look(const Result<host::ToolResult>& answer) {
    host.tool("t.act").look = [answer](const host::ToolCall&) { return answer; };
  }
};

}  // namespace

TEST_CASE("recovery: a lookup that says done ends the step without another call") {
  Interrupted shop;
  shop.look(tool_result(Outcome::done));
  REQUIRE(shop.restart());
  REQUIRE(shop.settle());
  CHECK(shop.host.calls.size() == 1);
  REQUIRE(shop.host.lookups.size() == 1);
  CHECK(shop.host.lookups[0].key == shop.host.calls[0].key);
  CHECK(shop.runs()[0].state == RunState::completed);
  CHECK(shop.faults() == "");
}

TEST_CASE("recovery: a lookup that says it did not happen has it called again with the same key") {
  Interrupted shop;
  shop.look(tool_result(Outcome::retry));
  REQUIRE(shop.restart());
  REQUIRE(shop.settle());
  shop.advance(seconds(2));
  REQUIRE(shop.settle());
  REQUIRE(shop.host.calls.size() == 2);
  CHECK(shop.host.calls[1].key == shop.host.calls[0].key);
  CHECK(shop.host.calls[1].attempt == 2);
  CHECK(shop.runs()[0].state == RunState::completed);
  CHECK(shop.faults() == "");
}

TEST_CASE("recovery: without an answer the step is parked, never run again in silence") {
  enum class Lookup { none, unknown, error, no_tool };
  for (const Lookup lookup : {Lookup::none, Lookup::unknown, Lookup::error, Lookup::no_tool}) {
    CAPTURE(static_cast<int>(lookup));
    Interrupted shop;
    if (lookup == Lookup::none) shop.host.tool("t.act").info.has_lookup = false;
    if (lookup == Lookup::unknown) shop.look(tool_result(Outcome::unknown));
    if (lookup == Lookup::error) shop.look(Error{ErrorCode::timeout, "host: lookup"});
    if (lookup == Lookup::no_tool) shop.host.remove_tool("t.act");
    for (int life = 0; life < 3; ++life) {
      REQUIRE(shop.restart());
      REQUIRE(shop.settle());
      shop.advance(seconds(1000));
    }
    CHECK(shop.host.calls.size() == 1);
    CHECK(shop.runs()[0].state == RunState::paused);
    CHECK(shop.runs()[0].reason == "unknown_outcome");
    CHECK(shop.log("limpet.step.unknown").size() == 1);
    CHECK(shop.faults() == "");
    // And a person can still settle it.
    shop.life->calls.resolve({shop.runs()[0].id, Ordinal(1), Outcome::done, {}, {}, "uid:7"},
                             [](const api::Answer<std::monostate>&) {});
    REQUIRE(shop.settle());
    CHECK(shop.runs()[0].state == RunState::completed);
    CHECK(shop.faults() == "");
  }
}

TEST_CASE(
    "recovery: a result that came while the disk was dying leaves the step unknown, not done") {
  Interrupted shop;
  shop.host.tool("t.act").info.has_lookup = false;
  shop.break_disk();
  shop.host.finish(shop.host.open()[0].id, tool_result(Outcome::done));
  static_cast<void>(shop.step());
  REQUIRE(shop.restart());
  REQUIRE(shop.settle());
  CHECK(shop.host.calls.size() == 1);
  CHECK(shop.runs()[0].state == RunState::paused);
  CHECK(shop.faults() == "");
}
