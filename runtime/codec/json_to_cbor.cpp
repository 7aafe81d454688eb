#include "base/limits.hpp"
#include "codec/cbor_builder.hpp"
#include "codec/json.hpp"
#include "codec/json_builder.hpp"
#include "codec/json_parser.hpp"

namespace limpet::codec {

Explained<ByteVector> json_to_cbor(std::string_view text) {
  CborBuilder builder(limits::batch_bytes_max);
  JsonBuilder sink(builder);
  const Explained<JsonEnd> end = parse_json(text, sink);
  if (!end) return end.refusal();
  Result<ByteVector> item = builder.take();
  if (!item)
    return Refusal{item.error(), "the value is nested more than 16 levels deep or too large"};
  return std::move(item).value();
}

}  // namespace limpet::codec
