#include <doctest/doctest.h>

#include "step_executor.hpp"

using namespace limpet;
using namespace limpet::host;
using namespace limpet::host::test;
using codec::cbor_map;

namespace {

class FakeReader final : public TurnReader {
 public:
  std::optional<ByteVector> read(Sequence sequence) override {
    if (sequence != Sequence(3)) return std::nullopt;
    return cbor_map({{"type", "test.read"}});
  }
  ByteVector catalog(std::string_view pattern) override {
    CHECK(pattern == "stray.*");
    return cbor_map({{"tools", 1}});  // shaped like a decision, so that it comes back
  }
};

Decision decide(World& world, const char* how, uint32_t state_version = 0,
                TurnReader* reader = nullptr) {
  const ByteVector event = cbor_map({{"type", "test.event"}, {"data", how}});
  Turn turn;
  turn.instance = "stray";
  turn.agent = "watch";
  turn.run = "run-1";
  turn.event = event;
  turn.state_version = state_version;
  turn.reader = reader;
  return world.host->turn(turn);
}

}  // namespace

TEST_CASE("host: a turn brings back one CBOR map") {
  World world;
  world.start_stray();
  const Decision decision = decide(world, "");
  CHECK(decision.status.ok());
  CHECK(decision.bytes == cbor_map({{"version", 3}}));
  CHECK(world.counters().turns == 1);
}

TEST_CASE("host: a turn that fails, throws or decides garbage is an error with a sentence") {
  World world;
  world.start_stray();
  const Decision failed = decide(world, "fail");
  CHECK(failed.status.error().code == ErrorCode::plugin);
  CHECK(failed.error == "turn() says: cannot decide");
  CHECK(decide(world, "throw").error == "turn() threw an exception");
  CHECK(decide(world, "garbage").error.find("the decision was refused: ") == 0);
  CHECK(decide(world, "text").error == "the decision was refused: it is not a map");
  CHECK(decide(world, "gigabyte").status.error().code == ErrorCode::plugin);
  CHECK(world.counters().errors == 5);
  CHECK(world.counters().garbage == 3);
  CHECK(decide(world, "").status.ok());
}

TEST_CASE("host: states that the agent does not read are refused before it runs") {
  World world;
  world.start_stray();
  CHECK(decide(world, "", 2).status.ok());
  CHECK(decide(world, "", 3).status.ok());
  const Decision old = decide(world, "", 1);
  CHECK(old.status.error().code == ErrorCode::unsupported);
  CHECK(old.error == "the run's state has version 1, the plugin reads 2 to 3");
  CHECK(decide(world, "", 4).status.error().code == ErrorCode::unsupported);
}

TEST_CASE("host: an agent reads its run's events and the catalog, in its own turn only") {
  World world;
  world.start_stray();
  FakeReader reader;
  CHECK(decide(world, "read", 3, &reader).bytes == cbor_map({{"type", "test.read"}}));
  CHECK(decide(world, "read", 2, &reader).error == "turn() says: not found");
  CHECK(decide(world, "catalog", 0, &reader).bytes == cbor_map({{"tools", 1}}));
  CHECK(decide(world, "catalog").error == "the decision was refused: it is not a map");
  CHECK(world.counters().violations == 0);
  CHECK(decide(world, "read_other", 0, &reader).error == "turn() says: called in the wrong state");
  CHECK(world.ask("read_outside") == "10");  // WRONG_STATE
  CHECK(world.counters().violations == 2);
}

TEST_CASE("host: a turn needs an instance that is there and has agents") {
  World world;
  world.start_stray();
  Turn turn;
  turn.instance = "none";
  CHECK(world.host->turn(turn).status.error().code == ErrorCode::not_found);
  CHECK(world.stop(seconds(1)).empty());
  turn.instance = "stray";
  CHECK(world.host->turn(turn).status.error().code == ErrorCode::closed);
}
