#include "run/decision.hpp"

#include <doctest/doctest.h>

#include "base/limits.hpp"
#include "codec/cbor_builder.hpp"
#include "codec/cbor_value.hpp"

using namespace limpet;
using namespace limpet::run;
using codec::cbor_item;
using codec::cbor_map;
using codec::CborRaw;
using codec::CborScalar;

namespace {

ByteVector with_commands(const std::vector<ByteVector>& commands) {
  codec::CborBuilder builder(8 << 20);
  builder.begin_map();
  builder.text("commands");
  builder.begin_array();
  for (const ByteVector& command : commands) builder.raw(command);
  builder.end();
  builder.end();
  return std::move(builder.take()).value();
}

std::string refusal_of(const ByteVector& decision) {
  const codec::Explained<Decision> parsed = parse_decision(decision);
  if (parsed.ok()) return "taken";
  CHECK(parsed.error().code == ErrorCode::invalid);
  return parsed.detail();
}
std::string refusal_of_command(const ByteVector& command) {
  return refusal_of(with_commands({command}));
}

ByteVector text_of(size_t bytes) { return cbor_item(CborScalar(std::string(bytes, 'x'))); }

const ByteVector complete = cbor_map({{"do", "complete"}});

}  // namespace

TEST_CASE("decision: the empty map decides nothing") {
  const auto parsed = parse_decision(ByteVector{0xa0});
  REQUIRE(parsed.ok());
  CHECK_FALSE(parsed->has_state);
  CHECK(parsed->commands.empty());
}

TEST_CASE("decision: each command is read with all its members") {
  const ByteVector arguments = cbor_map({{"level", 3}});
  codec::CborBuilder builder(100000);
  builder.begin_map();
  builder.text("state");
  builder.raw(cbor_item(CborScalar(42)));
  builder.text("version");
  builder.uint(2);
  builder.text("commands");
  builder.raw(codec::cbor_array({
      CborRaw{cbor_map(
          {{"do", "call"}, {"as", "a-1._Z"}, {"tool", "t.x"}, {"arguments", CborRaw{arguments}}})},
      CborRaw{cbor_map({{"do", "call"}, {"as", "b"}, {"tool", "t.y"}})},
      CborRaw{cbor_map({{"do", "emit"}, {"type", "job.done"}, {"subject", "s"}, {"data", 7}})},
      CborRaw{cbor_map({{"do", "timer"}, {"as", "later"}, {"after_ms", 1500}})},
      CborRaw{cbor_map({{"do", "complete"}, {"output", "bye"}})},
  }));
  builder.end();
  const auto parsed = parse_decision(std::move(builder.take()).value());
  REQUIRE(parsed.ok());
  CHECK(parsed->has_state);
  CHECK(parsed->state == cbor_item(CborScalar(42)));
  CHECK(parsed->state_version == 2);
  REQUIRE(parsed->commands.size() == 5);
  const auto& call = std::get<CallCommand>(parsed->commands[0]);
  CHECK(call.name == "a-1._Z");
  CHECK(call.tool == "t.x");
  CHECK(call.arguments == arguments);
  CHECK(std::get<CallCommand>(parsed->commands[1]).arguments == ByteVector{0xa0});
  const auto& emit = std::get<EmitCommand>(parsed->commands[2]);
  CHECK(emit.type == "job.done");
  CHECK(emit.subject == "s");
  CHECK(emit.data == ByteVector{7});
  CHECK(std::get<TimerCommand>(parsed->commands[3]).after_ms == 1500);
  CHECK(std::get<CompleteCommand>(parsed->commands[4]).output == cbor_item("bye"));
  const auto failed =
      parse_decision(with_commands({cbor_map({{"do", "fail"}, {"reason", "no power"}})}));
  REQUIRE(failed.ok());
  CHECK(std::get<FailCommand>(failed->commands[0]).reason == "no power");
}

TEST_CASE("decision: what is not one item of our CBOR is refused whole") {
  const std::string refusal = "not one well-formed CBOR item";
  CHECK(refusal_of({}) == refusal);
  CHECK(refusal_of({0xff}) == refusal);
  CHECK(refusal_of({0xa0, 0xa0}) == refusal);
  CHECK(refusal_of({0xa1, 0x61, 0xff, 0x01}) == refusal);  // a key that is not UTF-8
  CHECK(refusal_of({0xbf, 0xff}) == refusal);              // of indefinite length
}

