#pragma once
#include <float.h>
#include <stdbool.h>
#include <string.h>
#include "plugin.h"

/* The writing half of cbor.h. A writer never fails in the middle: when the buffer is full it only
 * counts on, and limpet_cbor_written() at the end says so. It does not check that as many items
 * follow a map or an array as were announced. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct limpet_cbor_writer {
  uint8_t* data;   /* NULL: only count */
  size_t capacity; /* of data */
  size_t size;     /* of what was put; larger than capacity when it did not fit */
} limpet_cbor_writer;

/* data == NULL is the size pass. */
static inline limpet_cbor_writer limpet_cbor_writer_to(uint8_t* data, size_t capacity) {
  limpet_cbor_writer writer;
  writer.data = data;
  writer.capacity = data ? capacity : 0;
  writer.size = 0;
  return writer;
}

/* True when everything fitted; in a size pass never. */
static inline bool limpet_cbor_written(const limpet_cbor_writer* writer) {
  return writer->data != NULL && writer->size <= writer->capacity;
}

/* Puts bytes that are CBOR already. */
static inline void limpet_cbor_put_raw(limpet_cbor_writer* writer, const void* data, size_t size) {
  if (size > SIZE_MAX - writer->size) {
    writer->size = SIZE_MAX;
    return;
  }
  if (size > 0 && writer->size <= writer->capacity && size <= writer->capacity - writer->size) {
    memcpy(writer->data + writer->size, data, size);
  }
  writer->size += size;
}

/* The first byte and, big-endian, as many more as the value needs. major: 0..7. */
static inline void limpet_cbor_put_head(limpet_cbor_writer* writer, unsigned major,
                                        uint64_t value) {
  uint8_t head[9];
  unsigned bytes = 0, info = (unsigned)(value & 31u);
  if (value >= 24) {
    bytes = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffffu ? 4 : 8;
    info = bytes == 1 ? 24u : bytes == 2 ? 25u : bytes == 4 ? 26u : 27u;
  }
  head[0] = (uint8_t)(major << 5 | info);
  for (unsigned i = 0; i < bytes; i++) head[bytes - i] = (uint8_t)(value >> (8 * i) & 0xff);
  limpet_cbor_put_raw(writer, head, 1 + bytes);
}

static inline void limpet_cbor_put_uint(limpet_cbor_writer* writer, uint64_t value) {
  limpet_cbor_put_head(writer, 0, value);
}

static inline void limpet_cbor_put_int(limpet_cbor_writer* writer, int64_t value) {
  if (value >= 0) {
    limpet_cbor_put_head(writer, 0, (uint64_t)value);
  } else {
    limpet_cbor_put_head(writer, 1, ~(uint64_t)value);
  }
}

static inline void limpet_cbor_put_bool(limpet_cbor_writer* writer, bool value) {
  limpet_cbor_put_head(writer, 7, value ? 21 : 20);
}

static inline void limpet_cbor_put_null(limpet_cbor_writer* writer) {
  limpet_cbor_put_head(writer, 7, 22);
}

/* In four bytes where that loses nothing; every NaN becomes the same bytes. */
static inline void limpet_cbor_put_double(limpet_cbor_writer* writer, double value) {
  uint8_t bytes[9];
  uint64_t bits = 0;
  unsigned size = 8;
  if (value != value) {
    limpet_cbor_put_raw(writer, "\xf9\x7e", 3);
    return;
  }
  if (value >= -(double)FLT_MAX && value <= (double)FLT_MAX && (double)(float)value == value) {
    float narrow = (float)value;
    uint32_t narrow_bits;
    memcpy(&narrow_bits, &narrow, 4);
    bits = narrow_bits;
    size = 4;
  } else {
    memcpy(&bits, &value, 8);
  }
  bytes[0] = size == 4 ? 0xfa : 0xfb;
  for (unsigned i = 0; i < size; i++) bytes[size - i] = (uint8_t)(bits >> (8 * i) & 0xff);
  limpet_cbor_put_raw(writer, bytes, 1 + size);
}

static inline void limpet_cbor_put_bytes(limpet_cbor_writer* writer, const void* data,
                                         size_t size) {
  limpet_cbor_put_head(writer, 2, size);
  limpet_cbor_put_raw(writer, data, size);
}

static inline void limpet_cbor_put_text(limpet_cbor_writer* writer, const char* text, size_t size) {
  limpet_cbor_put_head(writer, 3, size);
  limpet_cbor_put_raw(writer, text, size);
}

/* A text that ends in NUL: also every key of a map. */
static inline void limpet_cbor_put_string(limpet_cbor_writer* writer, const char* text) {
  limpet_cbor_put_text(writer, text, strlen(text));
}

/* `count` items follow. */
static inline void limpet_cbor_put_array(limpet_cbor_writer* writer, uint32_t count) {
  limpet_cbor_put_head(writer, 4, count);
}

/* `count` pairs follow, key and value by turns. */
static inline void limpet_cbor_put_map(limpet_cbor_writer* writer, uint32_t count) {
  limpet_cbor_put_head(writer, 5, count);
}

/* The same with the count not known: items follow up to limpet_cbor_put_end(). */
static inline void limpet_cbor_put_open_array(limpet_cbor_writer* writer) {
  limpet_cbor_put_raw(writer, "\x9f", 1);
}

static inline void limpet_cbor_put_open_map(limpet_cbor_writer* writer) {
  limpet_cbor_put_raw(writer, "\xbf", 1);
}

static inline void limpet_cbor_put_end(limpet_cbor_writer* writer) {
  limpet_cbor_put_raw(writer, "\xff", 1);
}

#ifdef __cplusplus
}
#endif
