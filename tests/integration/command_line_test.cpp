// The verbs, each against a daemon that runs.

#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr const char* with_notify =
    "[[plugin]]\nid = \"org.limpet.notify\"\nisolation = \"inproc\"\n"
    "config = { path = \"notices.txt\" }\n"
    "[[plugin]]\nid = \"org.limpet.watchdog\"\nisolation = \"inproc\"\n"
    "[[agent]]\nname = \"watchdog\"\nplugin = \"watchdog\"\ntools = [\"notify.write\"]\n";

}  // namespace

TEST_CASE("limpet: submit and events are a round trip") {
  Gateway gateway;
  gateway.start();
  const ProgramResult submitted = gateway.run(
      {"submit", "--type", "lab.reading", "--subject", "oven", "--data", R"({"value":42})"});
  CHECK(submitted.exit_code == 0);
  CHECK_MESSAGE(contains(submitted.output, "acknowledged"), submitted.output);
  const ProgramResult shown = gateway.run({"events", "--type", "lab.#"});
  CHECK(shown.exit_code == 0);
  CHECK_MESSAGE(lines_of(shown.output) == 1, shown.output);
  CHECK_MESSAGE(contains(shown.output, "oven"), shown.output);
  const ProgramResult json = gateway.run({"events", "--type", "lab.#", "--json"});
  CHECK_MESSAGE(contains(json.output, R"("value":42)"), json.output);
}

TEST_CASE("limpet: submit takes a file of events, one a line") {
  Gateway gateway;
  gateway.start();
  std::ofstream file(gateway.file("events.ndjson"));
  for (int index = 0; index < 300; ++index) {
    file << R"({"specversion":"1.0","source":"test","type":"lab.item","id":")" << index << "\"}\n";
  }
  file.close();
  const ProgramResult first = gateway.run({"submit", gateway.file("events.ndjson")});
  CHECK_MESSAGE(first.exit_code == 0, first.output);
  const ProgramResult again = gateway.run({"submit", gateway.file("events.ndjson")});
  CHECK_MESSAGE(again.exit_code == 0, again.output);
  CHECK_MESSAGE(contains(again.output, "duplicates"), again.output);
  const auto log = read_log(gateway.socket(), "?type=lab.item");
  REQUIRE(log);
  CHECK(log->size() == 300);
}

TEST_CASE("limpet: submit starts a run and waits for its end; runs shows it") {
  Gateway gateway(with_notify);
  gateway.start();
  // The watchdog has no threshold for it: a run that fails, with the reason.
  const ProgramResult submitted =
      gateway.run({"submit", "--agent", "watchdog", "--input", R"({"subject":"x"})", "--wait"});
  CHECK(submitted.exit_code == 1);
  CHECK_MESSAGE(contains(submitted.output, "failed"), submitted.output);
  const ProgramResult listed = gateway.run({"runs"});
  CHECK(listed.exit_code == 0);
  CHECK_MESSAGE(contains(listed.output, "watchdog"), listed.output);
  CHECK_MESSAGE(contains(listed.output, "failed"), listed.output);
}

TEST_CASE("limpet: status, plugin list and plugin inspect say what runs") {
  Gateway gateway(with_notify);
  gateway.start();
  const ProgramResult status = gateway.run({"status"});
  CHECK(status.exit_code == 0);
  CHECK_MESSAGE(contains(status.output, "store.state: ok"), status.output);
  const ProgramResult listed = gateway.run({"plugin", "list"});
  CHECK(listed.exit_code == 0);
  CHECK_MESSAGE(contains(listed.output, "org.limpet.notify"), listed.output);
  const ProgramResult inspected =
      gateway.run({"plugin", "inspect", program_folder() + "/../lib/limpet/plugins/notify.so"});
  CHECK(inspected.exit_code == 0);
  CHECK_MESSAGE(contains(inspected.output, "org.limpet.notify"), inspected.output);
  const ProgramResult missing = gateway.run({"plugin", "inspect", "/nowhere/missing.so"});
  CHECK(missing.exit_code == 1);
  CHECK_MESSAGE(lines_of(missing.output) == 1, missing.output);
}

TEST_CASE("limpet: check says what would run, without running it") {
  const Gateway gateway(with_notify);
  const ProgramResult checked = gateway.run({"check"});
  CHECK_MESSAGE(checked.exit_code == 0, checked.output);
  CHECK_MESSAGE(contains(checked.output, "notify.write"), checked.output);
  CHECK_MESSAGE(contains(checked.output, "watchdog"), checked.output);
}

TEST_CASE("limpet: without a daemon a verb says so, and without sense it is a usage error") {
  const Gateway gateway;
  const ProgramResult submitted = gateway.run({"submit", "--type", "a.b"});
  CHECK(submitted.exit_code == 1);
  CHECK_MESSAGE(contains(submitted.output, "is limpet running?"), submitted.output);
  CHECK(gateway.run({"sumbit"}).exit_code == 2);
  CHECK(gateway.run({"submit"}).exit_code == 2);
  CHECK(gateway.run({"submit", "--type", "a.b", "--data", "{"}).exit_code == 2);
}

TEST_CASE("limpet: --data alone runs the daemon and finds it") {
  const TemporaryDirectory directory;
  const std::string data = directory.file("data");
  ChildProgram daemon({Gateway::program(), {"run", "--data", data}, {}, directory.file("said")});
  DaemonClient client(data + "/limpet.sock");
  REQUIRE_MESSAGE(client.wait_ready(daemon, Gateway::limit),
                  read_whole_file(directory.file("said")));
  const ProgramResult submitted = run_program(
      {Gateway::program(), {"--data", data, "submit", "--type", "a.b"}, {}, ""}, Gateway::limit);
  CHECK_MESSAGE(submitted.exit_code == 0, submitted.output);
  daemon.send_signal(SIGTERM);
  CHECK(daemon.wait_exit(Gateway::limit) == 0);
}
