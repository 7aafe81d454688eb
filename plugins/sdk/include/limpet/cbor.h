#pragma once

/* CBOR (RFC 8949) for plugins: everything inline, over the caller's buffers, without malloc.
 *
 * Writing: run the same code twice, first with a NULL buffer to learn the size, then to write; or
 * once into a buffer that is large enough, and ask at the end.
 *
 *   uint8_t buffer[64];
 *   limpet_cbor_writer writer = limpet_cbor_writer_to(buffer, sizeof buffer);
 *   limpet_cbor_put_map(&writer, 1);
 *   limpet_cbor_put_string(&writer, "percent");
 *   limpet_cbor_put_double(&writer, 42.5);
 *   if (!limpet_cbor_written(&writer)) ...    it did not fit
 *
 * Reading: a limpet_cbor is a cursor, two pointers; missing and malformed things are an empty
 * cursor, so that lookups can be chained and only the end is checked.
 *
 *   const char *text; uint32_t size;
 *   limpet_cbor data = limpet_cbor_find(limpet_cbor_read(event), "data");
 *   if (!limpet_cbor_get_text(limpet_cbor_find(data, "path"), &text, &size)) ...
 *
 * What it reads: integers, floats of all sizes, byte and text strings, arrays and maps of definite
 * and indefinite length, true, false, null (and undefined, as null); tags are passed over. What it
 * refuses: strings of indefinite length, other simple values, nesting beyond
 * LIMPET_CBOR_DEPTH_MAX, counts that the input cannot hold. No function reads past its input,
 * whatever the input is. Time is linear in the input. Text is not checked to be UTF-8. */

#include "cbor_reader.h"
#include "cbor_values.h"
#include "cbor_writer.h"
