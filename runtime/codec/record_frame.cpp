#include "codec/record_frame.hpp"

#include <array>

#include "base/check.hpp"
#include "codec/crc32c.hpp"
#include "codec/records.hpp"

namespace limpet::codec {

namespace {

constexpr size_t crc_bytes = 4;
static_assert(record_header_bytes == 1 + crc_bytes);

uint32_t record_crc(ByteSpan record, uint64_t context) {
  std::array<uint8_t, 9> prefix{};
  for (size_t index = 0; index < 8; ++index) {
    prefix[index] = static_cast<uint8_t>(context >> (56 - 8 * index));
  }
  prefix[8] = record[0];
  return crc32c(crc32c(0, prefix), record.subspan(record_header_bytes));
}

}  // namespace

void seal_record(std::span<uint8_t> record, uint64_t context) {
  LIMPET_ASSERT(record.size() >= record_header_bytes);
  record[0] = record_version;
  const uint32_t crc = record_crc(record, context);
  for (size_t index = 0; index < crc_bytes; ++index) {
    record[1 + index] = static_cast<uint8_t>(crc >> (8 * index));
  }
}

Result<ByteSpan> open_record(ByteSpan record, uint64_t context) {
  if (record.size() < record_header_bytes) {
    return Error{ErrorCode::corrupt, "record: shorter than its header"};
  }
  uint32_t crc = 0;
  for (size_t index = 0; index < crc_bytes; ++index) {
    crc |= static_cast<uint32_t>(record[1 + index]) << (8 * index);
  }
  if (crc != record_crc(record, context)) {
    return Error{ErrorCode::corrupt, "record: the checksum does not match"};
  }
  if (record[0] >> 4 != record_version >> 4) {
    return Error{ErrorCode::unsupported, "record: written by another major version"};
  }
  return record.subspan(record_header_bytes);
}

}  // namespace limpet::codec
