// The shipped plugins' manifests in the eyes of the host that has to accept them.
#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "codec/json.hpp"
#include "host/discovery.hpp"

namespace {

using limpet::host::Manifest;

// With its file name; the message says why it was refused.
Manifest manifest_of(const std::string& name) {
  const auto inspected = limpet::host::inspect_plugin(LIMPET_TEST_PLUGIN_FOLDER "/" + name + ".so");
  if (const auto* refusal = std::get_if<limpet::host::Refusal>(&inspected)) {
    FAIL(refusal->sentence);
  }
  return std::get<limpet::host::PluginFile>(inspected).manifest;
}

bool accepts(const limpet::host::ManifestSchema& schema, const char* json) {
  const auto item = limpet::codec::json_to_cbor(json);
  REQUIRE(item);
  return !schema.compiled.check(*item);
}

}  // namespace

TEST_CASE("shipped plugins: the host accepts every manifest") {
  CHECK(manifest_of("template").id == "org.limpet.template");
  CHECK(manifest_of("notify").tools.size() == 1);
  CHECK(manifest_of("watchdog").agents.size() == 1);
  const Manifest sysinfo = manifest_of("sysinfo");
  CHECK(sysinfo.default_name() == "sysinfo");
  CHECK(sysinfo.tools.size() == 3);
  CHECK(sysinfo.source_types == std::vector<std::string>{"sysinfo.reading"});
}

TEST_CASE("shipped plugins: configs as their READMEs show them are accepted, typos are not") {
  const Manifest sysinfo = manifest_of("sysinfo");
  CHECK(accepts(sysinfo.config, R"({"interval":"10s","disks":["/"],"log_paths":["/var/log/x"]})"));
  CHECK(accepts(sysinfo.config, R"({"interval":500})"));
  CHECK_FALSE(accepts(sysinfo.config, R"({"intervall":500})"));
  const Manifest notify = manifest_of("notify");
  CHECK(accepts(notify.config, R"({"path":"/tmp/x","delay_ms":20})"));
  CHECK_FALSE(accepts(notify.config, "{}"));
  const Manifest watchdog = manifest_of("watchdog");
  CHECK(accepts(watchdog.agents[0].config, "{}"));
  CHECK(accepts(watchdog.agents[0].config,
                R"({"thresholds":[{"subject":"disk/*","above":90,"clear_below":85.5,"for_ms":0}],
                    "tools":{"notify":"pager.write"}})"));
  CHECK_FALSE(accepts(watchdog.agents[0].config, R"({"thresholds":[{"above":90}]})"));
}

TEST_CASE("shipped plugins: only tools that cannot hurt run without a record of their start") {
  for (const auto& tool : manifest_of("sysinfo").tools) CHECK(tool.hints.read_only);
  const auto write = manifest_of("notify").tools[0];
  CHECK_FALSE(write.hints.read_only);
  CHECK_FALSE(write.hints.idempotent);
  CHECK_FALSE(write.quick);
}
