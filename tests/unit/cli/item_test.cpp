#include "cli/item.hpp"

#include <doctest/doctest.h>

#include "codec/json.hpp"

using namespace limpet;
using namespace limpet::cli;

TEST_CASE("item: finds members, and nothing where nothing is") {
  const auto json = codec::json_to_cbor(R"({"a":{"b":[1,"two",null]},"c":true})");
  REQUIRE(json);
  const ByteSpan list = member(member(*json, "a"), "b");
  CHECK(is_array(list));
  std::string seen;
  for_each_item(list, [&](ByteSpan item) { seen += display(item) + ";"; });
  CHECK(seen == "1;two;;");
  CHECK(member(*json, "d").empty());
  CHECK(member(list, "a").empty());
  CHECK(member({}, "a").empty());
  CHECK(display(*json) == R"({"a":{"b":[1,"two",null]},"c":true})");
}

TEST_CASE("item: what a device sent cannot steer the terminal") {
  const auto json = codec::json_to_cbor(R"("a\u001b[31mb\nc")");
  REQUIRE(json);
  CHECK(display(*json) == "a [31mb c");
}

TEST_CASE("item: cutting counts characters and never splits one") {
  CHECK(cut("abc", 3) == "abc");
  CHECK(cut("abcd", 3) == "ab…");
  CHECK(cut("äöüß", 4) == "äöüß");
  CHECK(cut("äöüß!", 4) == "äöü…");
  CHECK(cut("", 3).empty());
}
