#include <doctest/doctest.h>

#include "host/emission_queue.hpp"
#include "step_executor.hpp"

using namespace limpet;
using namespace limpet::host;
using namespace limpet::host::test;
using codec::cbor_map;

namespace {

// One emit of `event`; the answer as a digit.
std::string emit(World& world, const ByteVector& event, uint64_t token = 0,
                 const std::string& position = "", uint64_t times = 1) {
  return world.ask(
      "emit",
      cbor_map({{"event", event}, {"token", token}, {"position", position}, {"times", times}}));
}

ByteVector reading(int value) { return cbor_map({{"type", "stray.reading"}, {"data", value}}); }

}  // namespace

TEST_CASE("host: an emitted event reaches the observer whole, with its position") {
  World world;
  world.start_stray();
  const ByteVector event = cbor_map({{"type", "stray.reading"},
                                     {"subject", "cpu"},
                                     {"id", "r-1"},
                                     {"time", uint64_t{1700000000000000000}},
                                     {"correlationid", "c"},
                                     {"data", 42}});
  CHECK(emit(world, event, 0, "line 7") == "0");
  world.executor.settle();
  REQUIRE(world.observer.emissions.size() == 1);
  const Emission& emission = world.observer.emissions[0];
  CHECK(emission.id == 1);
  CHECK(emission.instance == "stray");
  CHECK(emission.event.type == "stray.reading");
  CHECK(emission.event.subject == "cpu");
  CHECK(emission.event.id == "r-1");
  CHECK(emission.event.time == WallTime{1700000000000000000});
  CHECK(emission.event.correlation == "c");
  CHECK(emission.event.data == ByteVector{0x18, 42});
  CHECK(emission.event.source.empty());
  CHECK(as_text(emission.position) == "line 7");
  CHECK(world.counters().events == 1);
}

TEST_CASE("host: events that are not what they must be are refused at once and counted") {
  World world;
  world.start_stray();
  const ByteVector odd[] = {
      {},
      {0xff},
      {0x01},
      cbor_map({{"data", 1}}),
      cbor_map({{"type", "stray.unlisted"}, {"data", 1}}),
      cbor_map({{"type", 7}}),
      cbor_map({{"type", "stray.reading"}, {"colour", "red"}}),
      cbor_map({{"type", "stray.reading"}, {"time", "noon"}}),
      cbor_map({{"type", "stray.reading"}, {"subject", std::string(600, 's')}}),
      cbor_map({{"type", "stray.reading"}, {"data", std::string(65536, 'd')}}),
  };
  for (const ByteVector& event : odd) CHECK(emit(world, event) == "2");
  CHECK(emit(world, reading(1), 0, std::string(257, 'p')) == "2");
  world.executor.settle();
  CHECK(world.observer.emissions.empty());
  CHECK(world.counters().garbage == 11);
}

TEST_CASE("host: credit bounds what waits, and comes back when it is settled") {
  World world;
  world.start_stray();
  CHECK(emit(world, reading(1), 0, "", 256) == std::string(256, '0'));
  CHECK(emit(world, reading(2), 0, "", 3) == "111");  // FULL
  CHECK(world.counters().emits_full == 3);
  world.executor.settle();
  CHECK(world.observer.emissions.size() == 256);
  CHECK(emit(world, reading(3)) == "1");  // taken is not yet on disk
  world.host->settled("stray", 1, {});
  CHECK(emit(world, reading(4)) == "0");
  CHECK(emit(world, reading(5)) == "1");
}

TEST_CASE("host: credit counts bytes as well") {
  World world;
  world.start_stray();
  const ByteVector large =
      cbor_map({{"type", "stray.reading"}, {"data", std::string(64 * 1024 - 64, 'x')}});
  const std::string answers = emit(world, large, 0, "", 20);
  CHECK(answers == std::string(16, '0') + std::string(4, '1'));
}

TEST_CASE("host: an observer that is full is offered the same event again, in order") {
  World world;
  world.start_stray();
  world.observer.room = 2;
  for (int value = 1; value <= 4; ++value) CHECK(emit(world, reading(value)) == "0");
  world.executor.settle();
  CHECK(world.observer.emissions.size() == 2);
  world.observer.room = 3;
  world.executor.advance(milliseconds(19));
  CHECK(world.observer.emissions.size() == 2);
  world.executor.advance(milliseconds(1));
  CHECK(world.observer.emissions.size() == 3);
  world.observer.room = 4;
  world.host->settled("stray", 1, {});
  world.executor.settle();
  REQUIRE(world.observer.emissions.size() == 4);
  for (size_t index = 0; index < 4; ++index) {
    CHECK(world.observer.emissions[index].id == index + 1);
  }
}

TEST_CASE("host: the plugin learns the fate of events with a token, in order") {
  World world;
  world.start_stray();
  CHECK(emit(world, reading(1), 11) == "0");
  CHECK(emit(world, reading(2), 0) == "0");
  CHECK(emit(world, reading(3), 13) == "0");
  CHECK(emit(world, reading(4), 14) == "0");
  world.executor.settle();
  world.host->settled("stray", 1, {});
  world.host->settled("stray", 2, {});
  world.host->settled("stray", 3, Error{ErrorCode::denied, "test"});
  world.host->settled("stray", 4, Error{ErrorCode::full, "test"});
  world.host->settled("stray", 4, {});
  world.host->settled("none", 1, {});
  CHECK(world.ask("settlements") == "11:0 13:5 14:1 ");
}

TEST_CASE("host: a source begins where its last committed position was") {
  World world;
  world.start_stray({}, "line 41");
  CHECK(world.ask("position") == "line 41");
}

TEST_CASE("host: stopping waits until what was taken is settled") {
  World world;
  world.start_stray();
  CHECK(emit(world, reading(1), 5) == "0");
  world.executor.settle();
  bool stopped = false;
  StepExecutor& executor = world.executor;
  world.host->stop(executor.now() + seconds(5), [&](std::vector<std::string>) { stopped = true; });
  executor.settle();
  CHECK_FALSE(stopped);
  world.host->settled("stray", 1, {});
  executor.settle();
  CHECK(stopped);
  world.forget_stop();
}

TEST_CASE("host: an event that is never settled does not hold up the stop for ever") {
  World world;
  world.start_stray();
  CHECK(emit(world, reading(1), 5) == "0");
  world.executor.settle();
  CHECK(world.stop(seconds(1)).empty());
  CHECK(world.observer.states.back() == "stray stopped");
}
