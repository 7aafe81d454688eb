#include <doctest/doctest.h>

#include <limpet/cpp/testing.hpp>

#include "plugins/watchdog/thresholds.hpp"

extern "C" const limpet_entry_point limpet_entry_watchdog;

using namespace limpet::sdk;
using testing::Instance;
using testing::object;

namespace {

constexpr uint64_t second_ns = 1000000000;
constexpr uint64_t start_ns = 1700000000 * second_ns;

struct Command {
  std::string verb, as, tool, type;
  std::string bytes;
  View view() const { return View(std::string_view(bytes)); }
  View data() const { return view()["data"]; }
};

Encoder default_config() {
  Encoder out;
  out.map([] {});
  return out;
}

Encoder one_threshold(double above, double clear_below, uint64_t for_ms) {
  return object([&](Encoder& out) {
    out.key("thresholds").array([&] {
      out.map([&] {
        out.put("subject", "disk/*").put("above", above);
        out.put("clear_below", clear_below).put("for_ms", for_ms);
      });
    });
  });
}

// A run as the host keeps it: its state between turns, and the events that come to it.
class Run {
 public:
  explicit Run(Encoder config = default_config())
      : instance_(limpet_entry_watchdog, default_config()), config_(std::move(config)) {
    REQUIRE(instance_.activate() == LIMPET_OK);
  }

  std::vector<Command> reading(std::string_view subject, double value, uint64_t at_s = 0) {
    return event(object([&](Encoder& out) {
      out.put("type", "sysinfo.reading").put("subject", subject);
      out.put("time", start_ns + at_s * second_ns);
      out.key("data").map([&] { out.put("value", value); });
    }));
  }

  std::vector<Command> finished(std::string_view step, std::string_view outcome) {
    return event(object([&](Encoder& out) {
      out.put("type", "limpet.step.finished");
      out.key("data").map([&] {
        out.put("step", step).put("tool", "a.tool").put("outcome", outcome);
        if (outcome == "done")
          out.key("value").map([&] { out.put("used_percent", 97); });
        else
          out.put("error", "it broke");
      });
    }));
  }

  std::vector<Command> event(const Encoder& event) {
    const limpet_turn turn = {
        sizeof turn, state_.empty() ? 0u : 1u, ++turns_,         start_ns,     42, "run",
        "watchdog",  config_.bytes(),          as_bytes(state_), event.bytes()};
    decision_ = instance_.turn(turn);
    CHECK(instance_.turn(turn) == decision_);  // equal bytes in, equal bytes out
    REQUIRE_FALSE(decision_.empty());
    const View decision{std::string_view(decision_)};
    CHECK(decision["version"].uint_or(0) == 1);
    state_changed = static_cast<bool>(decision["state"]);
    if (state_changed) state_ = as_text(decision["state"].raw());
    std::vector<Command> commands;
    decision["commands"].each([&](View command) {
      commands.push_back(
          {std::string(command["do"].text_or("")), std::string(command["as"].text_or("")),
           std::string(command["tool"].text_or("")), std::string(command["type"].text_or("")),
           std::string(as_text(command.raw()))});
    });
    return commands;
  }

  std::size_t state_bytes() const { return state_.size(); }
  Instance& instance() { return instance_; }

  bool state_changed = false;

 private:
  Instance instance_;
  Encoder config_;
  std::string state_;
  std::string decision_;
  uint64_t turns_ = 0;
};

}  // namespace

TEST_CASE("watchdog: a healthy reading changes nothing and commands nothing") {
  Run run;
  CHECK(run.reading("disk//", 50).empty());
  CHECK_FALSE(run.state_changed);
  CHECK(run.reading("disk//", 90).empty());
  CHECK_FALSE(run.state_changed);
}

TEST_CASE("watchdog: a subject without a threshold is nobody's business") {
  Run run;
  CHECK(run.reading("net/eth0", 1e9).empty());
  CHECK_FALSE(run.state_changed);
}

