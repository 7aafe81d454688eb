#include "codec/records.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/crc32c.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

Event full_event() {
  Event event;
  event.sequence = Sequence(1042);
  event.type = "sysinfo.reading";
  event.source = "limpet/gateway-7";
  event.id = "7k2m9qxc-1042";
  event.subject = "board";
  event.time = WallTime{1784023496123456789};
  event.content_type = "application/json";
  event.data_schema = "https://example.org/reading";
  event.correlation = "7k2m9qxc-1";
  event.causation = "7k2m9qxc-1041";
  event.run = RunId(17);
  event.tenant = "plant-3";
  event.principal = "uid:1000";
  event.trace_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  event.extensions = cbor_map({{"severity", 3}});
  event.data = cbor_map({{"load", 0.25}, {"note", "calm"}});
  event.retention_class = 15;
  return event;
}

Event small_event() {
  Event event;
  event.sequence = Sequence(1);
  event.type = "a";
  event.source = "b";
  return event;
}

ByteVector record_of(const Event& event) {
  ByteVector buffer(event_record_size(view(event)));
  const Result<ByteSpan> record = encode_event(view(event), buffer);
  REQUIRE(record.ok());
  REQUIRE(record->size() == buffer.size());
  return buffer;
}

void check_same(const Event& a, const Event& b) {
  CHECK(a.sequence == b.sequence);
  CHECK(a.type == b.type);
  CHECK(a.source == b.source);
  CHECK(a.id == b.id);
  CHECK(a.subject == b.subject);
  CHECK(a.time == b.time);
  CHECK(a.content_type == b.content_type);
  CHECK(a.data_schema == b.data_schema);
  CHECK(a.correlation == b.correlation);
  CHECK(a.causation == b.causation);
  CHECK(a.run == b.run);
  CHECK(a.tenant == b.tenant);
  CHECK(a.principal == b.principal);
  CHECK(a.trace_parent == b.trace_parent);
  CHECK(a.extensions == b.extensions);
  CHECK(a.data == b.data);
  CHECK(a.retention_class == b.retention_class);
}

Run full_run() {
  Run run;
  run.id = RunId(1042);
  run.agent = "watchdog";
  run.key = "board";
  run.state = RunState::paused;
  run.reason = "unknown_outcome";
  run.state_version = 3;
  run.state_parts = 2;
  run.created = WallTime{1};
  run.updated = WallTime{UINT64_MAX};
  run.turns = 4;
  run.steps = UINT32_MAX;
  run.steps_open = 2;
  run.steps_unknown = 1;
  run.epoch = Epoch(0x123456789a);
  run.inbox_events = 3;
  run.inbox_bytes = 5000000000;
  run.ready_at_ms = 1784023496123;
  run.ready_ticket = 11;
  run.turn_attempts = 2;
  run.deadline = WallTime{99};
  run.correlation = "c";
  run.tenant = "t";
  run.principal = "token:ops";
  run.priority = 0;
  run.input = Sequence(1041);
  run.output = Sequence(1050);
  return run;
}

Step full_step() {
  Step step;
  step.ordinal = Ordinal(7);
  step.name = "tell";
  step.kind = StepKind::timer;
  step.state = StepState::unknown;
  step.tool = "notify.write";
  step.arguments = cbor_map({{"text", "load is high"}});
  step.due = WallTime{123456789};
  step.attempt = 2;
  step.ready_at_ms = 1784023496123;
  step.ready_ticket = 12;
  step.outcome = Outcome::retry;
  step.error = "busy";
  step.started = Sequence(5);
  step.finished = Sequence(6);
  return step;
}

// A sealed record around any body, to play a version that this code does not know.
ByteVector sealed(uint8_t version, uint64_t context, const ByteVector& body) {
  ByteVector covered;
  for (int shift = 56; shift >= 0; shift -= 8) {
    covered.push_back(static_cast<uint8_t>(context >> shift));
  }
  covered.push_back(version);
  covered.insert(covered.end(), body.begin(), body.end());
  const uint32_t crc = crc32c(0, covered);
  ByteVector record = {version};
  for (int shift = 0; shift < 32; shift += 8) {
    record.push_back(static_cast<uint8_t>(crc >> shift));
  }
  record.insert(record.end(), body.begin(), body.end());
  return record;
}

}  // namespace

