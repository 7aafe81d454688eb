#include "config/load.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "codec/cbor.hpp"
#include "codec/json.hpp"
#include "config/explain.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace limpet;
using namespace limpet::config;

namespace {

Environment environment() {
  Environment result;
  result.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "DATA") return "/data";
    return std::nullopt;
  };
  result.file = [](const std::string& path) -> std::optional<std::string> {
    if (path == "/etc/limpet/password") return "s3cret\n";
    return std::nullopt;
  };
  return result;
}

Loaded load(const std::string& text) {
  return parse_settings({{"/etc/limpet/limpet.toml", text}}, environment());
}

Settings good(const std::string& text) {
  const Loaded loaded = load(text);
  for (const Problem& problem : loaded.problems) FAIL_CHECK(to_string(problem));
  return loaded.settings;
}

// All problems, one a line, without the file's path.
std::string problems_of(const std::string& text) {
  std::string all;
  for (const Problem& problem : load(text).problems) {
    std::string line = to_string(problem);
    constexpr std::string_view file = "/etc/limpet/limpet.toml:";
    if (line.starts_with(file)) line.erase(0, file.size());
    all.append(all.empty() ? "" : "\n").append(line);
  }
  return all;
}

constexpr const char* plugin_text = R"(
[[plugin]]
id = "org.limpet.watchdog"
isolation = "inproc"
)";

constexpr const char* agent_text = R"(
[[plugin]]
id = "org.limpet.watchdog"
isolation = "inproc"
[[agent]]
name = "watchdog"
plugin = "watchdog"
)";

}  // namespace

TEST_CASE("config: an empty file is the defaults") {
  const Settings settings = good("");
  CHECK(settings.name == "");
  CHECK(settings.plugin_path == std::vector<std::string>{"/usr/lib/limpet/plugins"});
  CHECK(settings.store.path == "/var/lib/limpet");
  CHECK(settings.store.max_bytes == uint64_t{1} << 30);
  CHECK(settings.store.linger_ms == 0);
  CHECK(settings.store.create);
  CHECK(settings.api.socket == "/run/limpet/limpet.sock");
  CHECK(settings.limits.memory_bytes == uint64_t{64} << 20);
  CHECK(settings.plugins.empty());
}

TEST_CASE("config: a data directory alone is enough") {
  const Settings settings = default_settings("/data");
  CHECK(settings.store.path == "/data");
  CHECK(settings.api.socket == "/data/limpet.sock");
  CHECK(settings.store.max_bytes == uint64_t{1} << 30);
  CHECK(settings.plugins.empty());
}

TEST_CASE("config: every key reaches its setting") {
  const Settings settings = good(R"(
name = "Gateway-7.local"
plugin_path = ["/opt/a", "b"]
[store]
path = "${DATA}/store"
max_bytes = "128MiB"
linger_ms = 5
create = "never"
[api]
socket = "limpet.sock"
[limits]
memory = 33554432
[[plugin]]
path = "../modbus.so"
name = "m-1"
isolation = "inproc"
config = { port = 502, secret = "file:password", list = [1, -2, 2.5, true, "x"], in = { a = {} } }
[[agent]]
name = "watchdog"
plugin = "m-1"
agent = "inner"
tools = ["sysinfo.*", "#"]
autonomy = "full"
max_turns = 0
max_steps_open = 3
deadline = "2h"
config = { at = 2026-07-13T08:24:56Z }
[[trigger]]
agent = "watchdog"
event = "sysinfo.#"
subject = "disk/*"
key = "{source}/{subject}/{type}"
)");
  CHECK(settings.name == "Gateway-7.local");
  CHECK(settings.plugin_path == std::vector<std::string>{"/opt/a", "/etc/limpet/b"});
  CHECK(settings.store.path == "/data/store");
  CHECK(settings.store.max_bytes == uint64_t{128} << 20);
  CHECK(settings.store.linger_ms == 5);
  CHECK_FALSE(settings.store.create);
  CHECK(settings.api.socket == "/etc/limpet/limpet.sock");
  CHECK(settings.limits.memory_bytes == uint64_t{32} << 20);
  const PluginSettings& plugin = settings.plugins.at(0);
  CHECK(plugin.path == "/etc/modbus.so");
  CHECK(plugin.id == "");
  CHECK(plugin.name == "m-1");
  CHECK(plugin.isolation == Isolation::inproc);
  CHECK(plugin.place.line == 13);
  CHECK(*codec::cbor_to_json(plugin.config) ==
        R"({"port":502,"secret":"s3cret","list":[1,-2,2.5,true,"x"],"in":{"a":{}}})");
  const AgentSettings& agent = settings.agents.at(0);
  CHECK(agent.plugin == "m-1");
  CHECK(agent.agent == "inner");
  CHECK(agent.tools == std::vector<std::string>{"sysinfo.*", "#"});
  CHECK(agent.autonomy == Autonomy::full);
  CHECK(agent.max_turns == 0);
  CHECK(agent.max_steps_open == 3);
  CHECK(agent.deadline == seconds(7200));
  CHECK(*codec::cbor_to_json(agent.config) == R"({"at":"2026-07-13T08:24:56Z"})");
  const TriggerSettings& trigger = settings.triggers.at(0);
  CHECK(trigger.event == "sysinfo.#");
  CHECK(trigger.subject == "disk/*");
  CHECK(trigger.key == "{source}/{subject}/{type}");
}

