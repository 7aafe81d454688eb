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
inline constexpr size_t classes_max = 15;  // beside `work`
inline constexpr size_t queues_max = 32;
inline constexpr size_t tools_max = 256;
inline constexpr size_t schedules_max = 256;
inline constexpr size_t principals_max = 64;
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
  std::string tcp;         // "127.0.0.1:7420"; empty: the socket only
  std::string token_file;  // one "name:secret" a line; needed with tcp
};

// So many in so long: "10/s". Count 0: no limit.
struct RateSettings {
  uint64_t count = 0;
  Duration per = seconds(1);
};

struct LimitSettings {
  uint64_t memory_bytes = 0;
  uint64_t unclean_starts = 0;  // so many in ten minutes: start paused; 0: never
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
  RateSettings rate;  // of its tool calls
  Duration deadline;  // of a run, from its creation; 0: none
  ByteVector config;  // one CBOR map
  Place place;
};

struct TriggerSettings {
  std::string agent;
  std::string event;     // pattern; of a schedule: the type of its ticks
  std::string schedule;  // cron; empty: events only
  std::string subject;   // the event's, exact or ending in '*'; empty: any
  std::string key;       // template with {source} {subject} {type}; empty: each event begins a run
  Place place;
};

enum class OnFull : uint8_t { reject, drop_oldest };
enum class Durability : uint8_t { durable, relaxed };

struct ClassSettings {
  std::string name;                // unique
  std::vector<std::string> types;  // patterns
  uint64_t max_bytes = 0;          // 0: only the store's limit
  Duration max_age;                // 0: none
  OnFull on_full = OnFull::reject;
  Durability durability = Durability::durable;
  Place place;
};

struct QueueSettings {
  std::string name;  // unique
  uint64_t max_tasks = 0;
  uint64_t max_bytes = 0;
  bool drop_oldest = false;
  uint64_t max_attempts = 0;
  Duration lease;
  uint64_t max_in_flight = 0;
  uint64_t max_in_flight_bytes = 0;
  Duration ageing;  // 0: strict priority
  Duration ttl;     // 0: none
  Duration dedup_window;
  std::vector<std::string> backoff;  // durations; not empty: instead of the four below
  Duration backoff_min;
  Duration backoff_max;
  uint64_t backoff_factor = 2;
  uint64_t backoff_jitter = 0;    // percent
  bool park_group = false;        // a dead task holds its group
  uint64_t max_tenant_tasks = 0;  // 0: no quota
  RateSettings rate;
  RateSettings tenant_rate;
  uint64_t max_dead = 0;
  Place place;
};

struct ToolSettings {
  std::string name;                // a pattern, or with `queue` one name
  std::string queue;               // whose workers answer it; empty: a plugin does
  std::vector<std::string> hints;  // with `queue`: read_only, idempotent, destructive
  RateSettings rate;
  uint64_t breaker_failures = 0;  // in a row; 0: no breaker
  Duration breaker_open;
  Place place;
};

enum class CatchUp : uint8_t { skip, once, all };

struct ScheduleSettings {
  std::string name;    // unique; under it the last tick is stored
  std::string cron;    // either this
  Duration every;      // or this
  std::string queue;   // either a task into this queue
  std::string event;   // or an event of this type
  ByteVector payload;  // one CBOR map
  CatchUp catch_up = CatchUp::once;
  Place place;
};

struct PrincipalSettings {
  std::string name;                 // "uid:1000", "token:ops"
  std::vector<std::string> rights;  // read, submit, work, operate, answer
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
  std::vector<ClassSettings> classes;
  std::vector<QueueSettings> queues;
  std::vector<ToolSettings> tools;
  std::vector<ScheduleSettings> schedules;
  std::vector<PrincipalSettings> principals;
};

// The settings of `limpet run --data DIR` without a file: defaults, no plugins, the store in
// `data_directory` and the socket at limpet.sock in it. [any]
[[nodiscard]] Settings default_settings(const std::string& data_directory);

}  // namespace limpet::config
