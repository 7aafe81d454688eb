// Who may do what: the table of rights, the tokens, and both over a connection.

#include "api/rights.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "api/tokens.hpp"
#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;
using api::Right;

namespace {

constexpr std::string_view ops_secret = "0123456789abcdef";

api::TokenTable tokens(const std::string& text) {
  auto table = api::TokenTable::parse(text);
  REQUIRE(table);
  return std::move(table).value();
}

void serve_tcp(api::ServerOptions& options) {
  options.tcp.emplace();
  options.tcp->listen.address = "127.0.0.1:0";
  options.tcp->tokens = tokens("ops:" + std::string(ops_secret) + "\n");
  options.limits.denial = milliseconds(20);
}

// A client over TCP that sends text and reads until the server closes.
class TcpClient {
 public:
  explicit TcpClient(const ServerFixture& server) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    uint16_t port = 0;
    server.on_loop([&] { port = server.api->tcp_port().value(); });
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience = {10, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::connect(fd_.get(), generic, sizeof address) == 0);
  }
  void send(std::string_view text) const {
    CHECK(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
  }
  // `count` bytes, or all until the end.
  [[nodiscard]] std::string read(size_t count = SIZE_MAX) const {
    std::string all;
    char buffer[4096];
    while (all.size() < count) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) break;
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }

 private:
  loop::Descriptor fd_;
};

std::string request(std::string_view line, std::string_view token, std::string_view more = "") {
  std::string text(line);
  text.append(" HTTP/1.1\r\nHost: x\r\n");
  if (!token.empty()) text.append("Authorization: Bearer ").append(token).append("\r\n");
  return text.append(more).append("\r\n");
}

std::string once(const ServerFixture& server, std::string_view line, std::string_view token) {
  const TcpClient client(server);
  client.send(request(line, token, "Connection: close\r\n"));
  return client.read();
}

}  // namespace

TEST_CASE("rights: without a config the socket may everything, a token may read and submit") {
  const api::RightsTable table;
  for (const Right right : api::all_rights) {
    CHECK(table.may("uid:1000", right));
    CHECK(table.may("none", right));
    CHECK(table.may("token:ops", right) == (right == Right::read || right == Right::submit));
    CHECK_FALSE(table.may("", right));
    CHECK_FALSE(table.may("root", right));
  }
}

TEST_CASE("rights: who is named has what stands there; others of a named kind have the rest") {
  const api::RightsTable table({{"uid:1000", {Right::read, Right::work}}, {"uid:1001", {}}});
  CHECK(table.may("uid:1000", Right::work));
  CHECK_FALSE(table.may("uid:1000", Right::operate));
  CHECK_FALSE(table.may("uid:1001", Right::read));
  CHECK_FALSE(table.may("uid:0", Right::read));
  CHECK_FALSE(table.may("none", Right::read));
  CHECK(table.may("token:ops", Right::submit));  // no token is named: the default stays
}

TEST_CASE("rights: a star is all others of its kind, wherever it stands") {
  const api::RightsTable table(
      {{"token:*", {Right::read}}, {"token:ops", {Right::operate}}, {"uid:*", {Right::answer}}});
  CHECK(table.may("token:scan", Right::read));
  CHECK_FALSE(table.may("token:scan", Right::submit));
  CHECK(table.may("token:ops", Right::operate));
  CHECK_FALSE(table.may("token:ops", Right::read));
  CHECK(table.may("uid:5", Right::answer));
  CHECK_FALSE(table.may("uid:5", Right::read));
}

TEST_CASE("rights: names are read as they are written") {
  for (const Right right : api::all_rights) CHECK(api::parse_right(to_string(right)) == right);
  CHECK_FALSE(api::parse_right("reed").has_value());
  CHECK_FALSE(api::parse_right("").has_value());
}

TEST_CASE("tokens: secrets and digests are found by their token, and nothing else is") {
  const api::TokenTable table = tokens(
      "# who may\n\n  ops:0123456789abcdef \r\n"
      "ops:fedcba9876543210\n"
      "scan:sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177A9CB410FF61F20015AD");
  CHECK(table.size() == 3);
  REQUIRE(table.find("0123456789abcdef") != nullptr);
  CHECK(*table.find("0123456789abcdef") == "ops");
  CHECK(*table.find("fedcba9876543210") == "ops");
  REQUIRE(table.find("abc") != nullptr);  // the digest is of "abc"
  CHECK(*table.find("abc") == "scan");
  CHECK(table.find("") == nullptr);
  CHECK(table.find("0123456789abcdeg") == nullptr);
  CHECK(table.find("0123456789abcdef ") == nullptr);
  CHECK(table.find("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == nullptr);
  CHECK(table.find(std::string(100000, 'x')) == nullptr);
}

TEST_CASE("tokens: a line that is wrong is refused with its number") {
  const auto refused = [](const std::string& text, std::string_view part) {
    const auto table = api::TokenTable::parse(text);
    REQUIRE_FALSE(table);
    CHECK_MESSAGE(contains(table.detail(), part), table.detail());
    // What is in the file is not shown: the sentence goes into logs.
    CHECK_FALSE(contains(table.detail(), "0123456"));
  };
  refused("# x\nops 0123456789abcdef\n", "Line 2: ");
  refused("ops:0123456789abcde", "16 to 512");
  refused("ops:" + std::string(513, '0'), "16 to 512");
  refused("o ps:0123456789abcdef", "a name has");
  refused(":0123456789abcdef", "a name has");
  refused("ops:01234567 89abcdef", "no blanks");
  refused("ops:sha256:12", "64 hexadecimal digits");
  refused("ops:sha256:" + std::string(64, 'g'), "64 hexadecimal digits");
  std::string many;
  for (int count = 0; count < 65; ++count) many.append("ops:0123456789abcdef\n");
  refused(many, "Line 65: ");
}

TEST_CASE("tokens: the Authorization header is read as its scheme says") {
  CHECK(api::bearer_token("Bearer abc") == "abc");
  CHECK(api::bearer_token("bEARER   abc ") == "abc");
  CHECK(api::bearer_token("Basic abc").empty());
  CHECK(api::bearer_token("Bearer").empty());
  CHECK(api::bearer_token("Bearer ").empty());
  CHECK(api::bearer_token("").empty());
}

TEST_CASE("whoami: says who one is and what one may") {
  ServerFixture server;
  CHECK(server.expect(200, "GET", "/v1/whoami") ==
        R"({"principal":"uid:)" + std::to_string(getuid()) +
            R"(","rights":["read","submit","work","operate","answer"]})");
}

