#include <doctest/doctest.h>
#include <limpet/plugin.h>

#include "host/entry.hpp"
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

std::string refused(const InstanceSettings& settings) {
  World world;
  const auto refusal = world.host->load(settings);
  REQUIRE(refusal.has_value());
  CHECK(world.host->describe().empty());
  CHECK(world.host->tools().empty());
  return refusal->sentence;
}

}  // namespace

TEST_CASE("host: an instance loads, works, stops, and says so") {
  World world;
  world.start_stray();
  CHECK(world.observer.states == std::vector<std::string>{"stray active"});
  const InstanceInfo info = world.info();
  CHECK(info.name == "stray");
  CHECK(info.id == "org.limpet.test.stray");
  CHECK(info.version == "1.0.0");
  CHECK(info.path == plugin_path("stray"));
  CHECK(info.state == InstanceState::active);
  CHECK(info.has_agents);
  CHECK(info.has_sources);
  CHECK(info.agent_state_version == 3);
  CHECK(world.call("echo").outcome == Outcome::done);
  CHECK(world.stop(seconds(5)).empty());
  CHECK(world.observer.states.back() == "stray stopped");
  CHECK(world.info().state == InstanceState::stopped);
  CHECK(world.info().counters.violations == 0);
}

TEST_CASE("host: loading alone begins nothing and ends without a stop") {
  World world;
  CHECK_FALSE(world.host->load(settings_of("stray")).has_value());
  CHECK(world.info().state == InstanceState::loaded);
  CHECK(world.host->tools().size() > 20);
  CHECK(world.begin(1, "echo").error().code == ErrorCode::plugin);
}

TEST_CASE("host: tools carry the instance's name and the manifest's words") {
  World world;
  world.start_stray();
  const ToolInfo* tool = world.host->find_tool("stray.count");
  REQUIRE(tool != nullptr);
  CHECK(tool->instance == "stray");
  CHECK(tool->quick);
  CHECK(tool->timeout_ms == 1000);
  CHECK(tool->has_lookup);
  CHECK(tool->hints == ToolHints{false, false, false, false});
  CHECK(contains(tool->arguments_schema, "\"minimum\":1"));
  CHECK(world.host->find_tool("count") == nullptr);
}

TEST_CASE("host: one plugin is several instances, each with its own tools and state") {
  World world;
  InstanceSettings settings = settings_of("stray");
  settings.name = "line1";
  CHECK_FALSE(world.host->load(settings).has_value());
  settings.name = "line2";
  CHECK_FALSE(world.host->load(settings).has_value());
  const auto again = world.host->load(settings);
  REQUIRE(again.has_value());
  CHECK(again->error.code == ErrorCode::exists);
  CHECK(world.host->find_tool("line1.echo") != nullptr);
  CHECK(world.host->find_tool("line2.echo") != nullptr);
}

TEST_CASE("host: a plugin is found by id, and its last part names the instance") {
  World world(HostOptions{{LIMPET_TEST_PLUGINS}, {}});
  InstanceSettings settings;
  settings.id = "org.limpet.test.stray";
  const auto refusal = world.host->load(settings);
  CAPTURE(refusal ? refusal->sentence : "");
  CHECK_FALSE(refusal.has_value());
  CHECK(world.info().name == "stray");
}

TEST_CASE("host: code that breaks the contract at load is refused with one clear sentence") {
  CHECK(contains(refused(settings_of("other_major")), "is built for plugin ABI 1.0"));
  CHECK(contains(refused(settings_of("short_entry")), "has an entry point of"));
  CHECK(contains(refused(settings_of("no_create")), "has no create function"));
  CHECK(contains(refused(settings_of("no_entry")), "does not export limpet_entry"));
  CHECK(contains(refused(settings_of("other_manifest")), "was built with another manifest"));
  CHECK(contains(refused(settings_of("liar")), "it lists tools, but the code has none"));
  CHECK(contains(refused(settings_of("short_face")), "its limpet_plugin has"));
  CHECK(
      contains(refused(settings_of("no_functions")), "a function of its limpet_plugin is missing"));
  CHECK(contains(refused(settings_of("nothing_created")), "there is no instance"));
  CHECK(contains(refused(settings_of("throws")), "create() threw an exception"));
  CHECK(refused(settings_of("create_fails")) == "create_fails: create() says: the bus is on fire");
}

