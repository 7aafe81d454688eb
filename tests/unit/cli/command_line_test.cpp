// The verbs as a person or a script calls them, against the API over a fake house.

#include "cli/command_line.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "codec/cbor_value.hpp"
#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

struct Ran {
  int exit;
  std::string out;
  std::string err;
};

struct Shell {
  std::map<std::string, std::string> variables;
  std::string input;
  cli::Globals daemon_globals;  // as the verbs `run` and `check` got them
  cli::CheckReport report;

  Ran run(const std::vector<std::string>& arguments) {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const cli::Surroundings surroundings = {
        in,
        out,
        err,
        [this](const char* name) {
          const auto found = variables.find(name);
          return found == variables.end() ? std::nullopt : std::optional(found->second);
        },
        [this](const cli::Globals& globals) {
          daemon_globals = globals;
          return 7;
        },
        [this](const cli::Globals& globals) {
          daemon_globals = globals;
          return report;
        }};
    const int exit = cli::run_command_line(arguments, surroundings);
    return {exit, out.str(), err.str()};
  }
};

Shell shell_for(const ServerFixture& server) {
  Shell shell;
  shell.variables["LIMPET_SOCKET"] = server.socket;
  return shell;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("cli: no verb, an unknown verb and a wrong option are usage errors; help is not") {
  Shell shell;
  CHECK(shell.run({}).exit == 2);
  CHECK(shell.run({"fly"}).exit == 2);
  CHECK(shell.run({"status", "--fast"}).exit == 2);
  CHECK(shell.run({"runs", "resolve", "r", "s", "--done", "--retry"}).exit == 2);
  CHECK(shell.run({"runs", "resolve", "r", "s"}).exit == 2);
  const Ran help = shell.run({"--help"});
  CHECK(help.exit == 0);
  CHECK(has(help.out, "submit"));
  CHECK(shell.run({"--version"}).exit == 0);
}

TEST_CASE("cli: run gets the options, variables fill what is missing") {
  Shell shell;
  shell.variables = {{"LIMPET_DATA", "/d"}, {"LIMPET_CONFIG", "/c"}, {"LIMPET_SOCKET", "/s"}};
  CHECK(shell.run({"run"}).exit == 7);
  CHECK(shell.daemon_globals.data == "/d");
  CHECK(shell.daemon_globals.config == "/c");
  CHECK(shell.daemon_globals.socket == "/s");
  CHECK(shell.run({"run", "--data", "/other"}).exit == 7);
  CHECK(shell.daemon_globals.data == "/other");
  CHECK(shell.daemon_globals.socket.empty());
}

TEST_CASE("cli: without a daemon the sentence says where it was looked for") {
  Shell shell;
  const TemporaryDirectory directory;
  const Ran ran = shell.run({"status", "--data", directory.path()});
  CHECK(ran.exit == 1);
  CHECK(ran.err ==
        "limpet: is limpet running? There is no socket at " + directory.path() + "/limpet.sock.\n");
}

TEST_CASE("cli: submit prints the acknowledged sequences") {
  ServerFixture server;
  Shell shell = shell_for(server);
  const Ran one =
      shell.run({"submit", "--type", "door.opened", "--subject", "d7", "--data", R"({"n":1})"});
  CHECK(one.exit == 0);
  CHECK(one.out == "acknowledged 1 (epoch 04hmasw9)\n");
  shell.input = R"([{"specversion":"1.0","type":"a.b"},{"specversion":"1.0","type":"a.c"}])";
  CHECK(shell.run({"submit", "-"}).out == "acknowledged 2..3 (epoch 04hmasw9)\n");
  CHECK(has(shell.run({"submit", "-", "--json"}).out, R"({"epoch":"04hmasw9","first":4,"last":5)"));
  server.on_loop([&] {
    CHECK(server.services.events.at(0).subject == "d7");
    CHECK(server.services.events.at(0).data == codec::cbor_map({{"n", 1}}));
  });
}

TEST_CASE("cli: submit sends a long input in batches, each acknowledged when it is stored") {
  ServerFixture server;
  Shell shell = shell_for(server);
  for (int count = 0; count < 600; ++count) {
    shell.input += R"({"specversion":"1.0","type":"a.b","data":)" + std::to_string(count) + "}\n";
  }
  const Ran ran = shell.run({"submit", "-"});
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "acknowledged 1..256 (epoch 04hmasw9)\nacknowledged 257..512 (epoch 04hmasw9)\n"
        "acknowledged 513..600 (epoch 04hmasw9)\n");
  server.on_loop([&] { CHECK(server.services.events.size() == 600); });
}

