// The edge of the C++ wrapper: what a plugin does wrong must not reach the host as anything but a
// status or an outcome.
#include <doctest/doctest.h>

#include <limpet/cpp/testing.hpp>
#include <thread>

using namespace limpet::sdk;
using testing::Finished;
using testing::Instance;
using testing::object;

namespace {

struct Odd {};

// Does what the text in its config or arguments says.
class Unruly {
 public:
  static constexpr uint32_t state_version = 3;
  static constexpr uint32_t state_version_min = 2;

  explicit Unruly(Host& host) : host_(host) {}

  static void check(View config) { act(config["check"].text_or("")); }
  void activate(View config) {
    act(config["activate"].text_or(""));
    host_.log(LIMPET_LOG_INFO, "active");
  }
  void deactivate() { act("runtime_error"); }

  void call(Call& call, const Request& request) {
    const std::string_view what = request.tool();
    if (what == "drop") return;
    if (what == "twice") {
      call.done();
      call.failed("too late");
    }
    if (what == "effect") call.effect_begins();
    if (what == "elsewhere") {
      return std::thread([moved = std::move(call)]() mutable { moved.done(); }).join();
    }
    if (what == "elsewhere_lost") {
      Call lost = std::move(call);
      return act(request.arguments()["throw"].text_or(""));
    }
    if (what == "value") {
      Encoder out;
      out.map([&] { out.put("copy", request.arguments()); });
      return call.done(std::move(out));
    }
    act(request.arguments()["throw"].text_or(""));
  }

  Answer lookup(const Request& request) {
    act(request.tool());
    return {LIMPET_RETRY};
  }

  void turn(const Turn& turn, Decision& decision) {
    act(turn.event_type());
    const uint64_t commands = turn.data()["commands"].uint_or(0);
    for (uint64_t i = 0; i < commands; i++) decision.timer("t", i);
  }

 private:
  static void act(std::string_view what) {
    if (what == "failure") throw Failure(LIMPET_DENIED, "not today");
    if (what == "ok_failure") throw Failure(LIMPET_OK, "means well");
    if (what == "runtime_error") throw std::runtime_error("broke");
    if (what == "bad_alloc") throw std::bad_alloc();
    if (what == "odd") throw Odd();
  }

  Host& host_;
};

const limpet_entry_point unruly = {
    sizeof unruly, LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR, nullptr, 0, 0, Adapter<Unruly>::create};

Encoder one(std::string_view key, std::string_view value) {
  return object([&](Encoder& out) { out.put(key, value); });
}

}  // namespace

TEST_CASE("sdk: exceptions become a status and a sentence") {
  const auto activate = [](const char* what, limpet_status status, const char* message) {
    Instance instance(unruly, one("activate", what));
    CHECK(instance.activate() == status);
    CHECK(instance.host().error == message);
  };
  activate("failure", LIMPET_DENIED, "not today");
  activate("ok_failure", LIMPET_INTERNAL, "means well");
  activate("runtime_error", LIMPET_INTERNAL, "broke");
  activate("bad_alloc", LIMPET_NO_MEMORY, "out of memory");
  activate("odd", LIMPET_INTERNAL, "unknown exception");
  activate("nothing", LIMPET_OK, "");
}

TEST_CASE("sdk: check needs no activate and calls nothing of the host but set_error") {
  Instance instance(unruly, one("check", "failure"));
  CHECK(instance.check() == LIMPET_DENIED);
  CHECK(instance.host().log_lines.empty());
}

TEST_CASE("sdk: a call finishes exactly once, whatever the plugin does with it") {
  Instance instance(unruly, one("x", "y"));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.call("drop", one("a", "b")).outcome == LIMPET_UNKNOWN);
  CHECK(instance.call("twice", one("a", "b")).outcome == LIMPET_DONE);
  CHECK(instance.call("elsewhere", one("a", "b")).outcome == LIMPET_DONE);
  CHECK(instance.call("elsewhere_lost", one("a", "b")).outcome == LIMPET_UNKNOWN);
  CHECK(instance.call("elsewhere_lost", one("throw", "failure")).outcome == LIMPET_UNKNOWN);
  CHECK(instance.call("twice", one("throw", "odd")).outcome == LIMPET_DONE);
  CHECK(instance.host().finished.size() == 6);
}

