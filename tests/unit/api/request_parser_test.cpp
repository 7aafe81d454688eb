#include "api/request_parser.hpp"

#include <doctest/doctest.h>

using namespace limpet::api;

namespace {

// Feeds `text` in pieces of `size` until a request is complete or refused; answers what was taken.
size_t feed_all(RequestParser& parser, std::string_view text, size_t size) {
  size_t taken = 0;
  while (taken < text.size()) {
    const ParseState state = parser.state();
    if (state == ParseState::complete || state == ParseState::failed) break;
    taken += parser.feed(text.substr(taken, size));
  }
  return taken;
}

}  // namespace

TEST_CASE("request_parser: pieces of any size give the same request") {
  const std::string first =
      "POST /v1/runs?x=1 HTTP/1.1\r\nContent-Type: application/json\r\nX-Empty:\r\n"
      "Content-Length: 2\r\n\r\n{}";
  const std::string text = first + "GET / HTTP/1.1\r\n\r\n";
  for (size_t size = 1; size <= text.size(); ++size) {
    BodyBudget budget;
    RequestParser parser({}, budget);
    CHECK(feed_all(parser, text, size) == first.size());
    REQUIRE(parser.state() == ParseState::complete);
    const Request request = parser.take_request();
    CHECK(request.method == "POST");
    CHECK(request.body == "{}");
    CHECK(request.headers.size() == 3);
    CHECK(header(request, "content-type") == "application/json");
    CHECK(parser.state() == ParseState::empty);
    CHECK(budget.bytes_used == 0);
  }
}

TEST_CASE("request_parser: trailers of a chunked body do not become headers") {
  BodyBudget budget;
  RequestParser parser({}, budget);
  const std::string text =
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nEvil: 1\r\n\r\n";
  CHECK(feed_all(parser, text, text.size()) == text.size());
  REQUIRE(parser.state() == ParseState::complete);
  const Request request = parser.take_request();
  CHECK(request.body == "ab");
  CHECK(header(request, "evil").empty());
}

TEST_CASE("request_parser: an upgrade is ignored and the body is read") {
  BodyBudget budget;
  RequestParser parser({}, budget);
  const std::string text =
      "POST / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx";
  CHECK(feed_all(parser, text, 7) == text.size());
  REQUIRE(parser.state() == ParseState::complete);
  CHECK(parser.take_request().body == "x");
}

TEST_CASE("request_parser: what is ambiguous or foreign is refused with its status") {
  struct Bad {
    const char* text;
    int status;
  };
  const Bad cases[] = {
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"CONNECT host:1 HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nExpect: magic\r\n\r\n", 417},
      {"GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400},
      {"GARBAGE", 400},
      {"\r\n\r\n\x01", 400},
  };
  for (const Bad& bad : cases) {
    CAPTURE(std::string(bad.text));
    BodyBudget budget;
    RequestParser parser({}, budget);
    static_cast<void>(feed_all(parser, bad.text, 5));
    REQUIRE(parser.state() == ParseState::failed);
    CHECK(parser.problem().status == bad.status);
  }
}

TEST_CASE("request_parser: a request that is given up gives its budget back") {
  BodyBudget budget;
  {
    RequestParser parser({}, budget);
    static_cast<void>(feed_all(parser, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 100));
    CHECK(parser.state() == ParseState::body);
    CHECK(budget.bytes_used == 3);
  }
  CHECK(budget.bytes_used == 0);
}
