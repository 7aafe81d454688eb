#include "codec/base64.hpp"

#include <cstddef>
#include <cstdint>

namespace limpet::codec {

namespace {

constexpr std::string_view standard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view for_urls =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(ByteSpan bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  int bit_count = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (bit_count += 8; bit_count >= 6; bit_count -= 6) {
      text.push_back(alphabet[(bits >> (bit_count - 6)) & 63]);
    }
  }
  if (bit_count > 0) text.push_back(alphabet[(bits << (6 - bit_count)) & 63]);
  return text;
}

// 64: no digit of either alphabet.
uint32_t digit_of(char character) {
  if (character >= 'A' && character <= 'Z') return static_cast<uint32_t>(character - 'A');
  if (character >= 'a' && character <= 'z') return static_cast<uint32_t>(character - 'a') + 26;
  if (character >= '0' && character <= '9') return static_cast<uint32_t>(character - '0') + 52;
  if (character == '+' || character == '-') return 62;
  if (character == '/' || character == '_') return 63;
  return 64;
}

}  // namespace

std::string base64(ByteSpan bytes) {
  std::string text = encode(bytes, standard);
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

std::string base64url(ByteSpan bytes) { return encode(bytes, for_urls); }

std::optional<ByteVector> parse_base64(std::string_view text) {
  if (text.size() % 4 == 0) {
    for (int pad = 0; pad < 2 && text.ends_with('='); ++pad) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  ByteVector bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int bit_count = 0;
  for (const char character : text) {
    const uint32_t digit = digit_of(character);
    if (digit > 63) return std::nullopt;
    bits = bits << 6 | digit;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<uint8_t>(bits >> bit_count));
    }
  }
  if ((bits & ((1u << bit_count) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace limpet::codec
