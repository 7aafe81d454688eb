#pragma once
#include "../../plugin.h"

/* Tools: things a plugin can do, called by agents, people and other plugins through the host.
 *
 * Scenario I, a quick tool: call() does the work, calls finish() and returns OK.
 * Scenario II, a slow tool: call() copies what it needs, hands it to a thread of the plugin's
 *   and returns OK; that thread calls finish() later. Borrowed arguments end with call().
 * Scenario III, a blocking tool: call() blocks up to the deadline, then finishes and returns OK.
 * Scenario IV, the host dies between the effect and the record of it: after the restart it asks
 *   lookup() with the same key, and runs the call again only when the answer is RETRY.
 *
 * A status other than OK from call() means: nothing happened, and finish() will not be called.
 * OK means: finish() is called exactly once for this id, also after cancel().
 * A tool that is not `quick` in the manifest may run on any thread, `concurrency` at once. */

#ifdef __cplusplus
extern "C" {
#endif

#define LIMPET_EXT_TOOLS "limpet.tools/draft-1"

/* What became of a call: not an error code but a claim about the world. */
typedef int32_t limpet_outcome;
enum {
  LIMPET_DONE = 0,   /* it happened; value is the result */
  LIMPET_FAILED = 1, /* settled and final: calling again would fail again; error says why */
  LIMPET_RETRY = 2,  /* nothing happened; a later attempt may succeed */
  LIMPET_UNKNOWN = 3 /* it may have happened; nobody should call again without looking */
};

typedef struct limpet_call {
  uint32_t struct_size;
  uint32_t attempt;       /* from 1 */
  uint64_t id;            /* names this attempt in finish, progress, cancel; never 0 */
  uint64_t deadline_ns;   /* CLOCK_BOOTTIME; 0: none */
  const char* tool;       /* without the instance's name: "disk_usage" */
  const char* key;        /* run/step/ordinal: the same for every attempt of the same step */
  limpet_bytes arguments; /* one CBOR map, valid and checked against the manifest's schema */
} limpet_call;

typedef struct limpet_result {
  uint32_t struct_size;
  limpet_outcome outcome;
  uint32_t retry_after_ms; /* for RETRY; 0: the host's own back-off */
  uint32_t reserved;
  const char* error;   /* borrowed; NULL when DONE */
  limpet_buffer value; /* one CBOR item, moved to the host; empty: null */
} limpet_result;

/* The plugin's half. */
typedef struct limpet_plugin_tools {
  /* Does `call`, or begins it. [call]; [serial] for tools marked `quick` */
  limpet_status (*call)(const limpet_plugin* self, const limpet_call* call);

  /* A wish that the call with this id end early: finish() still follows, with the truth (RETRY when
   * nothing happened yet). The id may be finished already. Must not block. [any] */
  void (*cancel)(const limpet_plugin* self, uint64_t id);

  /* Did the call with this key and these arguments happen? Its id is not to be finished. OK with
   * outcome DONE: it did, value is its result; FAILED: it did, and failed; RETRY: it did not, now
   * or ever by that attempt; UNKNOWN: cannot say. Not OK: could not look, ask again.
   * result_out->error is NULL or a constant, since nobody would know when to free another.
   * NULL: the plugin cannot look. [call] */
  limpet_status (*lookup)(const limpet_plugin* self, const limpet_call* call,
                          limpet_result* result_out);

  /* The tools there are now: a CBOR array of maps shaped like the manifest's `tools`. NULL: the
   * manifest's only. [serial] */
  limpet_status (*list)(const limpet_plugin* self, limpet_buffer* tools_out);
} limpet_plugin_tools;

/* The host's half. All [any]. */
typedef struct limpet_host_tools {
  /* Ends a call. `result` is borrowed, its value is moved: the host has taken it when this returns,
   * also when the id is unknown or was finished before (which is counted against the plugin). */
  void (*finish)(const limpet_host* host, uint64_t id, limpet_result* result);

  /* Still alive: renews the call's lease. text may be NULL; the latest one wins.
   * NOT_FOUND: no such call is open. CANCELLED: somebody wants it to end. */
  limpet_status (*progress)(const limpet_host* host, uint64_t id, uint32_t permille,
                            const char* text);

  /* A piece of the result for those who watch; copied, not stored. FULL: skip it. */
  limpet_status (*partial)(const limpet_host* host, uint64_t id, limpet_bytes chunk);

  /* list() would answer differently now. */
  void (*changed)(const limpet_host* host);
} limpet_host_tools;

#ifdef __cplusplus
}
#endif
