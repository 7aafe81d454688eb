#pragma once
#include "cbor_reader.h"

/* Values out of a cursor, by kind, by place and by name; part of cbor.h. A function that answers
 * false leaves its outputs alone, so that a default can be put there before. */

#ifdef __cplusplus
extern "C" {
#endif

static inline limpet_cbor_kind limpet_cbor_kind_of(limpet_cbor cursor) {
  limpet_cbor_head head;
  return limpet_cbor_get_head(cursor, &head) ? head.kind : LIMPET_CBOR_NOTHING;
}

static inline bool limpet_cbor_get_uint(limpet_cbor cursor, uint64_t* value_out) {
  limpet_cbor_head head;
  if (!limpet_cbor_get_head(cursor, &head) || head.kind != LIMPET_CBOR_UINT) return false;
  *value_out = head.value;
  return true;
}

static inline bool limpet_cbor_get_int(limpet_cbor cursor, int64_t* value_out) {
  limpet_cbor_head head;
  if (!limpet_cbor_get_head(cursor, &head) || head.value > INT64_MAX) return false;
  if (head.kind != LIMPET_CBOR_UINT && head.kind != LIMPET_CBOR_NEGATIVE) return false;
  *value_out = head.kind == LIMPET_CBOR_UINT ? (int64_t)head.value : -1 - (int64_t)head.value;
  return true;
}

static inline bool limpet_cbor_get_bool(limpet_cbor cursor, bool* value_out) {
  limpet_cbor_head head;
  if (!limpet_cbor_get_head(cursor, &head) || head.kind != LIMPET_CBOR_BOOL) return false;
  *value_out = head.value != 0;
  return true;
}

/* A half-precision float, by widening its bits to a float's. */
static inline double limpet_cbor_half(uint32_t half) {
  uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31u, fraction = half & 0x3ffu;
  uint32_t bits = sign | 0x7f800000u | fraction << 13; /* infinity and NaN */
  float value;
  if (exponent == 0) {
    double tiny = (double)fraction / 16777216.0; /* 2^24 */
    return sign ? -tiny : tiny;
  }
  if (exponent != 31) bits = sign | (exponent + 112) << 23 | fraction << 13;
  memcpy(&value, &bits, 4);
  return (double)value;
}

/* Any number; an integer beyond 2^53 loses its last digits. */
static inline bool limpet_cbor_get_double(limpet_cbor cursor, double* value_out) {
  limpet_cbor_head head;
  if (!limpet_cbor_get_head(cursor, &head)) return false;
  if (head.kind == LIMPET_CBOR_UINT) {
    *value_out = (double)head.value;
  } else if (head.kind == LIMPET_CBOR_NEGATIVE) {
    *value_out = -1.0 - (double)head.value;
  } else if (head.kind != LIMPET_CBOR_FLOAT) {
    return false;
  } else if (head.bytes == 8) {
    memcpy(value_out, &head.value, 8);
  } else if (head.bytes == 4) {
    uint32_t bits = (uint32_t)head.value;
    float value;
    memcpy(&value, &bits, 4);
    *value_out = (double)value;
  } else {
    *value_out = limpet_cbor_half((uint32_t)head.value);
  }
  return true;
}

/* Borrowed, without a NUL at the end. */
static inline bool limpet_cbor_get_text(limpet_cbor cursor, const char** text_out,
                                        uint32_t* size_out) {
  limpet_cbor_head head;
  if (!limpet_cbor_get_head(cursor, &head) || head.kind != LIMPET_CBOR_TEXT) return false;
  if (head.value > UINT32_MAX) return false;
  *text_out = (const char*)head.next;
  *size_out = (uint32_t)head.value;
  return true;
}

static inline bool limpet_cbor_get_bytes(limpet_cbor cursor, limpet_bytes* bytes_out) {
  limpet_cbor_head head;
  if (!limpet_cbor_get_head(cursor, &head) || head.kind != LIMPET_CBOR_BYTES) return false;
  if (head.value > UINT32_MAX) return false;
  bytes_out->data = head.next;
  bytes_out->size = (uint32_t)head.value;
  return true;
}

/* Copies the text and a NUL. False as well when it does not fit or has a NUL inside. */
static inline bool limpet_cbor_copy_text(limpet_cbor cursor, char* buffer, size_t capacity) {
  const char* text;
  uint32_t size;
  if (!limpet_cbor_get_text(cursor, &text, &size) || size >= capacity) return false;
  if (size > 0 && memchr(text, 0, size)) return false;
  if (size > 0) memcpy(buffer, text, size);
  buffer[size] = 0;
  return true;
}

static inline bool limpet_cbor_text_is(limpet_cbor cursor, const char* expected) {
  const char* text;
  uint32_t size;
  return limpet_cbor_get_text(cursor, &text, &size) && size == strlen(expected) &&
         memcmp(text, expected, size) == 0;
}

/* A walk through an array or a map. */
typedef struct limpet_cbor_walk {
  limpet_cbor rest;
  uint64_t left; /* items or pairs; not used when indefinite */
  bool indefinite, map;
} limpet_cbor_walk;

/* For anything but an array or a map: a walk that ends at once. */
static inline limpet_cbor_walk limpet_cbor_enter(limpet_cbor container) {
  limpet_cbor_walk walk;
  limpet_cbor_head head;
  walk.rest = limpet_cbor_nothing();
  walk.left = 0;
  walk.indefinite = walk.map = false;
  if (limpet_cbor_get_head(container, &head) &&
      (head.kind == LIMPET_CBOR_ARRAY || head.kind == LIMPET_CBOR_MAP)) {
    walk.rest.at = head.next;
    walk.rest.end = container.end;
    walk.left = head.value;
    walk.indefinite = head.indefinite;
    walk.map = head.kind == LIMPET_CBOR_MAP;
  }
  return walk;
}

/* The next value, and of a map its key. key_out may be NULL; in an array it becomes nothing.
 * False at the end, and at malformed input, where the walk ends for good. */
static inline bool limpet_cbor_next(limpet_cbor_walk* walk, limpet_cbor* key_out,
                                    limpet_cbor* value_out) {
  limpet_cbor key = limpet_cbor_nothing(), value;
  if (!walk->indefinite && walk->left == 0) return false;
  if (walk->indefinite && limpet_cbor_at_break(walk->rest)) return false;
  if (walk->map) {
    key = walk->rest;
    if (!limpet_cbor_skip(&walk->rest)) {
      walk->rest = limpet_cbor_nothing();
      return false;
    }
  }
  value = walk->rest;
  if (!limpet_cbor_skip(&walk->rest)) {
    walk->rest = limpet_cbor_nothing();
    return false;
  }
  if (!walk->indefinite) walk->left--;
  if (key_out) *key_out = key;
  *value_out = value;
  return true;
}

/* The value of the map's first entry with this text key, else nothing. */
static inline limpet_cbor limpet_cbor_find(limpet_cbor map, const char* key) {
  limpet_cbor_walk walk = limpet_cbor_enter(map);
  limpet_cbor name, value;
  while (walk.map && limpet_cbor_next(&walk, &name, &value)) {
    if (limpet_cbor_text_is(name, key)) return value;
  }
  return limpet_cbor_nothing();
}

/* The item's own bytes, to store it or hand it on; empty when malformed. */
static inline limpet_bytes limpet_cbor_raw(limpet_cbor cursor) {
  limpet_bytes bytes = {NULL, 0};
  limpet_cbor after = cursor;
  if (limpet_cbor_skip(&after) && (size_t)(after.at - cursor.at) <= UINT32_MAX) {
    bytes.data = cursor.at;
    bytes.size = (uint32_t)(after.at - cursor.at);
  }
  return bytes;
}

#ifdef __cplusplus
}
#endif