TEST_CASE("watchdog: an incident is opened, reported, announced, closed and completed") {
  Run run;
  auto commands = run.reading("disk//var", 95, 1);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].type == "incident.opened");
  CHECK(commands[0].data()["value"].number_or(0) == 95);
  CHECK(commands[0].data()["opened"].uint_or(0) == start_ns + second_ns);
  CHECK(commands[1].tool == "sysinfo.disk_usage");
  CHECK(commands[1].view()["arguments"]["path"].text_or("") == "/var");

  commands = run.finished("evidence", "done");
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].type == "incident.report");
  CHECK(commands[0].data()["evidence"]["value"]["used_percent"].number_or(0) == 97);
  CHECK(commands[1].tool == "notify.write");
  CHECK(commands[1].view()["arguments"]["text"].text_or("") ==
        "opened disk//var: 95.0 is above 90.0");

  CHECK(run.finished("announce", "done").empty());
  CHECK(run.reading("disk//var", 97, 2).empty());
  CHECK(run.reading("disk//var", 87, 3).empty());  // below above, not below clear_below
  commands = run.reading("disk//var", 80, 4);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].type == "incident.closed");
  CHECK(commands[1].as == "close");

  commands = run.finished("close", "done");
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].verb == "complete");
  const View output = commands[0].view()["output"];
  CHECK(output["subject"].text_or("") == "disk//var");
  CHECK(output["opened"].uint_or(0) == start_ns + second_ns);
  CHECK(output["closed"].uint_or(0) == start_ns + 4 * second_ns);
  CHECK(output["peak"].number_or(0) == 97);
  CHECK(output["notified"]["closed"].text_or("") == "done");
}

TEST_CASE("watchdog: it must last, and a healthy reading in between starts anew") {
  Run run(one_threshold(90, 85, 10000));
  CHECK(run.reading("disk/x", 95, 0).empty());
  CHECK(run.reading("disk/x", 95, 9).empty());
  CHECK(run.reading("disk/x", 90, 10).empty());
  CHECK(run.reading("disk/x", 95, 11).empty());
  CHECK(run.reading("disk/x", 95, 20).empty());
  CHECK(run.reading("disk/x", 95, 21).size() == 2);
}

TEST_CASE("watchdog: a clock that steps back does not open an incident") {
  Run run(one_threshold(90, 85, 10000));
  CHECK(run.reading("disk/x", 95, 100).empty());
  CHECK(run.reading("disk/x", 95, 3).empty());
}

TEST_CASE("watchdog: failed evidence is reported as failed, not left out") {
  Run run;
  run.reading("disk//", 95);
  const auto commands = run.finished("evidence", "failed");
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].data()["evidence"]["outcome"].text_or("") == "failed");
  CHECK(commands[0].data()["evidence"]["error"].text_or("") == "it broke");
  CHECK_FALSE(commands[0].data()["evidence"]["value"]);
  CHECK(commands[1].view()["arguments"]["text"].text_or("") ==
        "opened disk//: 95.0 is above 90.0 (evidence failed)");
}

TEST_CASE("watchdog: a notice whose fate is unknown is not called delivered") {
  Run run;
  run.reading("disk//", 95);
  run.finished("evidence", "done");
  auto commands = run.finished("announce", "unknown");
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].type == "incident.unheard");
  CHECK(commands[0].data()["outcome"].text_or("") == "unknown");
  run.reading("disk//", 10);
  commands = run.finished("close", "failed");
  REQUIRE(commands.size() == 2);
  CHECK(commands[1].verb == "complete");
  CHECK(commands[1].view()["output"]["notified"]["opened"].text_or("") == "unknown");
  CHECK(commands[1].view()["output"]["notified"]["closed"].text_or("") == "failed");
}

