#pragma once
#include "../../plugin.h"

/* Sources: a plugin's own events, from a device, a file, a socket, a clock.
 *
 * Scenario I, readings: on each tick of the timer extension emit what was read. FULL means the
 *   host has no credit left: drop the reading and count it, a newer one comes.
 * Scenario II, a stream that must not lose anything (a file, a queue): emit with a position; on
 *   FULL stop reading, go on when settled() has returned credit. After a restart start() brings the
 *   last position that was committed, in the same commit as its event: no gap, no repeat.
 *
 * Credits: the host grants a number of events and bytes that may wait uncommitted; an emit spends,
 * a commit or refusal gives back. The same counter in-process and in a child. */

#ifdef __cplusplus
extern "C" {
#endif

#define LIMPET_EXT_SOURCES "limpet.sources/draft-1"

#define LIMPET_SOURCE_EVENT_BYTES_MAX 65536u
#define LIMPET_SOURCE_POSITION_BYTES_MAX 256u

/* The plugin's half. */
typedef struct limpet_plugin_sources {
  /* Begin to emit. `position` is the last committed one, empty if there is none. After activate;
   * again after stop(). [serial] */
  limpet_status (*start)(const limpet_plugin* self, limpet_bytes position);

  /* Emit no more after this returns. Before deactivate. [serial] */
  void (*stop)(const limpet_plugin* self);

  /* The event emitted with this token is on disk (OK), or was refused and will not be stored
   * (DENIED, INVALID, FULL by its class's quota). Once for each OK emit whose token is not 0, in
   * the order of the emits. NULL: the plugin does not care. [serial] */
  void (*settled)(const limpet_plugin* self, uint64_t token, limpet_status status);
} limpet_plugin_sources;

/* The host's half. */
typedef struct limpet_host_sources {
  /* Hands over one event, a CBOR map with text keys: `type` and `data`, and if the plugin wants
   * `subject`, `id` (for dedup), `time` (uint, nanoseconds since 1970), `correlationid`. The host
   * adds the rest. `type` must be one of the manifest's. Both are copied. token: the plugin's, or
   * 0. position: the plugin's, or empty. Answers at once:
   * OK: taken, not yet on disk. FULL: no credit, nothing taken. INVALID: not such a map, or too
   * large. WRONG_STATE: not between start and stop. [any] */
  limpet_status (*emit)(const limpet_host* host, uint64_t token, limpet_bytes event,
                        limpet_bytes position);
} limpet_host_sources;

#ifdef __cplusplus
}
#endif