TEST_CASE("config: the defaults of plugins and agents") {
  const Settings settings = good(agent_text);
  CHECK(settings.plugins.at(0).name == "watchdog");
  CHECK(settings.plugins.at(0).config == ByteVector{0xa0});
  const AgentSettings& agent = settings.agents.at(0);
  CHECK(agent.agent == "");
  CHECK(agent.tools.empty());
  CHECK(agent.autonomy == Autonomy::supervised);
  CHECK(agent.max_turns == 10000);
  CHECK(agent.max_steps_open == 16);
  CHECK(agent.deadline.ns == 0);
  CHECK(agent.config == ByteVector{0xa0});
}

TEST_CASE("config: an unknown key is named with its line and the nearest one") {
  CHECK(problems_of("nam = \"x\"") == "1:1: nam: there is no such key; the nearest is `name`");
  CHECK(problems_of("[stor]\npath = \"/x\"") ==
        "1:2: stor: there is no such key; the nearest is `store`");
  CHECK(problems_of("[store]\n\n  linger = 5") ==
        "3:3: store.linger: there is no such key; the nearest is `linger_ms`");
  CHECK(problems_of(std::string(plugin_text) + "isolatoin = 1") ==
        "5:1: plugin.isolatoin: there is no such key; the nearest is `isolation`");
}

TEST_CASE("config: a wrong type says what is wanted and what is there") {
  CHECK(problems_of("name = 7") == "1:1: name: wants text, not a whole number");
  CHECK(problems_of("plugin_path = \"x\"") == "1:1: plugin_path: wants a list of texts, not 'x'");
  CHECK(problems_of("[store]\nmax_bytes = \"64 MiB\"") ==
        "2:1: store.max_bytes: wants a size like \"64MiB\", not '64 MiB'");
  CHECK(problems_of("[store]\nmax_bytes = 1.5") ==
        "2:1: store.max_bytes: wants a size like \"64MiB\", not a decimal number");
  CHECK(problems_of("[store]\nlinger_ms = \"5\"") ==
        "2:1: store.linger_ms: wants a whole number, not '5'");
  CHECK(problems_of(std::string(agent_text) + "deadline = 30") ==
        "8:1: agent.deadline: wants a duration like \"30s\", not a whole number");
  CHECK(problems_of(std::string(agent_text) + "config = []") ==
        "8:1: agent.config: wants a table, not a list");
  CHECK(problems_of("store = 1") == "1:1: store: this is one section: write [store]");
  CHECK(problems_of("[[store]]") == "1:3: store: this is one section: write [store]");
  CHECK(problems_of("[plugin]") == "1:2: plugin: there may be several: write [[plugin]]");
  CHECK(problems_of("plugin = [1]") == "1:11: plugin: wants tables: write [[plugin]]");
}

