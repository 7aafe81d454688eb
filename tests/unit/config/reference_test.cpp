#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "config/explain.hpp"
#include "config/keys.hpp"
#include "config/load.hpp"

using namespace limpet::config;

namespace {

const std::string config_directory = LIMPET_TEST_CONFIG_DIRECTORY;

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

Environment bare_environment() {
  Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.file = [](const std::string&) { return std::nullopt; };
  return environment;
}

// The file with the default of every key that has one taken out of its comment.
std::string uncommented(const std::string& reference) {
  std::istringstream lines(reference);
  std::string out;
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line;
    for (const SectionInfo& info : sections()) {
      if (info.repeated ||
          (info.name.empty() ? !section.empty() : section != "[" + std::string(info.name) + "]")) {
        continue;
      }
      for (const KeyInfo& key : info.keys) {
        if (key.fallback.empty()) continue;
        const std::string wanted = std::string(key.name).append(" = ").append(key.fallback);
        if (line == "# " + wanted) line = wanted;
      }
    }
    out.append(line).append("\n");
  }
  return out;
}

}  // namespace

TEST_CASE("reference: config/limpet.toml is what the key table says") {
  CHECK(content_of(config_directory + "/limpet.toml") == reference());
}

TEST_CASE("reference: it names every key with a reason, and keeps to 100 columns") {
  const std::string text = reference();
  for (const SectionInfo& section : sections()) {
    for (const KeyInfo& key : section.keys) {
      CAPTURE(key.name);
      const bool offered = key.unavailable.empty();
      CHECK((!offered || !key.reason.empty()));
      CHECK((!offered || !key.fallback.empty() || !key.example.empty()));
      const std::string wanted = offered ? "\n# " + std::string(key.name) + " = "
                                         : "Not in this build: `" + std::string(key.name) + "`";
      CHECK(text.find(wanted) != std::string::npos);
    }
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
}

TEST_CASE("reference: as it is, and with every default written out, it changes nothing") {
  const Loaded defaults = parse_settings({}, bare_environment());
  REQUIRE(defaults.ok());
  const std::string written = uncommented(reference());
  CHECK(written.find("\nlinger_ms = 0\n") != std::string::npos);
  for (const std::string& text : {reference(), written}) {
    const Loaded loaded = parse_settings({{"limpet.toml", text}}, bare_environment());
    for (const Problem& problem : loaded.problems) FAIL_CHECK(to_string(problem));
    CHECK(describe(loaded.settings) == describe(defaults.settings));
  }
}

TEST_CASE("reference: demo.toml loads, with its environment and without") {
  Environment environment = bare_environment();
  const std::string path = config_directory + "/demo.toml";
  for (const bool moved : {false, true}) {
    if (moved) {
      environment.variable = [](const std::string& name) -> std::optional<std::string> {
        if (name == "LIMPET_DEMO_DIR") return "/moved";
        return std::nullopt;
      };
    }
    const Loaded loaded = parse_settings({{path, content_of(path)}}, environment);
    for (const Problem& problem : loaded.problems) FAIL_CHECK(to_string(problem));
    CHECK(loaded.settings.plugins.size() == 3);
    CHECK(loaded.settings.agents.size() == 1);
    CHECK(loaded.settings.triggers.size() == 1);
    CHECK(loaded.settings.api.socket ==
          (moved ? "/moved/limpet.sock" : "/tmp/limpet-demo/limpet.sock"));
    CHECK(loaded.settings.plugin_path.front().ends_with("/build/release/lib/limpet/plugins"));
  }
}
