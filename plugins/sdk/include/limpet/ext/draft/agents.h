#pragma once
#include "../../plugin.h"

/* Agents: functions that decide. turn(state, event) -> decision; equal bytes in, equal bytes out.
 *
 * The host keeps the state, delivers one event at a time, and stores the decision and everything
 * that follows from it in one commit. A crash anywhere repeats the turn with the same arguments, so
 * an agent has no files, no clock, no random numbers and no memory of its own: time and seed come
 * with the turn.
 *
 * The event: one CBOR map with text keys; absent ones are left out.
 *   type, source, subject, id           text
 *   time                                uint, nanoseconds since 1970
 *   sequence                            uint, its place in the log
 *   epoch, correlationid, causationid, runid   text
 *   data                                any
 * A run that was started by hand gets type `limpet.run.created`, data {agent, input, key}.
 * The end of a step (a call or a timer) is type `limpet.step.finished`, data
 *   {step, tool, outcome: "done" | "failed" | "unknown", ?value, ?error}
 * where step is the command's `as`; a timer's has only {step, outcome: "done"}.
 *
 * The decision: one CBOR map.
 *   ?state      any; absent: unchanged. At most LIMPET_AGENT_STATE_BYTES_MAX.
 *   version     uint, the state's version: limpet_plugin_agents.state_version
 *   ?commands   array of maps, in the order in which they are to happen:
 *     {do: "call",     as, tool, arguments}     as: the step's name, unique among open steps
 *     {do: "emit",     type, ?subject, ?data}
 *     {do: "timer",    as, after_ms}
 *     {do: "complete", ?output}                 ends the run; later commands are an error
 *     {do: "fail",     reason}                  ends the run
 * Keys this revision does not know are an error, so that nothing is silently ignored. */

#ifdef __cplusplus
extern "C" {
#endif

#define LIMPET_EXT_AGENTS "limpet.agents/draft-1"

#define LIMPET_AGENT_STATE_BYTES_MAX 65536u
#define LIMPET_AGENT_DECISION_BYTES_MAX 262144u
#define LIMPET_AGENT_COMMANDS_MAX 64u

typedef struct limpet_turn {
  uint32_t struct_size;
  uint32_t state_version; /* of `state`; 0: a new run, state is empty */
  uint64_t id;            /* of this turn, for read() and catalog() */
  uint64_t now_ns;        /* since 1970, as stored with the turn: the same when it is repeated */
  uint64_t seed;          /* the same when it is repeated, different for every turn */
  const char* run;        /* the run's id */
  const char* agent;      /* which of the plugin's agents: its name in the manifest */
  limpet_bytes config;    /* the agent's config, a CBOR map */
  limpet_bytes state;     /* one CBOR item, or empty */
  limpet_bytes event;     /* one CBOR map */
} limpet_turn;

/* The plugin's half. */
typedef struct limpet_plugin_agents {
  uint32_t state_version;     /* what turn() writes; from 1 */
  uint32_t state_version_min; /* the oldest it still reads */

  /* Decides. OK: *decision_out holds one CBOR map, moved to the host. Not OK, or a crash: no
   * effect, and the same turn again; the third time the run fails with agent_error. [serial] */
  limpet_status (*turn)(const limpet_plugin* self, const limpet_turn* turn,
                        limpet_buffer* decision_out);
} limpet_plugin_agents;

/* The host's half: only inside turn(), on its thread. Reads are recorded with the turn, so that a
 * repeated turn reads the same. */
typedef struct limpet_host_agents {
  /* The event of the turn's run with this sequence, as a CBOR map. NOT_FOUND: none, or trimmed. */
  limpet_status (*read)(const limpet_host* host, uint64_t turn, uint64_t sequence,
                        limpet_buffer* event_out);

  /* The tools that policy lets this run call now, as a CBOR array of maps shaped like the
   * manifest's `tools`. pattern: "*", "sysinfo.*", "notify.write". */
  limpet_status (*catalog)(const limpet_host* host, uint64_t turn, const char* pattern,
                           limpet_buffer* tools_out);
} limpet_host_agents;

#ifdef __cplusplus
}
#endif
