#include "store/task_record.hpp"

#include <doctest/doctest.h>

#include <array>

#include "codec/cbor.hpp"
#include "store/queue_record.hpp"
#include "store/task_event.hpp"

using namespace limpet;
using namespace limpet::store;

TEST_CASE("task record: facts are read as they were written") {
  TaskFacts facts;
  facts.lane = {17, 3, 9};
  facts.ready_at = 1767225600123;
  facts.group = group_hash("machine 4");
  facts.group_name = "machine 4";
  facts.key = "k-1";
  facts.expires_at = 1767225700000;
  facts.step = Ordinal(12);
  facts.once = true;
  ByteVector bytes;
  encode_task_facts(facts, bytes);
  CHECK(codec::validate(bytes).ok());
  const std::optional<TaskFacts> read = parse_task_facts(bytes);
  REQUIRE(read);
  CHECK(read->lane == facts.lane);
  CHECK(read->ready_at == facts.ready_at);
  CHECK(read->group == facts.group);
  CHECK(read->group_name == "machine 4");
  CHECK(read->key == "k-1");
  CHECK(read->expires_at == facts.expires_at);
  CHECK(read->step == Ordinal(12));
  CHECK(read->once);
  CHECK(place_of(*read, Sequence(5)).ticket == 5);
}

TEST_CASE("task record: what is not a task's, or is cut, is not read as one") {
  CHECK_FALSE(parse_task_facts({}));
  ByteVector bytes;
  encode_task_facts({{17, 0, 5}, 1000}, bytes);
  REQUIRE(parse_task_facts(bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parse_task_facts(ByteSpan(bytes).first(size)));
  }
  ByteVector internal;
  encode_task_facts({{2, 0, 5}, 1000}, internal);  // a queue of the runtime
  CHECK_FALSE(parse_task_facts(internal));
}

TEST_CASE("task record: a state without news takes no room") {
  std::array<uint8_t, task_state_bytes> buffer;
  CHECK(encode_task_state({}, buffer).empty());
  const TaskState state{3, 1767225600123, 2, 1767225500000};
  CHECK(parse_task_state(encode_task_state(state, buffer)) == state);
  CHECK(parse_task_state({}) == TaskState());
  CHECK_FALSE(parse_task_state(ByteSpan(buffer).first(5)));
  buffer[0] = 9;
  CHECK_FALSE(parse_task_state(buffer));
}

TEST_CASE("task record: a group's row knows the place and the state") {
  std::array<uint8_t, group_row_bytes_max> buffer;
  const ReadyPlace place{{17, 3, 2}, 1767225600123, 77};
  const GroupPlace key{17, 1234, Sequence(77)};
  const ByteSpan plain = encode_group_row({place, {}}, buffer);
  CHECK(plain.size() == 9);
  REQUIRE(parse_group_row(key, plain));
  CHECK(parse_group_row(key, plain)->lane == place.lane);
  CHECK(parse_group_row(key, plain)->ready_at == place.ready_at);
  CHECK(parse_group_row(key, plain)->ticket == 77);
  CHECK(parse_group_state(plain) == TaskState());
  const TaskState state{0, 0, 4, 99};
  const ByteSpan again = encode_group_row({place, state}, buffer);
  CHECK(parse_group_state(again) == state);
  CHECK(parse_group_row(key, again)->ready_at == place.ready_at);
  CHECK_FALSE(parse_group_row(key, again.first(10)));
  CHECK_FALSE(parse_group_row(key, again.first(8)));
}

TEST_CASE("task record: a dead letter keeps its reason, its deaths and a bounded error") {
  DeadLetter letter{DeathReason::attempts, 5, 2, 1000, 2000, "no route"};
  const std::optional<DeadLetter> read = parse_dead_letter(encode_dead_letter(letter));
  REQUIRE(read);
  CHECK(read->reason == DeathReason::attempts);
  CHECK(read->attempts == 5);
  CHECK(read->deaths == 2);
  CHECK(read->first_death == 1000);
  CHECK(read->last_death == 2000);
  CHECK(read->error == "no route");
  letter.error.assign(5000, 'x');
  CHECK(parse_dead_letter(encode_dead_letter(letter))->error.size() == death_error_bytes_max);
  CHECK_FALSE(parse_dead_letter(ByteSpan(encode_dead_letter(letter)).first(10)));
  for (const DeathReason reason : {DeathReason::rejected, DeathReason::quarantined}) {
    CHECK(parse_death_reason(to_string(reason)) == reason);
  }
  CHECK_FALSE(parse_death_reason("bored"));
}

TEST_CASE("task record: the events of an end are one item each") {
  const TaskName name{Epoch(42), Sequence(7), "ocr"};
  ByteVector data;
  const ByteVector result = {0x63, 'y', 'e', 's'};
  encode_task_done(name, result, data);
  CHECK(codec::validate(data).ok());
  encode_task_dead(name, {DeathReason::expired, 1, 1, 5, 5, std::string(5000, 'x')}, data);
  CHECK(codec::validate(data).ok());
  CHECK(data.size() < 1000);
}

TEST_CASE("queue record: rows are read as they were written, and not when cut") {
  std::array<uint8_t, 32> buffer;
  const ByteSpan queue = encode_queue_record({300, 2}, buffer);
  CHECK(parse_queue_record(queue)->number == 300);
  CHECK(parse_queue_record(queue)->state == 2);
  CHECK_FALSE(parse_queue_record(queue.first(2)));
  const ByteSpan tenant = encode_tenant_record({7, 1234567, 1234567890123}, buffer);
  CHECK(parse_tenant_record(tenant)->number == 7);
  CHECK(parse_tenant_record(tenant)->tasks == 1234567);
  CHECK(parse_tenant_record(tenant)->bytes == 1234567890123);
  CHECK_FALSE(parse_tenant_record(tenant.first(17)));
  const ByteSpan key = encode_task_key_record({1767225600123, 0xfedcba9876543210}, buffer);
  CHECK(parse_task_key_record(key)->at == 1767225600123);
  CHECK(parse_task_key_record(key)->hash == 0xfedcba9876543210);
  CHECK_FALSE(parse_task_key_record(key.first(13)));
}
