#include "host/foreign.hpp"

#include <doctest/doctest.h>

#include "base/limits.hpp"

using namespace limpet;
using namespace limpet::host;

TEST_CASE("foreign: a plugin's text is cut, and can neither break a line nor a parser") {
  CHECK(take_text(nullptr, 10).empty());
  CHECK(take_text("fine", 10) == "fine");
  CHECK(take_text("a\nb\x1b[31m\x7f", 64) == "a b [31m ");
  CHECK(take_text("0123456789abcdef", 10) == "0123456789");
  CHECK(take_text("\xff\xfe ok", 64) == "?? ok");
  CHECK(take_text("gr\xc3\xbc\xc3\x9f", 64) == "gr\xc3\xbc\xc3\x9f");
}

TEST_CASE("foreign: a cut in the middle of a character takes the character away") {
  CHECK(take_text("abc\xe2\x82\xac", 5) == "abc");
  CHECK(take_text("abc\xe2\x82\xac", 6) == "abc\xe2\x82\xac");
}

TEST_CASE("foreign: bytes given to a plugin come back whole and are released once") {
  limpet_buffer buffer = give_bytes({0x82, 0x01, 0x02});
  const Result<ByteVector> taken = take_item(buffer, 16);
  REQUIRE(taken.ok());
  CHECK(*taken == ByteVector{0x82, 0x01, 0x02});
  CHECK_FALSE(bool(buffer.release));
  CHECK(take_item(buffer, 16).ok());  // empty now
}

TEST_CASE("foreign: a refused buffer is released all the same") {
  limpet_buffer large = give_bytes(ByteVector(17, 0xf6));
  CHECK(take_item(large, 16).error().code == ErrorCode::too_large);
  CHECK_FALSE(bool(large.release));
  limpet_buffer two_items = give_bytes({0xf6, 0xf6});
  CHECK(take_item(two_items, 16).error().code == ErrorCode::invalid);
  CHECK_FALSE(bool(two_items.release));
}

TEST_CASE("foreign: a claim about the world survives a value that is garbage") {
  limpet_result result{};
  result.struct_size = sizeof result;
  result.outcome = LIMPET_UNKNOWN;
  result.value = give_bytes({0xff});
  const TakenResult taken = take_result(&result);
  CHECK(taken.garbage);
  CHECK(taken.result.outcome == Outcome::unknown);
}

TEST_CASE("foreign: a status says whether the same call is worth another try") {
  CHECK(result_of_status(LIMPET_INVALID, "no").outcome == Outcome::failed);
  CHECK(result_of_status(LIMPET_INVALID, "no").error == "no");
  CHECK(result_of_status(LIMPET_UNAVAILABLE, "").outcome == Outcome::retry);
  CHECK(result_of_status(LIMPET_UNAVAILABLE, "").error == "not available now");
  CHECK(result_of_status(-12345, "").outcome == Outcome::retry);
}
