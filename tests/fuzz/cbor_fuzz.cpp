// Anything as CBOR. Validator, pull reader, JSON and the plugins' own reader (limpet/cbor.h) must
// agree: what the house takes is well formed for a plugin too, and what a plugin takes and the
// house does not is refused for a rule of the house's profile (cbor.hpp) and no other reason.
#include "codec/cbor.hpp"

#include <limpet/cbor.h>

#include <array>
#include <string_view>

#include "codec/event_json.hpp"
#include "codec/json.hpp"
#include "tests/fuzz/require.hpp"

using limpet::ByteSpan;
using limpet::codec::CborKind;
using limpet::codec::CborReader;
using limpet::fuzz::require;

namespace {

constexpr std::array<std::string_view, 6> profile = {
    "cbor: a tag",
    "cbor: the value undefined",
    "cbor: an indefinite length",
    "cbor: an integer below -2^63",
    "cbor: text that is not UTF-8",
    "cbor: a key that is neither text nor an integer",
};

bool is_rule_of_profile(std::string_view reason) {
  for (const std::string_view rule : profile) {
    if (rule == reason) return true;
  }
  return false;
}

// Walks one item by its kinds, as a decoder would; counts the items.
size_t walk(CborReader& reader) {
  size_t inside = 0;
  switch (reader.peek().value_or(CborKind::null)) {
    case CborKind::uint: (void)reader.uint(); return 1;
    case CborKind::negative: (void)reader.integer(); return 1;
    case CborKind::bytes: (void)reader.bytes(); return 1;
    case CborKind::text: (void)reader.text(); return 1;
    case CborKind::boolean: (void)reader.boolean(); return 1;
    case CborKind::number: (void)reader.number(); return 1;
    case CborKind::null: reader.null(); return 1;
    case CborKind::array: inside = reader.array(); break;
    case CborKind::map: inside = 2 * reader.map(); break;
  }
  size_t count = 1;
  for (; inside > 0 && reader.ok(); --inside) count += walk(reader);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan input(data, size);
  const limpet::Result<void> valid = limpet::codec::validate(input);
  const bool valid_for_plugins =
      limpet_cbor_validate(limpet_bytes{data, static_cast<uint32_t>(size)});
  if (valid) require(valid_for_plugins);
  if (!valid && valid_for_plugins) require(is_rule_of_profile(valid.error().where));

  CborReader walker(input);
  require(walk(walker) <= size + 1);
  CborReader skipper(input);
  const ByteSpan item = skipper.item();
  require(walker.finish().ok() == skipper.finish().ok());
  if (skipper.ok()) require(item.data() == data && item.size() == skipper.offset());
  if (valid) require(skipper.finish().ok());

  require(limpet::codec::cbor_to_json(input).ok() == valid.ok());
  (void)limpet::codec::event_from_map(input);
  return 0;
}
