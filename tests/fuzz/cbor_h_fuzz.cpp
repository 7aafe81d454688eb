// Feeds anything to the reader of limpet/cbor.h. What the validator accepts must be walked to its
// end by the cursor functions too, and copied by the writer to the same number of bytes.
#include <limpet/cbor.h>

#include <cstdlib>

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

size_t walk_count(limpet_cbor item, int depth) {
  // An item is entered without looking at its end, so one level may come on top of the limit.
  require(depth <= LIMPET_CBOR_DEPTH_MAX + 1);
  limpet_cbor_walk walk = limpet_cbor_enter(item);
  limpet_cbor key;
  limpet_cbor value;
  size_t count = 1;
  while (limpet_cbor_next(&walk, &key, &value)) {
    const limpet_bytes raw = limpet_cbor_raw(value);
    require(limpet_cbor_validate(raw));
    double number = 0;
    const char* text = nullptr;
    uint32_t size = 0;
    char copy[32];
    limpet_cbor_get_double(value, &number);
    if (limpet_cbor_get_text(value, &text, &size)) require(text + size <= (const char*)value.end);
    limpet_cbor_copy_text(value, copy, sizeof copy);
    count += walk_count(value, depth + 1);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const limpet_bytes bytes = {data, static_cast<uint32_t>(size)};
  limpet_cbor item = limpet_cbor_read(bytes);
  limpet_cbor after = item;
  const bool whole = limpet_cbor_skip(&after);
  require(whole ? after.at > item.at && after.at <= item.end : after.at == item.at);
  require(walk_count(item, 0) <= size + 1);
  require(limpet_cbor_raw(item).size == (whole ? static_cast<uint32_t>(after.at - item.at) : 0));
  limpet_cbor_find(item, "data");
  return 0;
}
