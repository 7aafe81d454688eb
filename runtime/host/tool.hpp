#pragma once

// What the rest of the house knows of tools: their description, a call, its result. [any]
// Values that own their bytes.

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "model/run.hpp"

namespace limpet::host {

struct ToolInfo {
  std::string name;      // "sysinfo.disk_usage": instance, dot, the plugin's own name for it
  std::string instance;  // "sysinfo"
  std::string description;
  ToolHints hints;
  bool quick = false;        // runs inline on main; the plugin promises not to block
  uint32_t timeout_ms = 0;   // of a call that brings no deadline of its own; never 0 once loaded
  uint32_t concurrency = 1;  // calls at once; the next one is answered with busy
  bool has_lookup = false;   // can say afterwards whether a call happened
  std::string arguments_schema;  // JSON Schema text as the manifest has it; empty: any map
};

struct ToolCall {
  uint64_t id = 0;   // names this attempt; the caller's, unique among open calls, never 0
  std::string tool;  // "sysinfo.disk_usage"
  std::string key;   // run/step/ordinal: the same for every attempt
  uint32_t attempt = 1;
  BootTime deadline;     // zero: now + the tool's timeout_ms
  ByteVector arguments;  // one CBOR map; empty: the empty map
};

struct ToolResult {
  uint64_t id = 0;
  Outcome outcome = Outcome::done;
  std::string error;            // a sentence; empty when done
  uint32_t retry_after_ms = 0;  // of retry; 0: the caller's own back-off
  ByteVector value;  // one valid CBOR item, at most limits::tool_result_bytes_max; or empty
  // The deadline passed and the plugin may still be at it: what has not happened yet may happen.
  bool abandoned = false;
};

}  // namespace limpet::host