TEST_CASE("host: calling the host from create is counted and gets nothing") {
  World world;
  CHECK_FALSE(world.host->load(settings_of("calls_host")).has_value());
  CHECK(world.counters().violations == 1);
}

TEST_CASE("host: settings that name nothing, or something else, are refused") {
  InstanceSettings nothing;
  nothing.name = "lost";
  CHECK(refused(nothing) == "lost: needs an `id` or a `path`");
  InstanceSettings other = settings_of("stray");
  other.id = "org.limpet.sysinfo";
  CHECK(contains(refused(other), "is org.limpet.test.stray, not org.limpet.sysinfo"));
  InstanceSettings odd = settings_of("stray");
  odd.name = "a.b";
  CHECK(contains(refused(odd), "is no name for a plugin"));
  InstanceSettings missing = settings_of("stray");
  missing.path = "/nonexistent/stray.so";
  CHECK(refused(missing) == "stray: /nonexistent/stray.so does not exist");
}

TEST_CASE("host: a config must keep the manifest's schema and please the plugin's check") {
  InstanceSettings settings = settings_of("stray");
  settings.config = cbor_map({{"mood", "bad"}});
  CHECK(contains(refused(settings), "stray: config: "));
  settings.config = {0xff};
  CHECK(contains(refused(settings), "the config is no CBOR"));
  settings.config = cbor_map({{"mode", "refuse_check"}});
  CHECK(refused(settings) == "stray: check() says: the config says so");
  settings.config = cbor_map({{"mode", "throw_check"}});
  CHECK(contains(refused(settings), "check() threw an exception"));
}

TEST_CASE("host: an instance that refuses to activate fails alone; the others work") {
  for (const char* mode : {"refuse_activate", "throw_activate"}) {
    World world;
    InstanceSettings settings = settings_of("stray");
    settings.name = "sick";
    settings.config = cbor_map({{"mode", mode}});
    REQUIRE_FALSE(world.host->load(settings).has_value());
    REQUIRE_FALSE(world.host->load(settings_of("stray")).has_value());
    const std::vector<Refusal> refusals = world.host->start();
    REQUIRE(refusals.size() == 1);
    CHECK(contains(refusals[0].sentence, "sick: activate() "));
    CHECK(world.observer.states == std::vector<std::string>{"sick failed", "stray active"});
    CHECK(world.call("echo").outcome == Outcome::done);
    ToolCall call;
    call.id = 1;
    call.tool = "sick.echo";
    const Result<void> refused_call = world.host->call(std::move(call), [](ToolResult) {});
    CHECK(refused_call.error().code == ErrorCode::plugin);
    CHECK(world.stop(seconds(1)).empty());
  }
}

TEST_CASE("host: an agent's config keeps its schema, and its plugin must have one") {
  World world;
  REQUIRE_FALSE(world.host->load(settings_of("stray")).has_value());
  const ByteVector good = cbor_map({{"limit", 7}});
  const ByteVector bad = cbor_map({{"limit", "seven"}});
  CHECK_FALSE(world.host->check_agent({"stray", "watch", good}).has_value());
  CHECK_FALSE(world.host->check_agent({"stray", "watch", {}}).has_value());
  const auto refusal = world.host->check_agent({"stray", "watch", bad});
  REQUIRE(refusal.has_value());
  CHECK(contains(refusal->sentence, "agent watch: config: at /limit"));
  CHECK(world.host->check_agent({"none", "watch", good})->error.code == ErrorCode::not_found);
  REQUIRE_FALSE(world.host->load(settings_of("calls_host")).has_value());
  CHECK(world.host->check_agent({"calls_host", "watch", good})->error.code == ErrorCode::not_found);
}