TEST_CASE("config: a value out of range says the range") {
  CHECK(problems_of("[store]\nlinger_ms = 5000") ==
        "2:1: store.linger_ms: 5000 is outside 0 to 1000");
  CHECK(problems_of("[store]\nlinger_ms = -1") == "2:1: store.linger_ms: -1 is outside 0 to 1000");
  CHECK(problems_of("[store]\nmax_bytes = \"1MiB\"")
            .starts_with("2:1: store.max_bytes: 1MiB is outside 4MiB to 1TiB"));
  CHECK(problems_of(std::string(agent_text) + "deadline = \"3651d\"") ==
        "8:1: agent.deadline: 3651d is outside 0s to 3650d");
  CHECK(problems_of(std::string(agent_text) + "max_steps_open = 0") ==
        "8:1: agent.max_steps_open: 0 is outside 1 to 1024");
  CHECK(problems_of("name = \"" + std::string(65, 'x') + "\"") ==
        "1:1: name: is longer than 64 bytes");
  CHECK(problems_of("[api]\nsocket = \"/" + std::string(107, 'x') + "\"") ==
        "2:1: api.socket: is longer than 107 bytes");
}

TEST_CASE("config: what the contract has and this build has not is refused in so many words") {
  CHECK(problems_of("[[link]]\nname = \"x\"") ==
        "1:3: link: this section is not in this build; leave it out");
  const std::string inproc =
      "\"process\", the default, is not in this build; write isolation = "
      "\"inproc\"";
  CHECK(problems_of("[[plugin]]\nid = \"a\"") == "1:1: plugin.isolation: " + inproc);
  CHECK(problems_of("[[plugin]]\nid = \"a\"\nisolation = \"process\"") ==
        "3:1: plugin.isolation: " + inproc);
  CHECK(problems_of("[[plugin]]\nid = \"a\"\nisolation = \"jail\"")
            .starts_with("3:1: plugin.isolation: 'jail' is not one of process, inproc"));
}

TEST_CASE("config: names must exist, differ and be well formed") {
  CHECK(problems_of("[[plugin]]\nisolation = \"inproc\"") ==
        "1:1: plugin: wants either `id` or `path`");
  CHECK(problems_of(std::string(plugin_text) + "path = \"/x.so\"") ==
        "2:1: plugin: wants either `id` or `path`");
  CHECK(problems_of(std::string(plugin_text) + plugin_text) ==
        "6:1: plugin.name: 'watchdog' is taken; give each instance a name of its own");
  CHECK(problems_of("[[plugin]]\npath = \"/x/My Thing.so\"\nisolation = \"inproc\"") ==
        "1:1: plugin.name: 'My Thing' would be the name, but a name is 1 to 32 characters of "
        "a-z, 0-9, _ and -; write a `name`");
  CHECK(problems_of("[[agent]]\nname = \"a\"") ==
        "1:1: agent.plugin: is missing and has no default");
  CHECK(problems_of("[[agent]]\nname = \"a\"\nplugin = \"b\"") ==
        "3:1: agent.plugin: no [[plugin]] is named 'b'; there is none");
  CHECK(problems_of(std::string(agent_text) + "[[agent]]\nname = \"watchdog\"\n"
                                              "plugin = \"watchdog\"") ==
        "9:1: agent.name: 'watchdog' is taken; give each agent a name of its own");
  CHECK(problems_of(std::string(agent_text) + "[[trigger]]\nagent = \"dog\"\nevent = \"a\"") ==
        "9:1: trigger.agent: no [[agent]] is named 'dog'; there are: watchdog");
}

