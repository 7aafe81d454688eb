#pragma once
#include "../../plugin.h"

/* Timers: how a plugin without a thread of its own gets to run now and then. The clock is
 * CLOCK_BOOTTIME. A tick that comes while the plugin is busy waits; ticks that were missed, by a
 * stall or a suspended machine, become one. */

#ifdef __cplusplus
extern "C" {
#endif

#define LIMPET_EXT_TIMER "limpet.timer/draft-1"

#define LIMPET_TIMERS_MAX 16u
#define LIMPET_TIMER_PERIOD_NS_MIN 1000000u

/* The plugin's half. */
typedef struct limpet_plugin_timer {
  /* The timer `id` fired. A tick that was under way may still come after stop(). [serial] */
  void (*on_timer)(const limpet_plugin* self, uint32_t id);
} limpet_plugin_timer;

/* The host's half. All [any]; timers end by themselves at deactivate. */
typedef struct limpet_host_timer {
  /* Fires first after period_ns, then every period_ns. The id is the plugin's; an id that runs
   * already begins anew with the new period. INVALID: period below the minimum. FULL: more than
   * LIMPET_TIMERS_MAX. */
  limpet_status (*start)(const limpet_host* host, uint64_t period_ns, uint32_t id);

  /* Ends a timer. An id that does not run is not an error. */
  void (*stop)(const limpet_host* host, uint32_t id);
} limpet_host_timer;

#ifdef __cplusplus
}
#endif
