#pragma once
#include <limpet/ext/draft/agents.h>
#include <limpet/ext/draft/log.h>
#include <limpet/ext/draft/sources.h>
#include <limpet/ext/draft/timer.h>
#include <limpet/ext/draft/tools.h>
#include <limpet/plugin.h>
#include <stddef.h>

/* What a plugin that was built long ago takes for granted: SIZE(type, bytes where pointers have 32
 * bits, where they have 64) and OFFSET(type, member, the same). A line is added, never changed. */
#define LAYOUT(SIZE, OFFSET)                        \
  SIZE(limpet_status, 4, 4)                         \
  SIZE(limpet_bytes, 8, 16)                         \
  OFFSET(limpet_bytes, size, 4, 8)                  \
  SIZE(limpet_buffer, 20, 32)                       \
  OFFSET(limpet_buffer, size, 4, 8)                 \
  OFFSET(limpet_buffer, release, 12, 16)            \
  OFFSET(limpet_buffer, producer, 16, 24)           \
  SIZE(limpet_host, 28, 48)                         \
  OFFSET(limpet_host, abi_major, 4, 4)              \
  OFFSET(limpet_host, abi_minor, 6, 6)              \
  OFFSET(limpet_host, host_data, 8, 8)              \
  OFFSET(limpet_host, name, 12, 16)                 \
  OFFSET(limpet_host, version, 16, 24)              \
  OFFSET(limpet_host, get_extension, 20, 32)        \
  OFFSET(limpet_host, set_error, 24, 40)            \
  SIZE(limpet_plugin, 32, 56)                       \
  OFFSET(limpet_plugin, abi_major, 4, 4)            \
  OFFSET(limpet_plugin, abi_minor, 6, 6)            \
  OFFSET(limpet_plugin, plugin_data, 8, 8)          \
  OFFSET(limpet_plugin, check, 12, 16)              \
  OFFSET(limpet_plugin, activate, 16, 24)           \
  OFFSET(limpet_plugin, deactivate, 20, 32)         \
  OFFSET(limpet_plugin, destroy, 24, 40)            \
  OFFSET(limpet_plugin, get_extension, 28, 48)      \
  SIZE(limpet_entry_point, 24, 32)                  \
  OFFSET(limpet_entry_point, abi_major, 4, 4)       \
  OFFSET(limpet_entry_point, abi_minor, 6, 6)       \
  OFFSET(limpet_entry_point, manifest, 8, 8)        \
  OFFSET(limpet_entry_point, manifest_size, 12, 16) \
  OFFSET(limpet_entry_point, create, 20, 24)        \
  SIZE(limpet_call, 40, 56)                         \
  OFFSET(limpet_call, attempt, 4, 4)                \
  OFFSET(limpet_call, id, 8, 8)                     \
  OFFSET(limpet_call, deadline_ns, 16, 16)          \
  OFFSET(limpet_call, tool, 24, 24)                 \
  OFFSET(limpet_call, key, 28, 32)                  \
  OFFSET(limpet_call, arguments, 32, 40)            \
  SIZE(limpet_result, 40, 56)                       \
  OFFSET(limpet_result, outcome, 4, 4)              \
  OFFSET(limpet_result, retry_after_ms, 8, 8)       \
  OFFSET(limpet_result, error, 16, 16)              \
  OFFSET(limpet_result, value, 20, 24)              \
  SIZE(limpet_plugin_tools, 16, 32)                 \
  SIZE(limpet_host_tools, 16, 32)                   \
  SIZE(limpet_turn, 64, 96)                         \
  OFFSET(limpet_turn, state_version, 4, 4)          \
  OFFSET(limpet_turn, id, 8, 8)                     \
  OFFSET(limpet_turn, now_ns, 16, 16)               \
  OFFSET(limpet_turn, seed, 24, 24)                 \
  OFFSET(limpet_turn, run, 32, 32)                  \
  OFFSET(limpet_turn, agent, 36, 40)                \
  OFFSET(limpet_turn, config, 40, 48)               \
  OFFSET(limpet_turn, state, 48, 64)                \
  OFFSET(limpet_turn, event, 56, 80)                \
  SIZE(limpet_plugin_agents, 12, 16)                \
  OFFSET(limpet_plugin_agents, turn, 8, 8)          \
  SIZE(limpet_host_agents, 8, 16)                   \
  SIZE(limpet_plugin_sources, 12, 24)               \
  SIZE(limpet_host_sources, 4, 8)                   \
  SIZE(limpet_plugin_timer, 4, 8)                   \
  SIZE(limpet_host_timer, 8, 16)                    \
  SIZE(limpet_host_log, 4, 8)