TEST_CASE("config: patterns, subjects and key templates are checked") {
  const std::string trigger = std::string(agent_text) + "[[trigger]]\nagent = \"watchdog\"\n";
  CHECK(problems_of(trigger + "event = \"a..b\"")
            .starts_with("10:1: trigger.event: 'a..b': a pattern is dotted names"));
  CHECK(problems_of(trigger + "event = \"a\"\nsubject = \"a*b\"")
            .starts_with("11:1: trigger.subject: 'a*b': a subject is exact text"));
  CHECK(problems_of(trigger + "event = \"a\"\nkey = \"{id}\"")
            .starts_with("11:1: trigger.key: '{id}': a key's braces hold source, subject or type"));
  CHECK(problems_of(trigger + "event = \"a\"\nkey = \"a}\"") != "");
  CHECK(problems_of(std::string(agent_text) + "tools = [\"a\", \"b*\"]")
            .starts_with("8:1: agent.tools: 'b*': a pattern is"));
}

TEST_CASE("config: all problems are named, in the order of the lines") {
  CHECK(problems_of("nam = 1\n[store]\nlinger_ms = 5000\npth = \"x\"\n[api]\nsocket = 1") ==
        "1:1: nam: there is no such key; the nearest is `name`\n"
        "3:1: store.linger_ms: 5000 is outside 0 to 1000\n"
        "4:1: store.pth: there is no such key; the nearest is `path`\n"
        "6:1: api.socket: wants a path as text, not a whole number");
}

TEST_CASE("config: a flood of problems is counted, not printed") {
  std::string text;
  for (int index = 0; index < 150; ++index) text += "x" + std::to_string(index) + " = 1\n";
  const Loaded loaded = load(text);
  CHECK(loaded.problems.size() == problems_max + 1);
  CHECK(to_string(loaded.problems.back()) == "and 50 more problems");
}

TEST_CASE("config: what is not TOML is one problem with its line") {
  const std::string problem = problems_of("[store]\npath = \n");
  CHECK(problem.starts_with("2:"));
  CHECK(problem.find("not TOML: ") != std::string::npos);
  CHECK(problem.find('\n') == std::string::npos);
  // toml++ 3.3 ended the process with an assertion of its own on this one.
  CHECK(problems_of("a = 1979-05-27Tnoon").find("not TOML: ") != std::string::npos);
  CHECK(problems_of("a = 1\na = 2").find("not TOML: ") != std::string::npos);
}

// toml++ 3.3 has undefined behaviour for many characters where it looks for white space: found by
// the fuzzer with U+FCFF and U+0438.
TEST_CASE("config: characters outside ASCII are taken in quotes and comments only") {
  const std::string stray = "\xd0\xb8";
  const std::string problem =
      "not TOML: a character outside ASCII must stand in quotes or in a comment";
  CHECK(problems_of("a3" + stray) == "1:3: " + problem);
  CHECK(problems_of("name = \"a\"\n " + stray) == "2:2: " + problem);
  CHECK(problems_of("a = \"\"\"\"x\"\"\"\"\n" + stray) == "2:1: " + problem);
  CHECK(problems_of("a = \"\\" + stray + "\"") == "1:7: " + problem);
  CHECK(problems_of("a = \"\"\"\\\n  " + stray + "\"\"\"") == "2:3: " + problem);
  CHECK(problems_of("a = \"open\n" + stray) == "2:1: " + problem);
  for (const char* config : {"{ a = \"x@\" }", "{ a = '@' } # @", "{ a = \"\\\"@\" }",
                             "{ a = \"\"\"\n\"@\"\"\"\"\"}", "{ a = ''' '@ ''' }"}) {
    std::string text = std::string(plugin_text) + "config = " + config;
    for (size_t mark = text.find('@'); mark != std::string::npos; mark = text.find('@')) {
      text.replace(mark, 1, stray);
    }
    CHECK(problems_of(text) == "");
  }
  CHECK(problems_of("\xef\xbb\xbfname = \"x\"") == "");
}

TEST_CASE("config: a file that is too large or too deep is refused") {
  CHECK(load(std::string(file_bytes_max + 1, ' ')).problems.at(0).message ==
        "the file is larger than 1 MiB");
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  CHECK(problems_of("name = " + deep).find("nested more than 16 levels") != std::string::npos);
  const std::string hostile = std::string(100000, '[');
  CHECK(problems_of("name = " + hostile).find("not TOML") != std::string::npos);
}

