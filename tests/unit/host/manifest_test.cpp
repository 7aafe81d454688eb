#include "host/manifest.hpp"

#include <doctest/doctest.h>

#include <random>

#include "base/limits.hpp"

using namespace limpet;
using namespace limpet::host;

namespace {

const std::string good = R"({
  "id": "org.example.pump", "version": "1.2.0", "abi": {"major": 0, "minor": 1},
  "config": {"type": "object"}, "later": [1, 2, 3],
  "tools": [{"name": "pump.start", "quick": true, "timeout_ms": 500, "concurrency": 3,
             "arguments": {"type": "object", "properties": {"rpm": {"type": "integer"}}},
             "hints": {"read_only": false, "destructive": false, "idempotent": true,
                       "open_world": false}}],
  "agents": [{"name": "nurse", "state_version": 4, "state_version_min": 2}],
  "sources": [{"name": "meter", "events": ["pump.reading", "pump.alarm"]}]
})";

std::string replaced(std::string_view what, std::string_view with) {
  std::string text = good;
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

std::string problem_of(const std::string& json) {
  const auto parsed = parse_manifest(json);
  const auto* problem = std::get_if<std::string>(&parsed);
  return problem != nullptr ? *problem : "";
}

}  // namespace

TEST_CASE("manifest: everything a plugin says of itself is read") {
  const auto parsed = parse_manifest(good);
  REQUIRE(std::holds_alternative<Manifest>(parsed));
  const Manifest& manifest = std::get<Manifest>(parsed);
  CHECK(manifest.id == "org.example.pump");
  CHECK(manifest.default_name() == "pump");
  CHECK(manifest.version == "1.2.0");
  CHECK(manifest.abi_minor == 1);
  REQUIRE(manifest.tools.size() == 1);
  const ManifestTool& tool = manifest.tools.front();
  CHECK(tool.name == "pump.start");
  CHECK(tool.quick);
  CHECK(tool.timeout_ms == 500);
  CHECK(tool.concurrency == 3);
  CHECK(tool.hints == ToolHints{false, false, true, false});
  CHECK(tool.arguments.json.find("rpm") != std::string::npos);
  CHECK(manifest.state_version == 4);
  CHECK(manifest.state_version_min == 2);
  CHECK(manifest.source_types == std::vector<std::string>{"pump.reading", "pump.alarm"});
}

TEST_CASE("manifest: what is not said has its default") {
  const auto parsed = parse_manifest(
      R"({"id": "org.example.pump", "version": "1", "abi": {"major": 0, "minor": 1},
          "tools": [{"name": "start", "hints": {"read_only": true, "destructive": false,
                     "idempotent": false, "open_world": true}}]})");
  REQUIRE(std::holds_alternative<Manifest>(parsed));
  const Manifest& manifest = std::get<Manifest>(parsed);
  CHECK(manifest.tools[0].timeout_ms == limits::tool_timeout_ms_default);
  CHECK(manifest.tools[0].concurrency == 1);
  CHECK_FALSE(manifest.tools[0].quick);
  CHECK(manifest.agents.empty());
  CHECK(manifest.state_version == 0);
}

TEST_CASE("manifest: each fault is one sentence that begins with its place") {
  CHECK(problem_of("{") != "");
  CHECK(problem_of("[]") == "the manifest: must be a map");
  CHECK(problem_of("{}") == "id: is missing");
  CHECK(problem_of(replaced("\"org.example.pump\"", "7")) == "id: must be a text");
  CHECK(problem_of(replaced("org.example.pump", "pump")).find("id: must be a reversed") == 0);
  CHECK(problem_of(replaced("org.example.pump", "org..pump")).find("id: ") == 0);
  CHECK(problem_of(replaced("org.example.pump", "Org.Example")).find("id: ") == 0);
  CHECK(problem_of(replaced("\"1.2.0\"", "\"\"")) == "version: is empty");
  CHECK(problem_of(replaced("\"minor\": 1", "\"minor\": -1")).find("abi.minor: must be") == 0);
  CHECK(problem_of(replaced("500", "0")).find("tools[0].timeout_ms: must be a whole number") == 0);
  CHECK(problem_of(replaced("\"concurrency\": 3", "\"concurrency\": 3.5"))
            .find("tools[0].concurrency:") == 0);
  CHECK(problem_of(replaced("\"quick\": true", "\"quick\": 1")) ==
        "tools[0].quick: must be true or false");
  CHECK(problem_of(replaced("\"read_only\": false, ", "")) ==
        "tools[0].hints.read_only: is missing");
  CHECK(problem_of(replaced("\"read_only\": false, \"destructive\": false",
                            "\"read_only\": true, \"destructive\": true"))
            .find("tools[0].hints: ") == 0);
  CHECK(problem_of(replaced("pump.start", "pump start")).find("tools[0].name: ") == 0);
  CHECK(problem_of(replaced("\"integer\"", "\"whole\"")).find("tools[0].arguments: ") == 0);
  CHECK(problem_of(replaced("\"state_version_min\": 2", "\"state_version_min\": 5"))
            .find("agents[0].state_version_min: ") == 0);
  CHECK(problem_of(replaced("pump.alarm", "limpet.alarm")) ==
        "sources[0].events[1]: may not begin with \"limpet.\"");
  CHECK(problem_of(replaced("pump.alarm", "pump alarm")).find("sources[0].events[1]: ") == 0);
}

TEST_CASE("manifest: a tool that is there twice is refused") {
  const std::string tool = good.substr(good.find("{\"name\": \"pump.start\""));
  const std::string entry = tool.substr(0, tool.find("}}]") + 2);
  CHECK(problem_of(replaced("\"tools\": [", "\"tools\": [" + entry + ",")) ==
        "tools[1].name: is there twice: \"pump.start\"");
}

TEST_CASE("manifest: size and nesting are bounded before anything is read") {
  CHECK(problem_of(std::string(limits::manifest_bytes_max + 1, ' ')).find("larger") !=
        std::string::npos);
  CHECK(problem_of(std::string(100000, '[')) != "");
}

TEST_CASE("manifest: cut off or damaged anywhere it is refused or read, never more") {
  for (size_t size = 0; size < good.size(); ++size) CHECK(problem_of(good.substr(0, size)) != "");
  std::mt19937 random(99);
  size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    text[random() % text.size()] = static_cast<char>(random());
    refused += problem_of(text).empty() ? 0 : 1;
  }
  CHECK(refused > 1000);
}

TEST_CASE("manifest: names of instances cannot be mistaken for tools or paths") {
  CHECK(instance_name_valid("line1"));
  CHECK(instance_name_valid("a-b_c"));
  for (const std::string& name : {std::string(), std::string("a.b"), std::string("a/b"),
                                  std::string("A"), std::string(33, 'a')}) {
    CHECK_FALSE(instance_name_valid(name));
  }
}
