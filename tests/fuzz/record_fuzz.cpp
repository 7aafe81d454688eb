// Anything as the body of a stored record, sealed as if our own disk had kept it: the checksum
// stops accidents, so what stands behind it is tried here. Decoding must refuse or give a value
// that can be written again and read back the same.
#include <cstring>

#include "codec/record_frame.hpp"
#include "codec/records.hpp"
#include "tests/fuzz/require.hpp"

using limpet::fuzz::require;
namespace codec = limpet::codec;

namespace {

// The contexts of records.hpp: an event's is its sequence, the others are their kind in ASCII.
constexpr uint64_t sequence = 7;
constexpr uint64_t run_context = 0x72756e0000000000;
constexpr uint64_t step_context = 0x7374657000000000;

limpet::ByteVector sealed(limpet::ByteSpan body, uint64_t context) {
  limpet::ByteVector record(codec::record_header_bytes + body.size());
  if (!body.empty()) {
    std::memcpy(record.data() + codec::record_header_bytes, body.data(), body.size());
  }
  codec::seal_record(record, context);
  return record;
}

void try_event(limpet::ByteSpan body) {
  const limpet::ByteVector record = sealed(body, sequence);
  const auto event = codec::decode_event(record, limpet::Sequence{sequence});
  if (!event || !codec::check_event(event.value())) return;
  limpet::ByteVector buffer(codec::event_record_size(event.value()));
  const auto written = codec::encode_event(event.value(), buffer);
  require(written.ok());
  const auto again = codec::decode_event(written.value(), limpet::Sequence{sequence});
  require(again.ok());
  require(again.value().type == event.value().type);
}

template <class Value, class Decode, class Encode>
void try_value(limpet::ByteSpan body, uint64_t context, Decode decode, Encode encode) {
  const auto value = decode(sealed(body, context));
  if (!value) return;
  const auto written = encode(value.value());
  if (!written) return;
  const auto again = decode(written.value());
  require(again.ok());
  const auto rewritten = encode(again.value());
  require(rewritten.ok());
  require(rewritten.value() == written.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const limpet::ByteSpan body(data, size);
  try_event(body);
  try_value<limpet::Run>(body, run_context, codec::decode_run, codec::encode_run);
  try_value<limpet::Step>(body, step_context, codec::decode_step, codec::encode_step);
  return 0;
}