TEST_CASE("config: there may be at most so many sections and entries") {
  std::string text;
  for (size_t index = 0; index <= plugins_max; ++index) {
    text += "[[plugin]]\nid = \"p" + std::to_string(index) + "\"\nisolation = \"inproc\"\n";
  }
  CHECK(problems_of(text) == "193:1: plugin: more than 64 of them");
  std::string list = "plugin_path = [\"a\"";
  for (int index = 0; index < 64; ++index) list += ", \"a\"";
  CHECK(problems_of(list + "]") == "1:1: plugin_path: has more than 64 entries");
}

TEST_CASE("config: a secret that is missing is a problem with its key") {
  CHECK(problems_of(std::string(plugin_text) + "config = { tls = { key = \"file:none\" } }") ==
        "5:20: plugin.config.tls.key: the file /etc/limpet/none cannot be read");
  CHECK(problems_of("name = \"${NONE}\"") == "1:1: name: the environment variable NONE is not set");
}

TEST_CASE("config: a later file overrides keys and adds sections") {
  const Loaded loaded = parse_settings(
      {{"/etc/limpet/limpet.toml", std::string("name = \"a\"\n[store]\nlinger_ms = 1\n"
                                               "max_bytes = \"8MiB\"") +
                                       plugin_text},
       {"/etc/limpet/conf.d/10.toml",
        "name = \"b\"\n[store]\nlinger_ms = 2\npath = \"s\"\n[[plugin]]\nid = \"org.x.y\"\n"
        "isolation = \"inproc\""}},
      environment());
  REQUIRE(loaded.ok());
  CHECK(loaded.settings.name == "b");
  CHECK(loaded.settings.store.linger_ms == 2);
  CHECK(loaded.settings.store.max_bytes == uint64_t{8} << 20);
  CHECK(loaded.settings.store.path == "/etc/limpet/conf.d/s");
  CHECK(loaded.settings.plugins.size() == 2);
  CHECK(loaded.settings.plugins.at(1).place.file == "/etc/limpet/conf.d/10.toml");
}

TEST_CASE("config: files are read from disk, conf.d by name, others left alone") {
  const testing::TemporaryDirectory directory;
  const std::filesystem::path folder = directory.path();
  std::filesystem::create_directory(folder / "conf.d");
  std::ofstream(folder / "limpet.toml") << "name = \"a\"\n";
  std::ofstream(folder / "conf.d" / "20.toml") << "name = \"c\"\n";
  std::ofstream(folder / "conf.d" / "10.toml") << "name = \"b\"\n[store]\nlinger_ms = 7\n";
  std::ofstream(folder / "conf.d" / "30.toml.bak") << "name = \"d\"\n";
  const Loaded loaded = load_settings((folder / "limpet.toml").string(), environment());
  REQUIRE(loaded.ok());
  CHECK(loaded.settings.name == "c");
  CHECK(loaded.settings.store.linger_ms == 7);

  const Loaded missing = load_settings((folder / "none.toml").string(), environment());
  REQUIRE(missing.problems.size() == 1);
  CHECK(missing.problems[0].message == "the file cannot be read");
}

TEST_CASE("config: what would run is told in lines for people") {
  const std::string text =
      describe(good(std::string(agent_text) + "tools = [\"sysinfo.*\"]\ndeadline = \"1h\"\n"
                                              "[[trigger]]\nagent = \"watchdog\"\nevent = \"a.*\"\n"
                                              "key = \"{subject}\""));
  CHECK(text.find("store     /var/lib/limpet, at most 1GiB, linger 0 ms\n") != std::string::npos);
  CHECK(text.find("plugin    watchdog: org.limpet.watchdog, in this process\n") !=
        std::string::npos);
  CHECK(text.find("agent     watchdog: in watchdog, supervised, tools sysinfo.*; turns 10000, open "
                  "steps 16, deadline 1h\n") != std::string::npos);
  CHECK(text.find("trigger   a.* -> watchdog, a run per {subject}\n") != std::string::npos);
}

