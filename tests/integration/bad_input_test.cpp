// Bad input from outside, end to end: one clear sentence, the right code, and nothing lost.

#include <filesystem>

#include "base/limits.hpp"
#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// The daemon refuses to start: code 1, and a line that says all of `parts`.
void check_refused(const Gateway& gateway, const std::vector<std::string>& parts) {
  const ProgramResult result = gateway.run({"run"});
  CHECK(result.exit_code == 1);
  CHECK_MESSAGE(lines_of(result.output) == 1, result.output);
  for (const std::string& part : parts) CHECK_MESSAGE(contains(result.output, part), result.output);
  // `check` finds the same without running anything.
  const ProgramResult checked = gateway.run({"check"});
  CHECK(checked.exit_code == 1);
  for (const std::string& part : parts) {
    CHECK_MESSAGE(contains(checked.output, part), checked.output);
  }
}

std::string plugin_at(const std::string& path) {
  return "[[plugin]]\npath = \"" + path + "\"\nname = \"broken\"\nisolation = \"inproc\"\n";
}

std::string event_with_data(const std::string& data) {
  return R"({"specversion":"1.0","source":"test","type":"a.b","data":)" + data + "}";
}

}  // namespace

TEST_CASE("run: an unknown key is refused with its place and the nearest valid key") {
  check_refused(Gateway("[limits]\nmemroy = \"32MiB\"\n"), {"limpet.toml:9", "memroy", "memory"});
}

TEST_CASE("run: a value of the wrong type is refused with its place") {
  check_refused(Gateway("[limits]\nmemory = [1]\n"), {"limpet.toml:9", "limits.memory"});
}

TEST_CASE("run: what is not TOML is refused with its place") {
  check_refused(Gateway("[limits\n"), {"limpet.toml:8"});
}

TEST_CASE("run: a plugin that is not there is refused by its path") {
  check_refused(Gateway(plugin_at("/nowhere/missing.so")), {"missing.so"});
}

TEST_CASE("run: a plugin that is no shared object is refused by its path") {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("text.so")) << "not a plugin\n";
  check_refused(Gateway(plugin_at(directory.file("text.so"))), {"text.so"});
}

TEST_CASE("run: a plugin of another ABI is refused by its path and version") {
  check_refused(Gateway(plugin_at(program_folder() + "/../tests/plugins/future.so")),
                {"future.so", "ABI"});
}

TEST_CASE("run: without a place for the data it says what is missing") {
  if (std::filesystem::exists("/etc/limpet/limpet.toml")) {
    MESSAGE("skipped: Limpet is installed here, and its config would start that daemon");
    return;
  }
  const ProgramResult result = run_program({Gateway::program(), {"run"}, {}, ""}, Gateway::limit);
  CHECK(result.exit_code == 1);
  CHECK_MESSAGE(contains(result.output, "--data"), result.output);
}

TEST_CASE("run: a second daemon on the same folder is refused and the first goes on") {
  Gateway gateway;
  gateway.start();
  const uint64_t before = gateway.post("a.before");
  const ProgramResult second = gateway.run({"run"});
  CHECK(second.exit_code == 1);
  CHECK_MESSAGE(lines_of(second.output) == 1, second.output);
  CHECK_MESSAGE(contains(second.output, gateway.file("data")), second.output);
  CHECK(gateway.post("a.after") == before + 1);
}

TEST_CASE("api: each bad request has its own answer, and the good ones around them are kept") {
  Gateway gateway;
  gateway.start();
  const uint64_t first = gateway.post("good.event");
  const std::string too_large(limits::event_data_bytes_max + 1, 'x');
  struct Case {
    std::string body;
    int status;
    std::string reason;  // in the problem's sentence
  };
  const std::vector<Case> cases{
      {"{\"specversion\":", 400, "line 1"},
      {"", 400, ""},
      {"[1]", 400, ""},
      {R"({"specversion":"1.0","source":"test"})", 400, "type"},
      {R"({"specversion":"1.0","type":"a b","source":"test"})", 400, "type"},
      {R"({"specversion":"1.0","type":"limpet.run.failed","source":"test"})", 403, "limpet."},
      {event_with_data("\"" + too_large + "\""), 413, ""},
      {event_with_data(std::string(100, '[') + std::string(100, ']')), 413, "nested"},
      // One bad event in a batch: none of it is taken.
      {"[" + event_with_data("1") + R"(,{"specversion":"1.0","source":"test"}])", 400, "type"}};
  for (const Case& one : cases) {
    CAPTURE(one.body.substr(0, 80));
    const Answer answer = gateway.client().post("/v1/events", one.body);
    CHECK_MESSAGE(answer.status == one.status, answer.text);
    CHECK(answer.view()["status"].uint_or(0) == static_cast<uint64_t>(one.status));
    const std::string detail(answer.view()["detail"].text_or(""));
    CHECK_FALSE(detail.empty());
    CHECK_MESSAGE(contains(detail, one.reason), detail);
  }
  CHECK(gateway.client().get("/v1/nothing").status == 404);
  CHECK(gateway.client().get("/v1/runs/nonsense").status >= 400);
  CHECK(gateway.client().post("/v1/runs", R"({"agent":"nobody"})").status == 404);
  CHECK(gateway.post("good.event") == first + 1);
}