TEST_CASE("decision: no truncation of a good decision is taken, and none is read beyond its end") {
  const ByteVector good = with_commands(
      {cbor_map({{"do", "call"}, {"as", "one"}, {"tool", "t.x"}, {"arguments", CborRaw{}}}),
       cbor_map({{"do", "timer"}, {"as", "later"}, {"after_ms", 100000}}), complete});
  for (size_t size = 0; size < good.size(); ++size) {
    // A copy of its own, so that a sanitizer sees one byte too many.
    CHECK(refusal_of(ByteVector(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))) ==
          "not one well-formed CBOR item");
  }
}

TEST_CASE("decision: any single byte changed is taken or refused, never a crash") {
  const ByteVector good =
      with_commands({cbor_map({{"do", "call"}, {"as", "one"}, {"tool", "t.x"}}),
                     cbor_map({{"do", "emit"}, {"type", "a.b"}, {"data", 5}}), complete});
  size_t refused = 0;
  for (size_t index = 0; index < good.size(); ++index) {
    for (int value = 0; value < 256; ++value) {
      ByteVector changed = good;
      changed[index] = static_cast<uint8_t>(value);
      const auto parsed = parse_decision(changed);
      if (!parsed.ok()) {
        ++refused;
        CHECK_FALSE(parsed.detail().empty());
      }
    }
  }
  CHECK(refused > good.size());
}

TEST_CASE("decision: members of the wrong kind or of no meaning are refused") {
  CHECK(refusal_of({0x05}) == "a member has the wrong type");
  CHECK(refusal_of({0x80}) == "a member has the wrong type");
  CHECK(refusal_of(cbor_map({{"commands", 5}})) == "a member has the wrong type");
  CHECK(refusal_of(cbor_map({{"version", "one"}})) == "a member has the wrong type");
  CHECK(refusal_of({0xa1, 0x01, 0x02}) == "a member has the wrong type");
  CHECK(refusal_of(with_commands({{0x05}})) == "a member has the wrong type");
  CHECK(refusal_of_command(cbor_map({{"do", 5}})) == "a member has the wrong type");
  CHECK(refusal_of(cbor_map({{"comands", 5}})) == "unknown member `comands`");
  CHECK(refusal_of(cbor_map({{"state", 1}, {"version", uint64_t{1} << 32}})) ==
        "`version` is too large");
  CHECK(refusal_of(cbor_map({{"state", 1}})) == "a state needs a `version`");
  CHECK(refusal_of(cbor_map({{"version", 1}})) == "taken");
}

TEST_CASE("decision: a state over 64 KiB is refused, one of 64 KiB is taken") {
  const ByteVector largest = text_of(limits::run_state_bytes_max - 3);
  REQUIRE(largest.size() == limits::run_state_bytes_max);
  CHECK(refusal_of(cbor_map({{"state", CborRaw{largest}}, {"version", 1}})) == "taken");
  const ByteVector larger = text_of(limits::run_state_bytes_max - 2);
  CHECK(refusal_of(cbor_map({{"state", CborRaw{larger}}, {"version", 1}})) == "state over 64 KiB");
}

TEST_CASE("decision: commands are bounded in number, and nothing follows an end") {
  const ByteVector timer = cbor_map({{"do", "timer"}, {"as", "t"}, {"after_ms", 1}});
  CHECK(refusal_of(with_commands(std::vector<ByteVector>(64, timer))) == "taken");
  CHECK(refusal_of(with_commands(std::vector<ByteVector>(65, timer))) == "more than 64 commands");
  const ByteVector fail = cbor_map({{"do", "fail"}, {"reason", "x"}});
  for (const ByteVector& end : {complete, fail}) {
    CHECK(refusal_of(with_commands({timer, end})) == "taken");
    CHECK(refusal_of(with_commands({end, timer})) == "a command follows complete or fail");
  }
}

