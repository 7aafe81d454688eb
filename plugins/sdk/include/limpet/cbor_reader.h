#pragma once
#include <stdbool.h>
#include <string.h>
#include "plugin.h"

/* The reading half of cbor.h. Functions that answer bool leave their outputs alone when false. */

#ifdef __cplusplus
extern "C" {
#endif

/* Arrays and maps inside each other. */
#define LIMPET_CBOR_DEPTH_MAX 16

/* A cursor: the item that begins at `at`. Borrowed from the bytes it was made of. */
typedef struct limpet_cbor {
  const uint8_t *at, *end;
} limpet_cbor;

typedef enum limpet_cbor_kind {
  LIMPET_CBOR_NOTHING, /* empty cursor or malformed */
  LIMPET_CBOR_UINT,
  LIMPET_CBOR_NEGATIVE,
  LIMPET_CBOR_BYTES,
  LIMPET_CBOR_TEXT,
  LIMPET_CBOR_ARRAY,
  LIMPET_CBOR_MAP,
  LIMPET_CBOR_BOOL,
  LIMPET_CBOR_NULL,
  LIMPET_CBOR_FLOAT
} limpet_cbor_kind;

/* One item's head. */
typedef struct limpet_cbor_head {
  limpet_cbor_kind kind;
  bool indefinite;     /* array or map that ends with a break */
  uint8_t bytes;       /* a float's width: 2, 4 or 8 */
  uint64_t value;      /* the number, bool, float's bits, string's size, array's or map's count */
  const uint8_t* next; /* the string's bytes, the container's first item, or what follows */
} limpet_cbor_head;

static inline limpet_cbor limpet_cbor_read(limpet_bytes bytes) {
  limpet_cbor cursor;
  cursor.at = bytes.data;
  cursor.end = bytes.size ? bytes.data + bytes.size : bytes.data;
  return cursor;
}

static inline limpet_cbor limpet_cbor_nothing(void) {
  limpet_cbor cursor;
  cursor.at = cursor.end = NULL;
  return cursor;
}

static inline bool limpet_cbor_at_break(limpet_cbor cursor) {
  return cursor.at < cursor.end && *cursor.at == 0xff;
}

/* What the head of major type 7 is. The rest of major type 7 is refused. */
static inline bool limpet_cbor_head_simple(limpet_cbor_head* head, unsigned info) {
  if (info >= 25 && info <= 27) {
    head->kind = LIMPET_CBOR_FLOAT;
  } else if (info == 20 || info == 21) {
    head->kind = LIMPET_CBOR_BOOL;
    head->value = info - 20;
  } else if (info == 22 || info == 23) {
    head->kind = LIMPET_CBOR_NULL;
  } else {
    return false;
  }
  return true;
}

/* Reads the head, past any tags. False: end of input, malformed, or refused. */
static inline bool limpet_cbor_get_head(limpet_cbor cursor, limpet_cbor_head* head_out) {
  static const uint8_t widths[4] = {1, 2, 4, 8};
  limpet_cbor_head head;
  unsigned major, info;
  do {
    if (cursor.at >= cursor.end) return false;
    major = *cursor.at >> 5;
    info = *cursor.at++ & 31u;
    head.value = info;
    head.bytes = 0;
    head.indefinite = info == 31;
    if (info > 27 && !(info == 31 && (major == 4 || major == 5))) return false;
    if (info >= 24 && info <= 27) {
      head.bytes = widths[info - 24];
      if ((size_t)(cursor.end - cursor.at) < head.bytes) return false;
      head.value = 0;
      for (unsigned i = 0; i < head.bytes; i++) head.value = head.value << 8 | *cursor.at++;
    }
  } while (major == 6);
  head.next = cursor.at;
  if (head.indefinite) head.value = 0;
  if (major == 7) {
    if (!limpet_cbor_head_simple(&head, info)) return false;
  } else {
    head.kind = (limpet_cbor_kind)(LIMPET_CBOR_UINT + (int)major);
    if (major >= 2 && head.value > (uint64_t)(cursor.end - cursor.at)) return false;
  }
  *head_out = head;
  return true;
}

/* A container that skip() is inside of. Indefinite ones count down too, from UINT64_MAX. */
typedef struct limpet_cbor_level {
  uint64_t left; /* items still to come */
  bool indefinite, map;
} limpet_cbor_level;

/* May the container end at a break here? A map only after a value. */
static inline bool limpet_cbor_level_may_end(const limpet_cbor_level* level) {
  return level->indefinite && !(level->map && (UINT64_MAX - level->left) % 2 == 1);
}

/* Moves past one whole item. False, and the cursor stays: malformed, refused or cut off. */
static inline bool limpet_cbor_skip(limpet_cbor* cursor) {
  limpet_cbor_level levels[LIMPET_CBOR_DEPTH_MAX];
  limpet_cbor walk = *cursor;
  unsigned depth = 0;
  do {
    limpet_cbor_head head;
    if (depth > 0 && limpet_cbor_at_break(walk) && limpet_cbor_level_may_end(&levels[depth - 1])) {
      walk.at++;
      depth--;
    } else {
      if (!limpet_cbor_get_head(walk, &head)) return false;
      walk.at = head.next;
      if (depth > 0) levels[depth - 1].left--;
      if (head.kind == LIMPET_CBOR_BYTES || head.kind == LIMPET_CBOR_TEXT) walk.at += head.value;
      if (head.kind == LIMPET_CBOR_ARRAY || head.kind == LIMPET_CBOR_MAP) {
        if (depth == LIMPET_CBOR_DEPTH_MAX) return false;
        levels[depth].indefinite = head.indefinite;
        levels[depth].map = head.kind == LIMPET_CBOR_MAP;
        levels[depth].left = head.indefinite     ? UINT64_MAX
                             : levels[depth].map ? head.value * 2
                                                 : head.value;
        depth++;
      }
    }
    while (depth > 0 && levels[depth - 1].left == 0) depth--;
  } while (depth > 0);
  *cursor = walk;
  return true;
}

/* One well-formed item within the limits of cbor.h, and nothing after it? */
static inline bool limpet_cbor_validate(limpet_bytes bytes) {
  limpet_cbor cursor = limpet_cbor_read(bytes);
  return limpet_cbor_skip(&cursor) && cursor.at == cursor.end;
}

#ifdef __cplusplus
}
#endif
