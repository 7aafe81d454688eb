#include "run/records.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"

using namespace limpet;
using namespace limpet::run;

namespace {

Run make_run(uint64_t id) {
  Run run;
  run.id = RunId(id);
  run.epoch = Epoch(42);
  run.agent = "agent";
  return run;
}

// Text and numbers of a map, as text; other members by their kind's absence.
std::map<std::string, std::string> members_of(ByteSpan item) {
  std::map<std::string, std::string> members;
  codec::CborReader reader(item);
  for (size_t left = reader.map(); left > 0 && reader.ok(); --left) {
    const std::string key(reader.text());
    if (reader.peek() == codec::CborKind::text) {
      members[key] = reader.text();
    } else if (reader.peek() == codec::CborKind::uint) {
      members[key] = std::to_string(reader.uint());
    } else {
      members[key] = "?";
      reader.skip();
    }
  }
  CHECK(reader.finish().ok());
  return members;
}

using Members = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("records: an agent sees an event as one map, with an id even if it had none") {
  Event event;
  event.sequence = Sequence(12);
  event.type = "sensor.reading";
  event.source = "limpet/test";
  event.subject = "boiler";
  event.time = WallTime{5};
  event.correlation = "c-1";
  event.causation = "e-2";
  event.run = RunId(7);
  event.data = codec::cbor_map({{"level", 3}});
  const std::string epoch = to_string(Epoch(42));
  CHECK(members_of(event_for_agent(view(event), Epoch(42))) == Members{{"type", "sensor.reading"},
                                                                       {"source", "limpet/test"},
                                                                       {"subject", "boiler"},
                                                                       {"id", epoch + "-12"},
                                                                       {"time", "5"},
                                                                       {"sequence", "12"},
                                                                       {"epoch", epoch},
                                                                       {"correlationid", "c-1"},
                                                                       {"causationid", "e-2"},
                                                                       {"runid", epoch + "-7"},
                                                                       {"data", "?"}});
  event.id = "mine";
  CHECK(members_of(event_for_agent(view(event), Epoch(42)))["id"] == "mine");
}

TEST_CASE("records: what an event lacks is absent, not empty") {
  Event event;
  event.sequence = Sequence(1);
  event.type = "a";
  event.source = "b";
  const Members members = members_of(event_for_agent(view(event), Epoch(42)));
  for (const char* key : {"subject", "correlationid", "causationid", "runid", "data"}) {
    CHECK_FALSE(members.contains(key));
  }
}

TEST_CASE("records: the largest event still fits what an agent is given") {
  Event event;
  event.sequence = Sequence(UINT64_MAX);
  event.type = std::string(limits::event_type_bytes_max, 't');
  event.source = std::string(limits::event_attribute_bytes_max, 's');
  event.subject = event.source;
  event.id = event.source;
  event.correlation = event.source;
  event.causation = event.source;
  event.run = RunId(UINT64_MAX);
  event.time = WallTime{UINT64_MAX};
  event.data =
      codec::cbor_item(codec::CborScalar(std::string(limits::event_data_bytes_max - 5, 'd')));
  CHECK(event_for_agent(view(event), Epoch(epoch_mask)).size() > limits::event_data_bytes_max);
}

TEST_CASE("records: the largest results and outputs fit the data of their events") {
  const ByteVector item =
      codec::cbor_item(codec::CborScalar(std::string(limits::item_bytes_max - 5, 'v')));
  REQUIRE(item.size() <= limits::item_bytes_max);
  const std::string name(limits::step_name_bytes_max, 'n');
  Run run = make_run(UINT64_MAX);
  run.agent = std::string(limits::agent_name_bytes_max, 'a');
  run.key = std::string(limits::run_key_bytes_max, 'k');
  Step step;
  step.name = name;
  step.tool = std::string(limits::tool_name_bytes_max, 't');
  step.error = std::string(512, 'e');
  step.arguments = item;
  const Moment moment{WallTime{1}, Epoch(42)};
  const size_t largest = limits::event_data_bytes_max;
  CHECK(finished_event(run, step, {Outcome::failed, {}, item, {}}, moment).data.size() < largest);
  CHECK(started_event(run, step, moment).data.size() < largest);
  CHECK(ended_event(run, {RunState::failed, std::string(512, 'r'), item, {}}, moment).data.size() <
        largest);
  RunRequest request;
  request.cause = Sequence(UINT64_MAX);
  request.input = item;
  CHECK(created_event(run, request, moment).data.size() < largest);
}

TEST_CASE("records: the seed is the same for the same turn and another for every other") {
  CHECK(turn_seed(make_run(7), Sequence(9)) == turn_seed(make_run(7), Sequence(9)));
  std::set<uint64_t> seeds;
  for (uint64_t run = 1; run <= 50; ++run) {
    for (uint64_t event = 1; event <= 50; ++event) {
      seeds.insert(turn_seed(make_run(run), Sequence(event)));
    }
  }
  CHECK(seeds.size() == 2500);
  Run elsewhere = make_run(7);
  elsewhere.epoch = Epoch(43);
  CHECK(turn_seed(elsewhere, Sequence(9)) != turn_seed(make_run(7), Sequence(9)));
}
