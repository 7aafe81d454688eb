#include "codec/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace limpet::codec {

namespace {

struct Form {
  size_t size;         // bytes of the sequence; 0: no sequence begins with this byte
  uint8_t second_min;  // the second byte's range; all later ones are 80..bf
  uint8_t second_max;
};

Form form_of(uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xc2) return {0, 0, 0};  // a continuation, or an overlong form of ASCII
  if (lead < 0xe0) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};  // above are the surrogates
  if (lead < 0xf0) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead < 0xf4) return {4, 0x80, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

bool utf8_valid(std::string_view text) {
  size_t index = 0;
  while (index < text.size()) {
    const Form form = form_of(static_cast<uint8_t>(text[index]));
    if (form.size == 0 || form.size > text.size() - index) return false;
    if (form.size > 1) {
      const auto second = static_cast<uint8_t>(text[index + 1]);
      if (second < form.second_min || second > form.second_max) return false;
    }
    for (size_t offset = 2; offset < form.size; ++offset) {
      if ((static_cast<uint8_t>(text[index + offset]) & 0xc0) != 0x80) return false;
    }
    index += form.size;
  }
  return true;
}

}  // namespace limpet::codec