TEST_CASE("cli: submit takes a file, and --data means the directory where no event has data") {
  ServerFixture server;
  Shell shell;
  const TemporaryDirectory directory;
  std::ofstream(directory.file("event.json")) << R"({"specversion":"1.0","type":"a.b"})";
  const std::string data = server.socket.substr(0, server.socket.rfind('/'));
  std::filesystem::create_symlink(server.socket, data + "/limpet.sock");
  CHECK(shell.run({"submit", "--data", data, directory.file("event.json")}).exit == 0);
  CHECK(shell.run({"--data", data, "submit", "--type", "a.b", "--data", "1"}).exit == 0);
  const Ran missing = shell.run({"submit", "--data", data, directory.file("none.json")});
  CHECK(missing.exit == 1);
  CHECK(has(missing.err, "No such file"));
}

TEST_CASE("cli: wrong input is usage, a refusal is a failure, a full house is for later") {
  ServerFixture server;
  Shell shell = shell_for(server);
  CHECK(shell.run({"submit"}).exit == 2);
  CHECK(shell.run({"submit", "-", "--agent", "a"}).exit == 2);
  const Ran bad_data = shell.run({"submit", "--type", "a.b", "--data", "{nope"});
  CHECK(bad_data.exit == 2);
  CHECK(has(bad_data.err, "--data is not JSON"));
  shell.input = R"({"specversion":"1.0"})";
  const Ran refused = shell.run({"submit", "-"});
  CHECK(refused.exit == 1);
  CHECK(has(refused.err, "`type`"));
  CHECK(refused.out.empty());
  server.on_loop([&] {
    server.services.refuse_next =
        api::Refusal{{ErrorCode::full, "test"}, "The class `work` is full.", 2000};
  });
  const Ran later = shell.run({"submit", "--type", "a.b"});
  CHECK(later.exit == 3);
  CHECK(later.err == "limpet: The class `work` is full. Retry after 2 s.\n");
}

TEST_CASE("cli: submit starts a run, waits for its end and tells how it ended") {
  ServerFixture server;
  Shell shell = shell_for(server);
  const Ran plain = shell.run({"submit", "--agent", "watchdog", "--input", "{}", "--key", "k"});
  CHECK(plain.exit == 0);
  CHECK(plain.out == "run 04hmasw9-1\n");
  const Ran unknown = shell.run({"submit", "--agent", "nobody"});
  CHECK(unknown.exit == 1);
  CHECK(has(unknown.err, "There is no agent `nobody`."));
  server.on_loop([&] {
    server.services.runs[0].run.state = RunState::failed;
    server.services.runs[0].run.reason = "deadline";
    server.services.submissions[0].idempotency_key = "same";
  });
  const std::vector<std::string> wait = {"submit", "--agent",           "watchdog",
                                         "--wait", "--idempotency-key", "same"};
  const Ran failed = shell.run(wait);
  CHECK(failed.exit == 1);
  CHECK(failed.out == "run 04hmasw9-1 (was there already)\nfailed (deadline)\n");
  server.on_loop([&] {
    server.services.runs[0].run.state = RunState::completed;
    server.services.runs[0].output = codec::cbor_map({{"ok", true}});
  });
  const Ran completed = shell.run(wait);
  CHECK(completed.exit == 0);
  CHECK(has(completed.out, "completed"));
  CHECK(has(completed.out, R"({"ok":true})"));
}

TEST_CASE("cli: waiting for a run ends at its timeout with its own exit code") {
  ServerFixture server;
  Shell shell = shell_for(server);
  const Ran ran = shell.run({"submit", "--agent", "watchdog", "--wait", "--timeout", "20ms"});
  CHECK(ran.exit == 4);
  CHECK(shell.run({"submit", "--agent", "watchdog", "--wait", "--timeout", "soon"}).exit == 2);
}

TEST_CASE("cli: events prints a timeline, or the lines as they are") {
  ServerFixture server;
  Shell shell = shell_for(server);
  shell.variables["TZ"] = "UTC";
  server.on_loop([&] {
    Event event = make_event("door.opened", 0);
    event.subject = "d7";
    event.data = codec::cbor_map({{"n", 1}});
    server.services.append(std::move(event));
    server.services.append(make_event("a.b", 200));
  });
  const Ran ran = shell.run({"events"});
  CHECK(ran.exit == 0);
  CHECK(ran.out.rfind("      1  2023-11-1", 0) == 0);
  CHECK(has(ran.out, "  door.opened             d7            {\"n\":1}\n"));
  CHECK(has(ran.out, "x…\n"));
  const Ran json = shell.run({"events", "--json", "--type", "door.*"});
  CHECK(json.out.rfind(R"({"specversion":"1.0")", 0) == 0);
  CHECK(std::count(json.out.begin(), json.out.end(), '\n') == 1);
  CHECK(has(shell.run({"events", "--from", "2", "--limit", "1"}).out, "      2  "));
  CHECK(shell.run({"events", "--type", "a..b"}).exit == 1);
}

