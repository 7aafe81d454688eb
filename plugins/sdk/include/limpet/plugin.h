#pragma once
#include <stddef.h>
#include <stdint.h>

/* The plugin ABI: all that a Limpet plugin and its host share. C11, C17, C++11 and later.
 *
 * A plugin is one .so with one exported const datum, `limpet_entry`. The host reads the manifest
 * from the ELF note without running code, then `create`s instances: one for each [[plugin]] entry
 * of the config. Everything a plugin needs is handed to it as a struct; it links no symbol of the
 * host, so the same file runs inside the daemon or in a child process.
 *
 * Life of an instance: create, check(config), activate(config), calls, deactivate, destroy.
 * `check` may come alone (create, check, destroy) when somebody validates a config.
 *
 * Threads. Every function carries one of these tags:
 *   [serial]  never two at once for one instance, on no particular thread. Must not block.
 *   [call]    at most the manifest's `concurrency` at once per tool. May block until its deadline.
 *   [any]     from any thread, at any time between activate and the end of deactivate.
 * Host functions are [any] unless they say otherwise and never call back into the plugin.
 *
 * Memory has three forms:
 *   borrowed  limpet_bytes and const char *: valid until the call that brought it returns.
 *   caller's  a struct or buffer of the caller's, which the callee fills (`*_out`).
 *   moved     limpet_buffer: whoever holds it last calls release() once, from any thread.
 * Strings are UTF-8 and end in NUL. Structured data is one CBOR item (see cbor.h).
 *
 * Structs that begin with struct_size may grow at the end: a reader looks at a member only when
 * struct_size covers it. Extension structs never grow: a changed one has a new id.
 *
 * Errors: a limpet_status; for the person who reads the log also a sentence by host->set_error().
 * No exception, longjmp or signal leaves a function of either side. */

#ifdef __cplusplus
extern "C" {
#endif

/* While the major is 0 host and plugin need equal minors; from 1 on a host takes every minor up to
 * its own. */
#define LIMPET_ABI_MAJOR 0
#define LIMPET_ABI_MINOR 1

/* The manifest: a JSON text, the descriptor of this ELF note; no NUL at its end. */
#define LIMPET_NOTE_SECTION ".note.limpet"
#define LIMPET_NOTE_NAME "Limpet"
#define LIMPET_NOTE_TYPE_MANIFEST 1

#define LIMPET_STATUS_LIST(X)                            \
  X(OK, 0, "ok")                                         \
  X(FULL, 1, "full: nothing was taken, try again later") \
  X(INVALID, 2, "invalid argument or config")            \
  X(NOT_FOUND, 3, "not found")                           \
  X(UNSUPPORTED, 4, "not supported")                     \
  X(DENIED, 5, "denied")                                 \
  X(UNAVAILABLE, 6, "not available now")                 \
  X(TIMEOUT, 7, "timed out")                             \
  X(CANCELLED, 8, "cancelled")                           \
  X(NO_MEMORY, 9, "out of memory")                       \
  X(WRONG_STATE, 10, "called in the wrong state")        \
  X(IO, 11, "input or output failed")                    \
  X(INTERNAL, 12, "internal error")

/* Numbers are fixed for ever; new ones come at the end. A receiver treats an unknown one as
 * LIMPET_INTERNAL. */
typedef int32_t limpet_status;
enum {
#define LIMPET_STATUS_VALUE(name, value, text) LIMPET_##name = value,
  LIMPET_STATUS_LIST(LIMPET_STATUS_VALUE)
#undef LIMPET_STATUS_VALUE
      LIMPET_STATUS_COUNT
};

/* Borrowed bytes. data may be NULL only when size is 0. */
typedef struct limpet_bytes {
  const uint8_t* data;
  uint32_t size;
} limpet_bytes;

/* Moved bytes. The producer fills it; the holder calls release(self) once, which sets release to
 * NULL. A copy of the struct moves it: set the old one's release to NULL. release == NULL with a
 * size means bytes that live as long as the plugin's code (constants); with size 0, empty. */
typedef struct limpet_buffer {
  const uint8_t* data;
  uint32_t size;
  uint32_t reserved;
  void (*release)(struct limpet_buffer* self); /* [any] */
  void* producer;
} limpet_buffer;

/* What an instance is given. It outlives the instance. */
typedef struct limpet_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  void* host_data;     /* the host's own */
  const char* name;    /* of this instance, as in the config: "line1" */
  const char* version; /* of the host, for logs */

  /* The host's half of an extension, or NULL. Ask once, in activate, and keep the pointer: it is
   * valid until destroy. REQUIRES: create has returned. [any] */
  const void* (*get_extension)(const struct limpet_host* host, const char* extension_id);

  /* Says why the plugin's function running on this thread is about to fail. Copied at once, cut at
   * 1 KiB; the last one before the return counts. [any] */
  void (*set_error)(const struct limpet_host* host, const char* message);
} limpet_host;

