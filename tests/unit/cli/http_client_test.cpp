#include "cli/http_client.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

TEST_CASE("http_client: says why it cannot connect") {
  const TemporaryDirectory directory;
  const auto nobody = cli::HttpClient::connect(directory.file("none"), seconds(1));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().system_error == ENOENT);
  const auto long_path = cli::HttpClient::connect(std::string(200, 'x'), seconds(1));
  REQUIRE_FALSE(long_path);
  CHECK(long_path.error().code == ErrorCode::too_large);
}

TEST_CASE("http_client: a server that does not answer is a timeout") {
  ServerFixture server;
  server.on_loop([&] { server.services.hold_ingest = true; });
  auto client = cli::HttpClient::connect(server.socket, milliseconds(20));
  REQUIRE(client);
  const auto response = client->call(
      {"POST", "/v1/events", {}, R"({"specversion":"1.0","type":"a","source":"s","id":"1"})"});
  REQUIRE_FALSE(response);
  CHECK(response.error().code == ErrorCode::timeout);
}

TEST_CASE("http_client: percent-encodes what a path or query must not hold") {
  CHECK(cli::percent_encode("a/b c#ü~-._9Z") == "a%2Fb%20c%23%C3%BC~-._9Z");
}
