// Anything as limpet.toml. It is taken or refused with a sentence; what is taken has plugins and
// agents with names, and can be told to people.
#include "config/explain.hpp"
#include "config/load.hpp"
#include "tests/fuzz/require.hpp"

namespace config = limpet::config;
using limpet::fuzz::require;

namespace {

config::Environment environment() {
  config::Environment result;
  result.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "NONE") return std::nullopt;
    return "value of " + name;
  };
  result.file = [](const std::string& path) -> std::optional<std::string> {
    if (path.size() % 2 == 0) return std::nullopt;
    return "content of " + path;
  };
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(limpet::as_text({data, size}));
  const config::Loaded loaded = config::parse_settings({{"f.toml", text}}, environment());
  require(loaded.problems.size() <= config::problems_max + 1);
  for (const config::Problem& problem : loaded.problems) {
    require(!problem.message.empty());
    (void)config::to_string(problem);
  }
  if (!loaded.ok()) return 0;
  for (const config::PluginSettings& plugin : loaded.settings.plugins) {
    require(!plugin.name.empty() && !plugin.config.empty());
  }
  for (const config::AgentSettings& agent : loaded.settings.agents) {
    require(!agent.name.empty() && !agent.plugin.empty());
  }
  require(!config::describe(loaded.settings).empty());
  return 0;
}
