#include "model/ids.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace limpet;

TEST_CASE("ids: an epoch is eight characters that nobody misreads, both ways") {
  CHECK(to_string(Epoch(0)) == "00000000");
  CHECK(to_string(Epoch(epoch_mask)) == "zzzzzzzz");
  CHECK(parse_epoch("00000001") == Epoch(1));
  std::mt19937_64 random(5);
  for (int round = 0; round < 1000; ++round) {
    const Epoch epoch(random() & epoch_mask);
    CHECK(parse_epoch(to_string(epoch)) == epoch);
  }
}

TEST_CASE("ids: what is no epoch is not taken for one") {
  for (const char* text : {"", "0000000", "000000000", "0000000i", "0000000L", "0000000u",
                           "0000000O", "0000000-", "0000000 "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_epoch(text).has_value());
  }
}

TEST_CASE("ids: a qualified id passes both ways") {
  const Epoch epoch(0x123456789a);
  for (const uint64_t number : {uint64_t{0}, uint64_t{1042}, UINT64_MAX}) {
    const std::optional<QualifiedId> id = parse_qualified_id(qualified_id(epoch, number));
    REQUIRE(id.has_value());
    CHECK(id->epoch == epoch);
    CHECK(id->number == number);
  }
}

TEST_CASE("ids: what is no qualified id is not taken for one") {
  for (const char* text :
       {"", "00000001", "00000001-", "00000001-x", "00000001-1x", "00000001- 1", "00000001--1",
        "00000001-+1", "0000001-1", "00000001_1", "00000001-18446744073709551616"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_qualified_id(text).has_value());
  }
}

TEST_CASE("ids: a call's key names run, step and ordinal") {
  CHECK(call_key(Epoch(1), RunId(42), "tell", Ordinal(3)) == "00000001-42/tell/3");
}
