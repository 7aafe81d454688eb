#pragma once

// Settings: what the owner of the device decided, as plain values: checked, complete, with secrets
// and variables put in. Nothing here knows of TOML. Owner: the daemon. Thread: [any], as values.
// Where a default is named here, keys.cpp is the place that sets it.
// Limits: the *_max below; ranges of single keys are in keys.cpp.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace limpet::config {

inline constexpr size_t plugins_max = 64;
inline constexpr size_t agents_max = 64;
inline constexpr size_t triggers_max = 256;
inline constexpr size_t list_entries_max = 64;             // of one key that takes a list
inline constexpr size_t section_config_bytes_max = 65536;  // of one `config`, as CBOR

// Where something was written; file is empty for defaults.
struct Place {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
};

struct StoreSettings {
  std::string path;
  uint64_t max_bytes = 0;
  uint64_t linger_ms = 0;
  bool create = true;  // false: refuse a folder without a marker file
};

struct ApiSettings {
  std::string socket;
};

struct LimitSettings {
  uint64_t memory_bytes = 0;
};

enum class Isolation : uint8_t { process, inproc };

struct PluginSettings {
  std::string id;    // "org.limpet.sysinfo"; empty when path is given
  std::string path;  // of the .so; empty when id is given
  std::string name;  // of the instance; unique
  Isolation isolation = Isolation::process;
  ByteVector config;  // one CBOR map
  Place place;
};

enum class Autonomy : uint8_t { read_only, supervised, full };

struct AgentSettings {
  std::string name;                // unique
  std::string plugin;              // the instance that holds it
  std::string agent;               // its name in the manifest; empty: the only one
  std::vector<std::string> tools;  // patterns
  Autonomy autonomy = Autonomy::supervised;
  uint64_t max_turns = 0;  // 0: no limit
  uint64_t max_steps_open = 0;
  Duration deadline;  // of a run, from its creation; 0: none
  ByteVector config;  // one CBOR map
  Place place;
};

struct TriggerSettings {
  std::string agent;
  std::string event;    // pattern
  std::string subject;  // the event's, exact or ending in '*'; empty: any
  std::string key;      // template with {source} {subject} {type}; empty: each event begins a run
  Place place;
};

struct Settings {
  std::string name;  // empty: the host's name
  std::vector<std::string> plugin_path;
  StoreSettings store;
  ApiSettings api;
  LimitSettings limits;
  std::vector<PluginSettings> plugins;
  std::vector<AgentSettings> agents;
  std::vector<TriggerSettings> triggers;
};

// The settings of `limpet run --data DIR` without a file: defaults, no plugins, the store in
// `data_directory` and the socket at limpet.sock in it. [any]
[[nodiscard]] Settings default_settings(const std::string& data_directory);

}  // namespace limpet::config