TEST_CASE("event record: every attribute survives the round trip") {
  for (const Event& event : {full_event(), small_event()}) {
    const ByteVector record = record_of(event);
    const Result<EventView> decoded = decode_event(record, event.sequence);
    REQUIRE(decoded.ok());
    check_same(own(*decoded), event);
  }
}

TEST_CASE("event record: absent attributes cost nothing") {
  CHECK(record_of(small_event()).size() == record_header_bytes + 1 + 3 + 3);
}

TEST_CASE("event record: the largest event fits its limit") {
  Event event = full_event();
  event.data = cbor_item(ByteVector(limits::event_data_bytes_max - 3));
  CHECK(event_record_size(view(event)) <= limits::event_record_bytes_max);
  const ByteVector record = record_of(event);
  REQUIRE(decode_event(record, event.sequence).ok());
}

TEST_CASE("event record: a buffer one byte too small is refused") {
  const Event event = full_event();
  const size_t size = event_record_size(view(event));
  for (size_t less = 1; less <= size; ++less) {
    ByteVector buffer(size - less);
    CHECK(encode_event(view(event), buffer).error().code == ErrorCode::too_large);
  }
}

TEST_CASE("event record: truncation at every byte is noticed") {
  const ByteVector record = record_of(full_event());
  for (size_t size = 0; size < record.size(); ++size) {
    const Result<EventView> decoded = decode_event(ByteSpan(record).first(size), Sequence(1042));
    CHECK_FALSE(decoded.ok());
    CHECK(decoded.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("event record: a flipped bit at every position is noticed") {
  ByteVector record = record_of(full_event());
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    record[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    CHECK(decode_event(record, Sequence(1042)).error().code == ErrorCode::corrupt);
    record[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
  CHECK(decode_event(record, Sequence(1042)).ok());
}

TEST_CASE("event record: a record under another sequence is noticed") {
  const ByteVector record = record_of(full_event());
  CHECK(decode_event(record, Sequence(1043)).error().code == ErrorCode::corrupt);
  CHECK(decode_event(record, Sequence(1042 + (uint64_t{1} << 56))).error().code ==
        ErrorCode::corrupt);
}

TEST_CASE("event record: keys of a later minor version are passed over") {
  // {1: "a", 200: [1, {"x": 2}], 2: "b"}
  const ByteVector body = {0xa3, 0x01, 0x61, 'a',  0x18, 200,  0x82, 0x01,
                           0xa1, 0x61, 'x',  0x02, 0x02, 0x61, 'b'};
  const ByteVector record = sealed(0x13, 9, body);
  const Result<EventView> decoded = decode_event(record, Sequence(9));
  REQUIRE(decoded.ok());
  CHECK(decoded->type == "a");
  CHECK(decoded->source == "b");
}

TEST_CASE("event record: another major version is unsupported, not corrupt") {
  const ByteVector record = sealed(0x20, 9, {0xa0});
  CHECK(decode_event(record, Sequence(9)).error().code == ErrorCode::unsupported);
}

TEST_CASE("event record: a sealed body that is no map of our keys is corrupt") {
  for (const ByteVector& body :
       {ByteVector{}, ByteVector{0x80}, ByteVector{0xa1, 0x01}, ByteVector{0xa1, 0x01, 0x01},
        ByteVector{0xa0, 0x00}, ByteVector{0xa1, 0x61, 'a', 0x01}}) {
    CHECK(decode_event(sealed(0x10, 9, body), Sequence(9)).error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("event record: seeded garbage, sealed or not, never goes astray") {
  std::mt19937 random(42);
  for (int round = 0; round < 100000; ++round) {
    ByteVector garbage(random() % 64);
    for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random());
    CHECK_FALSE(decode_event(garbage, Sequence(1)).ok());
    if (!garbage.empty()) garbage[0] = static_cast<uint8_t>(0xa0 | (random() % 16));
    const Result<EventView> decoded = decode_event(sealed(0x10, 1, garbage), Sequence(1));
    if (decoded.ok()) CHECK(decoded->sequence == Sequence(1));
  }
}

TEST_CASE("run record: every field survives the round trip") {
  for (const Run& run : {full_run(), Run{}}) {
    const Result<ByteVector> record = encode_run(run);
    REQUIRE(record.ok());
    const Result<Run> decoded = decode_run(*record);
    REQUIRE(decoded.ok());
    // Equal bytes show that nothing is lost; the fields, that none is taken for another.
    CHECK(*encode_run(*decoded) == *record);
    CHECK(decoded->id == run.id);
    CHECK(decoded->agent == run.agent);
    CHECK(decoded->key == run.key);
    CHECK(decoded->state == run.state);
    CHECK(decoded->reason == run.reason);
    CHECK(decoded->state_version == run.state_version);
    CHECK(decoded->state_parts == run.state_parts);
    CHECK(decoded->created == run.created);
    CHECK(decoded->updated == run.updated);
    CHECK(decoded->turns == run.turns);
    CHECK(decoded->steps == run.steps);
    CHECK(decoded->steps_open == run.steps_open);
    CHECK(decoded->steps_unknown == run.steps_unknown);
    CHECK(decoded->epoch == run.epoch);
    CHECK(decoded->inbox_events == run.inbox_events);
    CHECK(decoded->inbox_bytes == run.inbox_bytes);
    CHECK(decoded->ready_at_ms == run.ready_at_ms);
    CHECK(decoded->ready_ticket == run.ready_ticket);
    CHECK(decoded->turn_attempts == run.turn_attempts);
    CHECK(decoded->deadline == run.deadline);
    CHECK(decoded->correlation == run.correlation);
    CHECK(decoded->tenant == run.tenant);
    CHECK(decoded->principal == run.principal);
    CHECK(decoded->priority == run.priority);
    CHECK(decoded->input == run.input);
    CHECK(decoded->output == run.output);
  }
}

TEST_CASE("step record: every field survives the round trip") {
  for (const Step& step : {full_step(), Step{}}) {
    const Result<ByteVector> record = encode_step(step);
    REQUIRE(record.ok());
    const Result<Step> decoded = decode_step(*record);
    REQUIRE(decoded.ok());
    CHECK(*encode_step(*decoded) == *record);
    CHECK(decoded->ordinal == step.ordinal);
    CHECK(decoded->name == step.name);
    CHECK(decoded->kind == step.kind);
    CHECK(decoded->state == step.state);
    CHECK(decoded->tool == step.tool);
    CHECK(decoded->arguments == step.arguments);
    CHECK(decoded->due == step.due);
    CHECK(decoded->attempt == step.attempt);
    CHECK(decoded->ready_at_ms == step.ready_at_ms);
    CHECK(decoded->ready_ticket == step.ready_ticket);
    CHECK(decoded->outcome == step.outcome);
    CHECK(decoded->error == step.error);
    CHECK(decoded->started == step.started);
    CHECK(decoded->finished == step.finished);
  }
}

TEST_CASE("run and step records: truncation and flipped bits are noticed") {
  const ByteVector run = *encode_run(full_run());
  const ByteVector step = *encode_step(full_step());
  for (size_t size = 0; size < run.size(); ++size) {
    CHECK_FALSE(decode_run(ByteSpan(run).first(size)).ok());
  }
  for (size_t size = 0; size < step.size(); ++size) {
    CHECK_FALSE(decode_step(ByteSpan(step).first(size)).ok());
  }
  for (size_t bit = 0; bit < run.size() * 8; ++bit) {
    ByteVector changed = run;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    CHECK_FALSE(decode_run(changed).ok());
  }
}

TEST_CASE("run and step records: one is not taken for the other") {
  CHECK_FALSE(decode_run(*encode_step(full_step())).ok());
  CHECK_FALSE(decode_step(*encode_run(full_run())).ok());
  CHECK_FALSE(decode_event(*encode_run(full_run()), Sequence(1042)).ok());
}

TEST_CASE("run record: an enumerator or number out of range is corrupt, a later key is not") {
  constexpr uint64_t run_context = 0x72756e0000000000;
  const ByteVector state_unknown = {0xa1, 0x04, 0x18, 200};
  CHECK(decode_run(sealed(0x10, run_context, state_unknown)).error().code == ErrorCode::corrupt);
  const ByteVector turns_too_many = {0xa1, 0x0a, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0};
  CHECK(decode_run(sealed(0x10, run_context, turns_too_many)).error().code == ErrorCode::corrupt);
  const ByteVector later_key = {0xa2, 0x18, 99, 0x80, 0x02, 0x61, 'a'};
  const Result<Run> later = decode_run(sealed(0x11, run_context, later_key));
  REQUIRE(later.ok());
  CHECK(later->agent == "a");
}
