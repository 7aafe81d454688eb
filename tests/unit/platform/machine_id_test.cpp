#include "platform/machine_id.hpp"

#include <doctest/doctest.h>

using namespace limpet;
using namespace limpet::platform;

TEST_CASE("machine_id: 32 hexadecimal digits, with or without a line end") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  CHECK(*parse_machine_id(id) == id);
  CHECK(*parse_machine_id(id + "\n") == id);
}

TEST_CASE("machine_id: a machine on its first boot has none yet") {
  CHECK(parse_machine_id("").error().code == ErrorCode::not_found);
  CHECK(parse_machine_id("\n").error().code == ErrorCode::not_found);
  CHECK(parse_machine_id("uninitialized\n").error().code == ErrorCode::not_found);
}

TEST_CASE("machine_id: anything else is damage, not an id") {
  for (const char* text :
       {"0123456789abcdef0123456789abcde", "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdef0", "g123456789abcdef0123456789abcdef"}) {
    CHECK(parse_machine_id(text).error().code == ErrorCode::corrupt);
  }
}
