// Anything as JSON. What is accepted must come back as JSON that means the same: the second
// conversion of a text made by us gives the same bytes.
#include "codec/event_json.hpp"
#include "codec/json.hpp"
#include "tests/fuzz/require.hpp"

using limpet::fuzz::require;
namespace codec = limpet::codec;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = limpet::as_text({data, size});
  (void)codec::events_from_json(text);
  const auto item = codec::json_to_cbor(text);
  if (!item) return 0;
  const auto first = codec::cbor_to_json(item.value());
  require(first.ok());
  const auto again = codec::json_to_cbor(first.value());
  require(again.ok());
  require(again.value() == item.value());
  return 0;
}