TEST_CASE("host: a linked-in plugin needs no file") {
  static constexpr char manifest[] =
      R"({"id": "org.limpet.test.inside", "version": "1", "abi": {"major": 0, "minor": 1}})";
  const limpet_entry_point entry = {
      sizeof(limpet_entry_point),
      LIMPET_ABI_MAJOR,
      LIMPET_ABI_MINOR,
      manifest,
      sizeof manifest - 1,
      0,
      [](const limpet_host*, const limpet_plugin**) { return limpet_status{LIMPET_IO}; }};
  World world(HostOptions{{}, {&entry}});
  InstanceSettings settings;
  settings.id = "org.limpet.test.inside";
  const auto refusal = world.host->load(settings);
  REQUIRE(refusal.has_value());
  CHECK(refusal->sentence == "inside: create() says: input or output failed");
}

TEST_CASE("host: lines of a plugin are cleaned, named, and limited in rate") {
  World world;
  world.start_stray();
  world.logger.lines.clear();
  world.ask("log", cbor_map({{"text", "one\ntwo"}}));
  CHECK(world.logger.lines == std::vector<std::string>{"1 host/stray one two"});
  world.ask("log", cbor_map({{"text", "flood"}, {"times", 500}}));
  CHECK(world.logger.lines.size() == 100);
  CHECK(world.counters().log_drops == 401);
  world.executor.advance(milliseconds(50));
  world.ask("log", cbor_map({{"text", "later"}}));
  CHECK(world.logger.lines.back() == "1 host/stray later (401 lines before this were dropped)");
}

TEST_CASE("host: timers tick by the clock, missed ticks become one, and a restart begins anew") {
  World world;
  world.start_stray();
  CHECK(world.ask("arm", cbor_map({{"period_ns", 1000}})) == "2");  // INVALID
  CHECK(world.ask("arm", cbor_map({{"period_ns", 1000000000}, {"id", 7}})) == "0");
  world.executor.settle();
  world.executor.advance(milliseconds(999));
  CHECK(world.ask("ticks") == "");
  world.executor.advance(milliseconds(1));
  CHECK(world.ask("ticks") == "7 ");
  world.executor.advance(seconds(10));
  CHECK(world.ask("ticks") == "7 7 ");
  world.executor.advance(seconds(1));
  CHECK(world.ask("ticks") == "7 7 7 ");
  CHECK(world.ask("arm", cbor_map({{"period_ns", 5000000000}, {"id", 7}})) == "0");
  world.executor.advance(seconds(4));
  CHECK(world.ask("ticks") == "7 7 7 ");
  world.ask("disarm", cbor_map({{"id", 7}}));
  world.executor.advance(seconds(10));
  CHECK(world.ask("ticks") == "7 7 7 ");
}

TEST_CASE("host: a plugin gets sixteen timers and no more") {
  World world;
  world.start_stray();
  for (int id = 1; id <= 16; ++id) CHECK(world.ask("arm", cbor_map({{"id", id}})) == "0");
  CHECK(world.ask("arm", cbor_map({{"id", 17}})) == "1");  // FULL
  CHECK(world.ask("arm", cbor_map({{"id", 16}})) == "0");
}

TEST_CASE("host: whoever breaks the rules too often is quarantined and never called again") {
  World world;
  world.start_stray();
  for (int round = 0; round < 63; ++round) world.ask("stray_finish");
  CHECK(world.info().state == InstanceState::active);
  world.ask("stray_finish");
  CHECK(world.info().state == InstanceState::quarantined);
  CHECK(contains(world.observer.last_reason, "broke the rules"));
  CHECK(world.counters().double_finishes == 64);
  CHECK(world.begin(1, "echo").error().code == ErrorCode::plugin);
  CHECK(world.host->turn({"stray", "a", "r", {}, {}, {}, 0, {}, 0, nullptr}).status.error().code ==
        ErrorCode::plugin);
  CHECK(world.stop(seconds(1)).empty());
}
