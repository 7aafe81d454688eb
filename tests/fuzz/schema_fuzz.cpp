// A schema and a value, divided by a line break. Both come from plugins and are hostile.
#include "codec/json.hpp"
#include "codec/schema.hpp"

namespace codec = limpet::codec;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = limpet::as_text({data, size});
  const size_t line = text.find('\n');
  const auto schema = codec::Schema::compile_json(text.substr(0, line));
  if (!schema || line == std::string_view::npos) return 0;
  const auto value = codec::json_to_cbor(text.substr(line + 1));
  if (value) (void)schema.value().check(value.value());
  return 0;
}