TEST_CASE("tcp: a good token is its principal, with its rights") {
  ServerFixture server(serve_tcp);
  server.on_loop([&] { server.services.token_rights = {Right::read}; });
  CHECK(contains(once(server, "GET /v1/whoami", ops_secret),
                 R"({"principal":"token:ops","rights":["read"]})"));
  CHECK(contains(once(server, "GET /v1/status", ops_secret), "HTTP/1.1 200 OK\r\n"));
  CHECK(contains(once(server, "POST /v1/events", ops_secret), "HTTP/1.1 403 Forbidden\r\n"));
}

TEST_CASE("tcp: without a token, or with a wrong one, nothing is served") {
  ServerFixture server(serve_tcp);
  const std::string none = once(server, "GET /healthz", "");
  CHECK(contains(none, "HTTP/1.1 401 Unauthorized\r\n"));
  CHECK(contains(none, "WWW-Authenticate: Bearer\r\n"));
  CHECK(contains(none, "problems/unauthorized"));
  CHECK(contains(once(server, "GET /healthz", "0123456789abcdeF"), "HTTP/1.1 401 "));
  CHECK(contains(once(server, "GET /v1/status", "ops"), "HTTP/1.1 401 "));
  const api::ServerStats stats = server.stats();
  CHECK(stats.requests == 0);
  CHECK(stats.unauthorized == 3);
  CHECK(stats.denying == 0);
}

TEST_CASE("tcp: every request of a connection needs its own token") {
  ServerFixture server(serve_tcp);
  const TcpClient client(server);
  client.send(request("GET /healthz", ops_secret) + request("GET /healthz", ""));
  const std::string all = client.read();
  CHECK(contains(all, "HTTP/1.1 200 OK\r\n"));
  CHECK(contains(all, "HTTP/1.1 401 Unauthorized\r\n"));
  CHECK(server.stats().requests == 1);
}

TEST_CASE("tcp: a body behind a wrong token is not read, nor asked for") {
  ServerFixture server(serve_tcp);
  const TcpClient client(server);
  client.send(request("POST /v1/events", "0123456789abcdeF",
                      "Content-Length: 1000000\r\nExpect: 100-continue\r\n"));
  const std::string answer = client.read();
  CHECK(contains(answer, "HTTP/1.1 401 "));
  CHECK_FALSE(contains(answer, "100 Continue"));
}

TEST_CASE("tcp: guessing is slowed down, and does not fill the server") {
  ServerFixture server([](api::ServerOptions& options) {
    serve_tcp(options);
    options.limits.denial = seconds(60);
    options.denials_max = 1;
  });
  const TcpClient first(server);
  first.send(request("GET /healthz", "wrong"));
  REQUIRE(server.eventually([&] { return server.api->stats().denying == 1; }));
  // One answer is held back already: this one is closed without any.
  const TcpClient second(server);
  second.send(request("GET /healthz", "wrong too"));
  CHECK(second.read().empty());
  CHECK(contains(once(server, "GET /healthz", ops_secret), "200 OK"));
  CHECK(server.stats().denying == 1);
}

TEST_CASE("tcp: its connections are bounded apart from the socket's") {
  ServerFixture server([](api::ServerOptions& options) {
    serve_tcp(options);
    options.tcp->connections_max = 1;
  });
  const TcpClient first(server);
  REQUIRE(server.eventually([&] { return server.api->stats().open == 1; }));
  const TcpClient second(server);
  CHECK(second.read().empty());
  CHECK(server.expect(200, "GET", "/healthz") == R"({"status":"ok"})");
  CHECK(server.stats().connections_refused == 1);
}

TEST_CASE("tcp: a worker that closes its connection while it waits is given nothing") {
  ServerFixture server(serve_tcp);
  const std::string body = R"({"wait_ms":20000})";
  {
    const TcpClient worker(server);
    worker.send(request("POST /v1/queues/jobs/lease", ops_secret,
                        "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                body);
    REQUIRE(server.eventually([&] { return server.queues.waiting() == 1; }));
  }
  REQUIRE(server.eventually([&] { return server.queues.cancelled.size() == 1; }));
  server.on_loop([&] {
    server.queues.add(make_task(7));
    CHECK(server.queues.leased.empty());
  });
}
