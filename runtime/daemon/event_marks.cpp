#include "daemon/event_marks.hpp"

#include "base/check.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"

namespace limpet::daemon {

ByteVector mark_unsynced(ByteSpan extensions) {
  if (extensions.empty()) {
    return codec::cbor_map({{time_quality_name, time_quality_unsynced}});
  }
  ByteVector items;
  codec::CborReader reader(extensions);
  const size_t pairs = reader.map();
  for (size_t pair = 0; pair < pairs && reader.ok(); ++pair) {
    const std::string_view name = reader.text();
    const ByteSpan value = reader.item();
    if (name == time_quality_name) return {extensions.begin(), extensions.end()};
    const ByteVector key = codec::cbor_item(name);
    items.insert(items.end(), key.begin(), key.end());
    items.insert(items.end(), value.begin(), value.end());
  }
  if (!reader.finish()) return {extensions.begin(), extensions.end()};
  ByteVector marked(codec::cbor_head_size(pairs + 1));
  codec::CborWriter head(marked);
  head.map(pairs + 1);
  LIMPET_ASSERT(head.ok());
  marked.insert(marked.end(), items.begin(), items.end());
  for (const std::string_view text : {time_quality_name, time_quality_unsynced}) {
    const ByteVector item = codec::cbor_item(text);
    marked.insert(marked.end(), item.begin(), item.end());
  }
  return marked;
}

}  // namespace limpet::daemon
