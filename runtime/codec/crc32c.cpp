#include "codec/crc32c.hpp"

#include <array>
#include <cstddef>

namespace limpet::codec {

namespace {

constexpr uint32_t polynomial_reflected = 0x82f63b78;
constexpr size_t slice_count = 8;

using Table = std::array<std::array<uint32_t, 256>, slice_count>;

// Row 0 is the classic byte table; row n is the effect of a byte that n more bytes follow.
constexpr Table make_table() {
  Table table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial_reflected : crc >> 1;
    }
    table[0][byte] = crc;
  }
  for (size_t row = 1; row < slice_count; ++row) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = table[row - 1][byte];
      table[row][byte] = (before >> 8) ^ table[0][before & 0xff];
    }
  }
  return table;
}

constexpr Table table = make_table();

// Byte by byte, so that neither alignment nor byte order matters; compilers make one load of it.
uint32_t load_le32(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8 |
         static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

}  // namespace

uint32_t crc32c(uint32_t crc, ByteSpan bytes) {
  const uint8_t* next = bytes.data();
  size_t left = bytes.size();
  crc = ~crc;
  for (; left >= slice_count; left -= slice_count, next += slice_count) {
    const uint32_t low = load_le32(next) ^ crc;
    const uint32_t high = load_le32(next + 4);
    crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^
          table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][(high >> 8) & 0xff] ^
          table[1][(high >> 16) & 0xff] ^ table[0][high >> 24];
  }
  for (; left > 0; --left, ++next) {
    crc = (crc >> 8) ^ table[0][(crc ^ *next) & 0xff];
  }
  return ~crc;
}

}  // namespace limpet::codec