TEST_CASE("config: queues, classes, tools, schedules and principals are read with their defaults") {
  const Loaded loaded = parse_settings(
      {{"limpet.toml",
        "[[class]]\nname = \"telemetry\"\ntypes = [\"sensor.#\"]\nmax_bytes = \"200MiB\"\n"
        "on_full = \"drop_oldest\"\ndurability = \"relaxed\"\n"
        "[[queue]]\nname = \"jobs\"\nageing = \"off\"\nrate = \"10/s\"\ntenant_rate = "
        "\"1/10s\"\nbackoff = [\"1s\", \"1m\"]\n"
        "[[tool]]\nname = \"ocr.page\"\nqueue = \"jobs\"\nhints = [\"read_only\"]\n"
        "[[schedule]]\nname = \"nightly\"\ncron = \"0 2 * * *\"\nqueue = \"jobs\"\n"
        "[[principal]]\nname = \"uid:1000\"\nrights = [\"read\", \"work\"]\n"}},
      environment());
  for (const Problem& problem : loaded.problems) FAIL_CHECK(to_string(problem));
  const Settings& settings = loaded.settings;
  REQUIRE(settings.classes.size() == 1);
  CHECK(settings.classes[0].on_full == OnFull::drop_oldest);
  CHECK(settings.classes[0].durability == Durability::relaxed);
  REQUIRE(settings.queues.size() == 1);
  CHECK(settings.queues[0].max_tasks == 100000);
  CHECK(settings.queues[0].ageing == limpet::Duration());
  CHECK(settings.queues[0].lease == limpet::seconds(30));
  CHECK(settings.queues[0].rate.count == 10);
  CHECK(settings.queues[0].tenant_rate.per == limpet::seconds(10));
  CHECK(settings.queues[0].backoff.size() == 2);
  REQUIRE(settings.schedules.size() == 1);
  CHECK(settings.schedules[0].catch_up == CatchUp::once);
  CHECK(settings.principals.size() == 1);
  CHECK(settings.tools[0].queue == "jobs");
}

TEST_CASE("config: a trigger by the clock is a schedule whose ticks it takes") {
  const Loaded loaded = parse_settings(
      {{"limpet.toml", std::string(agent_text) +
                           "[[trigger]]\nagent = \"watchdog\"\nschedule = \"*/5 * * * *\"\n"}},
      environment());
  for (const Problem& problem : loaded.problems) FAIL_CHECK(to_string(problem));
  REQUIRE(loaded.settings.schedules.size() == 1);
  CHECK(loaded.settings.schedules[0].cron == "*/5 * * * *");
  CHECK(loaded.settings.schedules[0].event == "schedule.watchdog");
  CHECK(loaded.settings.triggers[0].event == "schedule.watchdog");
}

TEST_CASE("config: what contradicts itself is said with its line") {
  CHECK(problems_of("[[queue]]\nname = \"Jobs\"").starts_with("2:1: queue.name: 'Jobs': a name"));
  CHECK(problems_of("[[queue]]\nname = \"jobs\"\nrate = \"10\"")
            .starts_with("3:1: queue.rate: wants a rate like"));
  CHECK(problems_of("[[queue]]\nname = \"jobs\"\n[[queue]]\nname = \"jobs\"") ==
        "4:1: queue.name: 'jobs' is taken; names are unique");
  CHECK(problems_of("[[tool]]\nname = \"ocr.page\"\nqueue = \"ocr\"") ==
        "3:1: tool.queue: no [[queue]] is named 'ocr'; there is none");
  CHECK(problems_of("[[schedule]]\nname = \"a\"\ncron = \"* * * *\"\nevent = \"a.b\"")
            .starts_with("3:1: schedule.cron: '* * * *': a cron text has five fields"));
  CHECK(problems_of("[[schedule]]\nname = \"a\"\nevent = \"a.b\"") ==
        "1:1: schedule: wants either `cron` or `every`");
  CHECK(problems_of("[[principal]]\nname = \"root\"")
            .starts_with("2:1: principal.name: 'root': a principal is"));
  CHECK(problems_of("[api]\ntcp = \"127.0.0.1:7420\"") ==
        "api.token_file: is missing: `tcp` is served to those with a token only");
}
