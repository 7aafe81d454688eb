#include "codec/crc32c.hpp"

#include <doctest/doctest.h>

#include <string>

#include "codec/utf8.hpp"

using limpet::as_bytes;
using limpet::ByteVector;
using limpet::codec::crc32c;
using limpet::codec::utf8_valid;

TEST_CASE("crc32c: agrees with the published check values") {
  CHECK(crc32c(0, as_bytes("123456789")) == 0xe3069283);
  CHECK(crc32c(0, {}) == 0);
  CHECK(crc32c(0, ByteVector(32, 0)) == 0x8a9136aa);     // RFC 3720, B.4
  CHECK(crc32c(0, ByteVector(32, 0xff)) == 0x62a8ab43);  // RFC 3720, B.4
}

TEST_CASE("crc32c: any split of the input gives the same checksum") {
  const std::string text = "limpets stick to the rock while the tide goes out and in";
  const uint32_t whole = crc32c(0, as_bytes(text));
  for (size_t split = 0; split <= text.size(); ++split) {
    const uint32_t head = crc32c(0, as_bytes(text).first(split));
    CHECK(crc32c(head, as_bytes(text).subspan(split)) == whole);
  }
}

TEST_CASE("utf8: well-formed text of every length passes") {
  CHECK(utf8_valid(""));
  CHECK(utf8_valid("ascii"));
  CHECK(utf8_valid("\xc3\xa9"));          // e acute
  CHECK(utf8_valid("\xe2\x82\xac"));      // euro
  CHECK(utf8_valid("\xed\x9f\xbf"));      // last before the surrogates
  CHECK(utf8_valid("\xf0\x9f\x90\x9a"));  // a shell
  CHECK(utf8_valid("\xf4\x8f\xbf\xbf"));  // U+10FFFF
}

TEST_CASE("utf8: overlong forms, surrogates and broken sequences are refused") {
  for (const char* text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                           "\xc3", "\xe2\x82", "\xf0\x9f\x90", "\xc3(", "\xe2\x82("}) {
    CAPTURE(text);
    CHECK_FALSE(utf8_valid(text));
  }
}