TEST_CASE("watchdog: recovery during a call is acted on after it") {
  Run run;
  run.reading("disk//", 95, 1);
  CHECK(run.reading("disk//", 10, 2).empty());
  CHECK(run.finished("evidence", "done").size() == 2);
  const auto commands = run.finished("announce", "done");
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].type == "incident.closed");
  CHECK(commands[0].data()["closed"].uint_or(0) == start_ns + 2 * second_ns);
}

TEST_CASE("watchdog: a relapse during a call keeps the incident open") {
  Run run;
  run.reading("disk//", 95, 1);
  run.reading("disk//", 10, 2);
  run.reading("disk//", 99, 3);
  run.finished("evidence", "done");
  CHECK(run.finished("announce", "done").empty());
  CHECK(run.reading("disk//", 10, 4).size() == 2);
}

TEST_CASE("watchdog: evidence and tool names follow subject and config") {
  Run run(object([](Encoder& out) {
    out.key("thresholds").array([&] { out.map([&] { out.put("subject", "*").put("above", 1); }); });
    out.key("tools").map([&] { out.put("top_processes", "my.top"); });
  }));
  const auto commands = run.reading("pressure.memory", 5);
  REQUIRE(commands.size() == 2);
  CHECK(commands[1].tool == "my.top");
  CHECK(commands[1].view()["arguments"]["by"].text_or("") == "memory");
}

TEST_CASE("watchdog: a step that it does not wait for is ignored") {
  Run run;
  CHECK(run.finished("announce", "done").empty());
  CHECK_FALSE(run.state_changed);
}

TEST_CASE("watchdog: a run started by hand needs a reading as its input") {
  const auto created = [](auto body) {
    return object([&](Encoder& out) {
      out.put("type", "limpet.run.created");
      out.key("data").map([&] { out.key("input").map([&] { body(out); }); });
    });
  };
  Run good;
  const auto opened =
      good.event(created([](Encoder& out) { out.put("subject", "memory").put("value", 99); }));
  CHECK(opened.size() == 2);
  Run bad;
  const auto failed = bad.event(created([](Encoder&) {}));
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].verb == "fail");
}

TEST_CASE("watchdog: a config that contradicts itself fails the turn with a sentence") {
  const Encoder config = one_threshold(80, 85, 0);
  Instance instance(limpet_entry_watchdog, default_config());
  REQUIRE(instance.activate() == LIMPET_OK);
  const Encoder event = object([](Encoder& out) {
    out.put("type", "sysinfo.reading").put("subject", "disk/x");
    out.key("data").map([&] { out.put("value", 1); });
  });
  const limpet_turn turn = {sizeof turn,  0, 1, 0, 0, "run", "watchdog", config.bytes(), {},
                            event.bytes()};
  CHECK(instance.turn(turn).empty());
  CHECK(instance.host().error == "thresholds: clear_below is higher than above");
}

TEST_CASE("watchdog: garbage as an event is survived") {
  Run run;
  for (uint8_t byte = 0; byte < 255; byte++) {
    const std::string garbage(1, static_cast<char>(byte));
    if (!limpet_cbor_validate(as_bytes(garbage))) continue;
    Encoder event;
    event.value(View(std::string_view(garbage)));
    CHECK(run.event(event).empty());
  }
}

TEST_CASE("watchdog: the state stays small") {
  Run run;
  run.reading("disk//", 95);
  run.finished("evidence", "done");
  run.finished("announce", "unknown");
  CHECK(run.state_bytes() < 256);
}

TEST_CASE("watchdog: patterns with stars") {
  using limpet::watchdog::fits;
  CHECK(fits("disk/*", "disk//var"));
  CHECK_FALSE(fits("disk/*", "disk"));
  CHECK(fits("*", ""));
  CHECK(fits("a*b*c", "a-b-b-c"));
  CHECK_FALSE(fits("a*b*c", "a-b-b-"));
  CHECK_FALSE(fits("", "x"));
  CHECK(fits("exact", "exact"));
}
