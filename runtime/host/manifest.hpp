#pragma once

// Manifest: what a plugin says of itself, one JSON text, read before any of its code runs. It is
// hostile until parsed: bounded, every member of the right kind, names that cannot be mistaken.
// Owner: the caller. Thread: [any]. README.md beside this file lists the members.
// Limits: manifest_bytes_max, manifest_tools_max, tool_* (base/limits.hpp).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "codec/schema.hpp"
#include "model/run.hpp"

namespace limpet::host {

struct ManifestSchema {
  std::string json;        // as the manifest has it; empty: none
  codec::Schema compiled;  // of none: everything keeps it
};

struct ManifestTool {
  std::string name;  // [a-z0-9_]+(.[a-z0-9_]+)*
  std::string description;
  ToolHints hints;
  bool quick = false;
  uint32_t timeout_ms = 0;  // defaults are filled in
  uint32_t concurrency = 1;
  ManifestSchema arguments;
};

struct ManifestAgent {
  std::string name;
  ManifestSchema config;
};

struct Manifest {
  std::string id;  // reverse DNS: at least two parts
  std::string version;
  uint16_t abi_major = 0, abi_minor = 0;
  std::string description;
  ManifestSchema config;
  std::vector<ManifestTool> tools;
  std::vector<ManifestAgent> agents;
  // Of the states that the agents write, and the oldest they still read; 0: there are no agents.
  uint32_t state_version = 0;
  uint32_t state_version_min = 0;
  std::vector<std::string> source_types;  // the event types its sources may emit; empty: no sources

  [[nodiscard]] std::string default_name() const;  // the last part of the id
};

// The manifest, or what is wrong with it: "tools[2].timeout_ms: must be a whole number from 1 to
// 86400000". Members that this version does not know are passed over.
[[nodiscard]] std::variant<Manifest, std::string> parse_manifest(std::string_view json);

// May an instance have this name? [a-z0-9_-], not empty, at most limits::instance_name_bytes_max.
[[nodiscard]] bool instance_name_valid(std::string_view name);

}  // namespace limpet::host
