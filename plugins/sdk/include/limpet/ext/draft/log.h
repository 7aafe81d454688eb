#pragma once
#include "../../plugin.h"

/* Log: lines for the person who runs the device. The host adds the time and the instance's name and
 * limits the rate. In a child stdout and stderr become log lines too. */

#ifdef __cplusplus
extern "C" {
#endif

#define LIMPET_EXT_LOG "limpet.log/draft-1"

typedef int32_t limpet_log_level;
enum {
  LIMPET_LOG_DEBUG = 0,   /* for the plugin's author; off by default */
  LIMPET_LOG_INFO = 1,    /* something began, ended, changed */
  LIMPET_LOG_WARNING = 2, /* works, but somebody should look */
  LIMPET_LOG_ERROR = 3    /* does not work */
};

/* The host's half; there is no plugin's half. */
typedef struct limpet_host_log {
  /* One line, copied at once, cut at 1 KiB; control characters are replaced. Never blocks. [any] */
  void (*log)(const limpet_host* host, limpet_log_level level, const char* message);
} limpet_host_log;

#ifdef __cplusplus
}
#endif
