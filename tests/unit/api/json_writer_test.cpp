#include "api/json_writer.hpp"

#include <doctest/doctest.h>

using namespace limpet::api;

TEST_CASE("json_writer: objects and arrays nest, text is escaped") {
  std::string out;
  JsonObject object(out);
  object.text("a\"b", "line\nend\x01");
  object.text_or_null("empty", "");
  object.number("large", 18446744073709551615U);
  object.boolean("yes", true);
  object.member("list");
  JsonArray list(out);
  list.item();
  out.append("1");
  list.item();
  out.append("2");
  list.end();
  object.end();
  CHECK(out == R"({"a\"b":"line\nend\u0001","empty":null,"large":18446744073709551615,)"
               R"("yes":true,"list":[1,2]})");
}