TEST_CASE("decision: a command that nobody knows, or with a member that none has, is refused") {
  CHECK(refusal_of_command(cbor_map({{"do", "dance"}})) == "no command is called `dance`");
  CHECK(refusal_of_command(ByteVector{0xa0}) == "no command is called ``");
  CHECK(refusal_of_command(cbor_map({{"do", "complete"}, {"outptu", 1}})) ==
        "a command has the unknown member outptu");
}

TEST_CASE("decision: a call needs a plain name, a tool and a map, each within its limit") {
  const auto call = [](std::string_view name, std::string_view tool) {
    return refusal_of_command(cbor_map({{"do", "call"}, {"as", name}, {"tool", tool}}));
  };
  CHECK(call("", "t.x") == "call needs `as`, the step's name");
  CHECK(call(std::string(64, 'n'), "t.x") == "taken");
  CHECK(call(std::string(65, 'n'), "t.x") == "call has a name of more than 64 bytes");
  CHECK(call("a/b", "t.x") == "call has a name with characters other than letters, digits, _-.");
  CHECK(call("a", "") == "call needs `tool`, of at most 128 bytes");
  CHECK(call("a", std::string(128, 't')) == "taken");
  CHECK(call("a", std::string(129, 't')) == "call needs `tool`, of at most 128 bytes");
  const auto arguments = [](ByteSpan item) {
    return refusal_of_command(
        cbor_map({{"do", "call"}, {"as", "a"}, {"tool", "t"}, {"arguments", CborRaw{item}}}));
  };
  CHECK(arguments(ByteVector{0x01}) == "call needs a map as `arguments`");
  CHECK(arguments(cbor_map({{"x", std::string(50000, 'x')}})) == "taken");
  CHECK(arguments(cbor_map({{"x", std::string(limits::item_bytes_max, 'x')}})) ==
        "call has `arguments` of more than 60 KiB");
}

TEST_CASE("decision: an emit needs a type that is not ours, and bounded data") {
  const auto emit = [](std::string_view type, std::string_view subject, ByteSpan data) {
    return refusal_of_command(
        cbor_map({{"do", "emit"}, {"type", type}, {"subject", subject}, {"data", CborRaw{data}}}));
  };
  CHECK(emit("a.b", "", {}) == "taken");
  CHECK(emit("", "", {}) == "emit needs a dotted name as `type`");
  CHECK(emit("a b", "", {}) == "emit needs a dotted name as `type`");
  CHECK(emit("limpet.run.completed", "", {}) ==
        "emit may not use types that begin with \"limpet.\"");
  CHECK(emit("a.b", std::string(512, 's'), {}) == "taken");
  CHECK(emit("a.b", std::string(513, 's'), {}) == "emit has a `subject` of more than 512 bytes");
  CHECK(emit("a.b", "", text_of(limits::event_data_bytes_max)) ==
        "emit has `data` of more than 64 KiB");
}

TEST_CASE("decision: a timer needs a name and a time within a year") {
  const auto timer = [](std::string_view name, uint64_t after_ms) {
    return refusal_of_command(cbor_map({{"do", "timer"}, {"as", name}, {"after_ms", after_ms}}));
  };
  CHECK(timer("t", 0) == "taken");
  CHECK(timer("t", uint64_t{366} * 86400000) == "taken");
  CHECK(timer("t", uint64_t{366} * 86400000 + 1) == "timer needs `after_ms`, at most a year");
  CHECK(timer("", 1) == "timer needs `as`, the step's name");
  CHECK(refusal_of_command(cbor_map({{"do", "timer"}, {"as", "t"}})) ==
        "timer needs `after_ms`, at most a year");
}

TEST_CASE("decision: an output is bounded, and a failure has a reason of bounded length") {
  const ByteVector output = text_of(limits::item_bytes_max);
  CHECK(refusal_of_command(cbor_map({{"do", "complete"}, {"output", CborRaw{output}}})) ==
        "complete has an `output` of more than 60 KiB");
  const std::string refusal = "fail needs a `reason` of at most 512 bytes";
  CHECK(refusal_of_command(cbor_map({{"do", "fail"}})) == refusal);
  CHECK(refusal_of_command(cbor_map({{"do", "fail"}, {"reason", std::string(513, 'r')}})) ==
        refusal);
  CHECK(refusal_of_command(cbor_map({{"do", "fail"}, {"reason", std::string(512, 'r')}})) ==
        "taken");
}
