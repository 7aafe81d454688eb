#pragma once

// What the parts of the stray plugin share: an instance, and small helpers around CBOR.

#include <limpet/cbor.h>
#include <limpet/ext/draft/agents.h>
#include <limpet/ext/draft/log.h>
#include <limpet/ext/draft/sources.h>
#include <limpet/ext/draft/timer.h>
#include <limpet/ext/draft/tools.h>
#include <limpet/plugin.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace stray {

struct Stray {
  limpet_plugin face{};
  const limpet_host* host = nullptr;
  const limpet_host_tools* host_tools = nullptr;
  const limpet_host_sources* host_sources = nullptr;
  const limpet_host_timer* host_timer = nullptr;
  const limpet_host_log* host_log = nullptr;
  const limpet_host_agents* host_agents = nullptr;

  std::string position;        // as start() got it
  std::string settlements;     // "token:status " each
  std::string ticks;           // "id " each
  std::string cancels;         // "id " each
  std::vector<uint64_t> held;  // calls that `hold` took

  std::mutex mutex;
  std::condition_variable released;
  bool released_now = false;  // guarded by mutex
};

// Instances hang on a list for as long as they live, so that one the host gave up is no leak.
Stray* enter();
void leave(Stray* stray);

extern const limpet_plugin_tools tools;

// Bytes on their way to the host.
limpet_buffer moved(std::vector<uint8_t> bytes);
limpet_buffer moved_text(const std::string& text);

// Members of a CBOR map; absent: "" and `otherwise`.
std::string text_at(limpet_bytes map, const char* key);
uint64_t number_at(limpet_bytes map, const char* key, uint64_t otherwise);

}  // namespace stray
