#include "host/manifest.hpp"

#include <algorithm>
#include <set>

#include "base/limits.hpp"
#include "codec/json.hpp"
#include "codec/records.hpp"
#include "host/manifest_reader.hpp"
#include "model/event.hpp"

namespace limpet::host {

namespace {

constexpr size_t id_bytes_max = 128;
constexpr size_t version_bytes_max = 64;
constexpr size_t description_bytes_max = 1024;
constexpr size_t agents_max = 16;
constexpr size_t sources_max = 16;
constexpr size_t source_types_max = 16;

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
         character == '_' || character == '-';
}

// Dotted parts of name characters, none of them empty.
bool dotted_name_valid(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.back() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char character) {
    return is_name_character(character) || character == '.';
  });
}

ToolHints parse_hints(const ManifestReader& hints) {
  // A native tool states all four: what policy decides by is not left to defaults.
  ToolHints parsed;
  hints.required().map();
  parsed.read_only = hints.member("read_only").required().boolean(false);
  parsed.destructive = hints.member("destructive").required().boolean(true);
  parsed.idempotent = hints.member("idempotent").required().boolean(false);
  parsed.open_world = hints.member("open_world").required().boolean(true);
  if (parsed.read_only && parsed.destructive) {
    hints.complain("a tool is either read_only or destructive");
  }
  return parsed;
}

ManifestTool parse_tool(const ManifestReader& entry) {
  constexpr size_t name_bytes_max =
      limits::tool_name_bytes_max - limits::instance_name_bytes_max - 1;
  ManifestTool tool;
  entry.map();
  tool.name = entry.member("name").required().text(name_bytes_max);
  if (!dotted_name_valid(tool.name)) {
    entry.member("name").complain(
        "must be lower-case letters, digits, '_' and '-', with dots between");
  }
  tool.description = entry.member("description").text(description_bytes_max);
  tool.hints = parse_hints(entry.member("hints"));
  tool.quick = entry.member("quick").boolean(false);
  tool.timeout_ms = static_cast<uint32_t>(
      entry.member("timeout_ms")
          .number(limits::tool_timeout_ms_default, {1, limits::tool_timeout_ms_max}));
  tool.concurrency = static_cast<uint32_t>(
      entry.member("concurrency").number(1, {1, limits::tool_concurrency_max}));
  tool.arguments = entry.member("arguments").schema();
  return tool;
}

void parse_tools(const ManifestReader& tools, Manifest& manifest) {
  std::set<std::string> names;
  tools.each(limits::manifest_tools_max, [&](const ManifestReader& entry) {
    manifest.tools.push_back(parse_tool(entry));
    if (!names.insert(manifest.tools.back().name).second) {
      entry.member("name").complain("is there twice: \"" + manifest.tools.back().name + "\"");
    }
  });
}

void parse_agents(const ManifestReader& agents, Manifest& manifest) {
  agents.each(agents_max, [&](const ManifestReader& entry) {
    entry.map();
    ManifestAgent agent;
    agent.name = entry.member("name").required().text(limits::agent_name_bytes_max);
    if (!dotted_name_valid(agent.name)) entry.member("name").complain("is no name");
    agent.config = entry.member("config").schema();
    const ManifestReader newest = entry.member("state_version");
    const auto version = static_cast<uint32_t>(newest.required().number(1, {1, UINT32_MAX}));
    const auto oldest =
        static_cast<uint32_t>(entry.member("state_version_min").number(version, {1, version}));
    // The ABI has one number for all agents of a plugin.
    if (!manifest.agents.empty() &&
        (version != manifest.state_version || oldest != manifest.state_version_min)) {
      newest.complain("differs from that of another agent");
    }
    manifest.state_version = version;
    manifest.state_version_min = oldest;
    manifest.agents.push_back(std::move(agent));
  });
}

void parse_source_type(const ManifestReader& entry, Manifest& manifest) {
  const std::string type = entry.text(limits::event_type_bytes_max);
  if (!codec::event_type_valid(type)) entry.complain("is no event type");
  if (type.starts_with(event_type::own_prefix)) entry.complain("may not begin with \"limpet.\"");
  manifest.source_types.push_back(type);
}

void parse_sources(const ManifestReader& sources, Manifest& manifest) {
  sources.each(sources_max, [&](const ManifestReader& entry) {
    entry.map();
    entry.member("events").required().each(
        source_types_max, [&](const ManifestReader& type) { parse_source_type(type, manifest); });
  });
}

Manifest parse_item(const ManifestReader& root) {
  Manifest manifest;
  root.map();
  manifest.id = root.member("id").required().text(id_bytes_max);
  if (!dotted_name_valid(manifest.id) || manifest.id.find('.') == std::string::npos) {
    root.member("id").complain("must be a reversed domain name such as \"org.example.pump\"");
  }
  manifest.version = root.member("version").required().text(version_bytes_max);
  if (manifest.version.empty()) root.member("version").complain("is empty");
  const ManifestReader abi = root.member("abi").required().map();
  manifest.abi_major =
      static_cast<uint16_t>(abi.member("major").required().number(0, {0, UINT16_MAX}));
  manifest.abi_minor =
      static_cast<uint16_t>(abi.member("minor").required().number(0, {0, UINT16_MAX}));
  manifest.description = root.member("description").text(description_bytes_max);
  manifest.config = root.member("config").schema();
  parse_tools(root.member("tools"), manifest);
  parse_agents(root.member("agents"), manifest);
  parse_sources(root.member("sources"), manifest);
  return manifest;
}

}  // namespace

std::string Manifest::default_name() const { return id.substr(id.find_last_of('.') + 1); }

std::variant<Manifest, std::string> parse_manifest(std::string_view json) {
  if (json.size() > limits::manifest_bytes_max) {
    return "the manifest is larger than " + std::to_string(limits::manifest_bytes_max) + " bytes";
  }
  const codec::Explained<ByteVector> item = codec::json_to_cbor(json);
  if (!item) return "the manifest is not JSON: " + item.detail();
  std::string problem;
  Manifest manifest = parse_item(ManifestReader(*item, problem));
  if (!problem.empty()) return problem;
  return manifest;
}

bool instance_name_valid(std::string_view name) {
  return !name.empty() && name.size() <= limits::instance_name_bytes_max &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

}  // namespace limpet::host
