#include "api/request.hpp"

#include <doctest/doctest.h>

using namespace limpet::api;

TEST_CASE("request: a target is split and decoded") {
  Request request;
  REQUIRE(parse_target("/v1/runs/a%2Fb+c?type=a.%23&q=x+y&flag&=z&empty=#fragment", request));
  REQUIRE(request.segments.size() == 3);
  CHECK(request.segments[2] == "a/b+c");
  REQUIRE(request.query.size() == 4);
  CHECK(request.query[0].value == "a.#");
  CHECK(request.query[1].value == "x y");
  CHECK(request.query[2].name == "flag");
  CHECK(request.query[3].value.empty());
}

TEST_CASE("request: targets that are no path are refused") {
  for (const char* target : {"", "http://host/", "*", "/%", "/%2", "/%zz", "/%ff", "/?a=%c3"}) {
    Request request;
    CAPTURE(target);
    CHECK_FALSE(parse_target(target, request));
  }
}

TEST_CASE("request: an empty path has no segments") {
  Request request;
  REQUIRE(parse_target("/", request));
  CHECK(request.segments.empty());
  REQUIRE(parse_target("/?a=b", request));
  CHECK(request.query.size() == 1);
}