TEST_CASE("cli: events --follow shows what comes, until the stream breaks off") {
  ServerFixture server;
  Shell shell = shell_for(server);
  std::thread producer([&] {
    CHECK(server.eventually([&] { return server.api->stats().streaming == 1; }));
    server.on_loop([&] {
      server.services.append(make_event("a.b", 1));
      server.services.read_fails = true;
      server.services.append(make_event("a.c", 1));
    });
  });
  const Ran ran = shell.run({"events", "--follow"});
  producer.join();
  CHECK(ran.exit == 1);
  CHECK(has(ran.out, "a.b"));
}

TEST_CASE("cli: runs are listed, shown, settled and cancelled") {
  ServerFixture server;
  Shell shell = shell_for(server);
  server.on_loop([&] {
    api::RunView view;
    view.run.id = RunId(7);
    view.run.agent = "watchdog";
    view.run.state = RunState::waiting;
    Step step;
    step.ordinal = Ordinal(1);
    step.name = "tell";
    step.tool = "notify.write";
    step.state = StepState::unknown;
    view.steps.push_back(step);
    server.services.runs.push_back(view);
  });
  const Ran list = shell.run({"runs", "--state", "waiting"});
  CHECK(list.exit == 0);
  CHECK(has(list.out, "04hmasw9-7  watchdog  waiting"));
  const Ran show = shell.run({"runs", "show", "04hmasw9-7"});
  CHECK(show.exit == 0);
  CHECK(has(show.out, "state: waiting\n"));
  CHECK(has(show.out, "tell  unknown"));
  CHECK(has(shell.run({"runs", "show", "04hmasw9-7", "--json"}).out, R"("name":"tell")"));
  CHECK(shell.run({"runs", "show", "04hmasw9-8"}).exit == 1);
  CHECK(shell.run({"runs", "resolve", "04hmasw9-7", "tell", "--done", "--value", "5"}).exit == 0);
  CHECK(shell.run({"runs", "resolve", "04hmasw9-7", "tell", "--done", "--value", "{"}).exit == 2);
  CHECK(shell.run({"runs", "cancel", "04hmasw9-7"}).out == "done\n");
  std::vector<api::Resolution> resolutions;
  server.on_loop([&] { resolutions = server.services.resolutions; });
  REQUIRE(resolutions.size() == 1);
  CHECK(resolutions[0].value == codec::cbor_item(5));
}

TEST_CASE("cli: status and plugins come as text or JSON") {
  const ServerFixture server;
  Shell shell = shell_for(server);
  CHECK(shell.run({"status"}).out == "name: test\n");
  CHECK(shell.run({"status", "--json"}).out == "{\"name\":\"test\"}\n");
  CHECK(has(shell.run({"plugin", "list"}).out, "NAME"));
  CHECK(shell.run({"plugin", "inspect", "/nonexistent.so"}).exit == 1);
}

TEST_CASE("cli: check prints the daemon's report, as problems when it would not start") {
  Shell shell;
  shell.report = {0, "name gateway\nplugin x\n"};
  CHECK(shell.run({"check"}).out == "name gateway\nplugin x\n");
  CHECK(shell.run({"check", "--json"}).out ==
        "{\"ok\":true,\"report\":[\"name gateway\",\"plugin x\"]}\n");
  shell.report = {1, "limpet.toml:1:1: nome: unknown\n"};
  const Ran bad = shell.run({"check", "--config", "limpet.toml"});
  CHECK(bad.exit == 1);
  CHECK(bad.err == "limpet.toml:1:1: nome: unknown\n");
  CHECK(bad.out.empty());
  CHECK(shell.daemon_globals.config == "limpet.toml");
}

TEST_CASE("cli: completion is a script that names every verb") {
  Shell shell;
  const Ran ran = shell.run({"completion"});
  CHECK(ran.exit == 0);
  for (const char* verb : {"run", "check", "submit", "runs", "events", "status", "plugin"}) {
    CHECK(has(ran.out, verb));
  }
}
