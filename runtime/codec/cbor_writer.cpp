#include <cbor/encoding.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "codec/cbor.hpp"

namespace limpet::codec {

namespace {

// -1 - value without overflow: CBOR stores a negative number as its complement.
uint64_t complement_of(int64_t negative) { return ~static_cast<uint64_t>(negative); }

bool fits_float(double value) {
  if (!std::isfinite(value)) return true;
  if (std::fabs(value) > static_cast<double>(std::numeric_limits<float>::max())) return false;
  return static_cast<double>(static_cast<float>(value)) == value;
}

}  // namespace

// libcbor answers the bytes it wrote, and 0 when they did not fit.
void CborWriter::advance(size_t written) {
  if (overflow_ || written == 0) {
    overflow_ = true;
    return;
  }
  size_ += written;
}

void CborWriter::append(ByteSpan bytes) {
  if (overflow_ || bytes.size() > room()) {
    overflow_ = true;
    return;
  }
  if (!bytes.empty()) std::memcpy(next(), bytes.data(), bytes.size());
  size_ += bytes.size();
}

void CborWriter::map(size_t pair_count) {
  advance(cbor_encode_map_start(pair_count, next(), room()));
}
void CborWriter::array(size_t item_count) {
  advance(cbor_encode_array_start(item_count, next(), room()));
}
void CborWriter::uint(uint64_t value) { advance(cbor_encode_uint(value, next(), room())); }

void CborWriter::integer(int64_t value) {
  if (value >= 0) {
    uint(static_cast<uint64_t>(value));
  } else {
    advance(cbor_encode_negint(complement_of(value), next(), room()));
  }
}

void CborWriter::text(std::string_view text) {
  advance(cbor_encode_string_start(text.size(), next(), room()));
  append(as_bytes(text));
}

void CborWriter::bytes(ByteSpan bytes) {
  advance(cbor_encode_bytestring_start(bytes.size(), next(), room()));
  append(bytes);
}

void CborWriter::boolean(bool value) { advance(cbor_encode_bool(value, next(), room())); }
void CborWriter::null() { advance(cbor_encode_null(next(), room())); }

void CborWriter::number(double value) {
  if (fits_float(value)) {
    advance(cbor_encode_single(static_cast<float>(value), next(), room()));
  } else {
    advance(cbor_encode_double(value, next(), room()));
  }
}

void CborWriter::raw(ByteSpan one_item) {
  if (one_item.empty()) overflow_ = true;  // no item at all would leave a container short
  append(one_item);
}

Result<ByteSpan> CborWriter::finish() const {
  if (overflow_) return Error{ErrorCode::too_large, "cbor: the buffer is too small"};
  return ByteSpan(buffer_.data(), size_);
}

}  // namespace limpet::codec