/* An instance, as the plugin hands it out. Function pointers are never NULL. */
typedef struct limpet_plugin {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  void* plugin_data; /* the plugin's own */

  /* Is this config acceptable? It has passed the manifest's schema already. No effects, and
   * nothing is remembered. INVALID and set_error() say what is wrong. [serial] */
  limpet_status (*check)(const struct limpet_plugin* self, limpet_bytes config);

  /* Begins work with `config`, a CBOR map with secrets resolved. Not OK: the instance is as if
   * activate had not been called, and destroy follows. [serial] */
  limpet_status (*activate)(const struct limpet_plugin* self, limpet_bytes config);

  /* Ends work: joins the plugin's threads, closes its files. Comes only when no call is open and
   * sources are stopped. After it returns the plugin calls the host no more. [serial] */
  void (*deactivate)(const struct limpet_plugin* self);

  /* Frees the instance, `self` included. Not called while active. [serial] */
  void (*destroy)(const struct limpet_plugin* self);

  /* The plugin's half of an extension, or NULL. The same answer for the whole life of the
   * instance. [any] */
  const void* (*get_extension)(const struct limpet_plugin* self, const char* extension_id);
} limpet_plugin;

/* The exported datum. The host refuses a plugin whose version does not fit before calling it. */
typedef struct limpet_entry_point {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  const char* manifest; /* the same bytes as the ELF note; NULL: only the note has it */
  uint32_t manifest_size;
  uint32_t reserved;

  /* Makes an instance and stores it in *out when OK. `host` may be kept, but not called before
   * this returns. No effects beyond memory: no files, no threads. [serial] */
  limpet_status (*create)(const limpet_host* host, const limpet_plugin** out);
} limpet_entry_point;

#define LIMPET_JOIN_EXPANDED(a, b) a##b
#define LIMPET_JOIN(a, b) LIMPET_JOIN_EXPANDED(a, b)
#define LIMPET_EXPORT __attribute__((visibility("default")))
#define LIMPET_HIDDEN __attribute__((visibility("hidden")))

/* Linked into a program, several plugins live beside each other: each has its own name. */
#ifdef LIMPET_STATIC_PLUGIN
#define LIMPET_ENTRY LIMPET_JOIN(limpet_entry_, LIMPET_STATIC_PLUGIN)
#define LIMPET_MANIFEST LIMPET_JOIN(limpet_manifest_, LIMPET_STATIC_PLUGIN)
#else
#define LIMPET_ENTRY limpet_entry
#define LIMPET_MANIFEST limpet_manifest
#endif

extern LIMPET_EXPORT const limpet_entry_point LIMPET_ENTRY;

/* Defines the entry; once in a plugin. limpet_add_plugin() (LimpetPlugin.cmake) sets
 * LIMPET_MANIFEST_SIZE and links the manifest; built by hand, the entry has none. */
#ifdef LIMPET_MANIFEST_SIZE
extern LIMPET_HIDDEN const char LIMPET_MANIFEST[];
#define LIMPET_MANIFEST_PLACE LIMPET_MANIFEST, LIMPET_MANIFEST_SIZE
#else
#define LIMPET_MANIFEST_PLACE NULL, 0
#endif
#define LIMPET_DEFINE_ENTRY(create_function)                           \
  const limpet_entry_point LIMPET_ENTRY = {sizeof(limpet_entry_point), \
                                           LIMPET_ABI_MAJOR,           \
                                           LIMPET_ABI_MINOR,           \
                                           LIMPET_MANIFEST_PLACE,      \
                                           0,                          \
                                           create_function}

/* May a host of this header's version use a plugin of that version, and the other way round? */
static inline int limpet_abi_fits(uint16_t major, uint16_t minor) {
  if (major != LIMPET_ABI_MAJOR) return 0;
  return major == 0 ? minor == LIMPET_ABI_MINOR : minor <= LIMPET_ABI_MINOR;
}

static inline const char* limpet_status_text(limpet_status status) {
  switch (status) {
#define LIMPET_STATUS_TEXT(name, value, text) \
  case LIMPET_##name: return text;
    LIMPET_STATUS_LIST(LIMPET_STATUS_TEXT)
#undef LIMPET_STATUS_TEXT
    default: return "unknown status";
  }
}

#ifdef __cplusplus
}
#endif