TEST_CASE("sdk: a Failure settles a call, until an effect has begun") {
  Instance instance(unruly, one("x", "y"));
  REQUIRE(instance.activate() == LIMPET_OK);
  Finished finished = instance.call("plain", one("throw", "failure"));
  CHECK(finished.outcome == LIMPET_FAILED);
  CHECK(finished.error == "not today");
  CHECK(instance.call("effect", one("throw", "failure")).outcome == LIMPET_UNKNOWN);
  CHECK(instance.call("plain", one("throw", "runtime_error")).outcome == LIMPET_UNKNOWN);
  CHECK(instance.call("plain", one("throw", "odd")).outcome == LIMPET_UNKNOWN);
}

TEST_CASE("sdk: a lookup that throws is a status, not an answer") {
  Instance instance(unruly, one("x", "y"));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.lookup("plain", one("a", "b"), "k").outcome == LIMPET_RETRY);
  CHECK(instance.lookup("failure", one("a", "b"), "k").error == "denied");
}

TEST_CASE("sdk: a decision is definite-length CBOR with the version that is written") {
  Instance instance(unruly, one("x", "y"));
  const auto decide = [&](const char* type, uint64_t commands) {
    const Encoder event = object([&](Encoder& out) {
      out.put("type", type).key("data").map([&] { out.put("commands", commands); });
    });
    const limpet_turn turn = {sizeof turn, 0, 1, 0, 0, "r", "a", {}, {}, event.bytes()};
    return instance.turn(turn);
  };
  CHECK(decide("plain", 0) == std::string("\xa1\x67version\x03", 10));
  const std::string full = decide("plain", LIMPET_AGENT_COMMANDS_MAX);
  CHECK(limpet_cbor_validate(as_bytes(full)));
  CHECK(decide("plain", LIMPET_AGENT_COMMANDS_MAX + 1).empty());
  CHECK(instance.host().error == "more commands than a turn may have");
  CHECK(decide("failure", 0).empty());
}

TEST_CASE("sdk: extensions are offered for the members that exist") {
  Instance instance(unruly, one("x", "y"));
  CHECK(instance.extension<void>(LIMPET_EXT_TOOLS) != nullptr);
  CHECK(instance.extension<void>(LIMPET_EXT_SOURCES) == nullptr);
  CHECK(instance.extension<void>(LIMPET_EXT_TIMER) == nullptr);
  CHECK(instance.extension<void>("limpet.tools/1") == nullptr);
  const auto* agents = instance.extension<limpet_plugin_agents>(LIMPET_EXT_AGENTS);
  CHECK(agents->state_version == 3);
  CHECK(agents->state_version_min == 2);
}

TEST_CASE("sdk: an encoder counts for itself, across the sizes of the head") {
  for (unsigned count : {0u, 1u, 23u, 24u, 255u, 256u, 70000u}) {
    Encoder out;
    out.array([&] {
      for (unsigned i = 0; i < count; i++) out.value(i);
    });
    CHECK(limpet_cbor_validate(out.bytes()));
    unsigned seen = 0;
    out.view().each([&](View item) { CHECK(item.uint_or(0) == seen++); });
    CHECK(seen == count);
  }
}

TEST_CASE("sdk: an encoder refuses to nest deeper than a reader would follow") {
  Encoder out;
  const auto nest = [&](auto& self, unsigned depth) -> void {
    out.array([&] {
      if (depth > 1) self(self, depth - 1);
    });
  };
  nest(nest, LIMPET_CBOR_DEPTH_MAX);
  CHECK(limpet_cbor_validate(out.bytes()));
  CHECK_THROWS_AS(nest(nest, LIMPET_CBOR_DEPTH_MAX + 1), std::length_error);
}

TEST_CASE("sdk: bytes that were taken are released once and leave the encoder empty") {
  Encoder out = one("k", "v");
  limpet_buffer taken = out.take();
  CHECK(out.empty());
  CHECK(View(limpet_bytes{taken.data, taken.size})["k"].text_or("") == "v");
  REQUIRE(static_cast<bool>(taken.release));
  taken.release(&taken);
  CHECK_FALSE(static_cast<bool>(taken.release));
  CHECK(out.take().size == 0);
}

TEST_CASE("sdk: versions fit while equal before 1.0") {
  CHECK(limpet_abi_fits(LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR));
  CHECK_FALSE(limpet_abi_fits(LIMPET_ABI_MAJOR + 1, LIMPET_ABI_MINOR));
  CHECK_FALSE(limpet_abi_fits(LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR + 1));
  CHECK(std::string(limpet_status_text(LIMPET_FULL)) == "full: nothing was taken, try again later");
  CHECK(std::string(limpet_status_text(-5)) == "unknown status");
}
