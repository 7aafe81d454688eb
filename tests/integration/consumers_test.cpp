// Durable consumers of a daemon that is killed.

#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// The sequences that one fetch brings.
std::vector<uint64_t> fetch(Gateway& gateway, const std::string& body) {
  const Answer answer = gateway.client().post("/v1/consumers/line/fetch", body);
  REQUIRE_MESSAGE(answer.status == 200, answer.text);
  std::vector<uint64_t> sequences;
  answer.view()["events"].each(
      [&](sdk::View event) { sequences.push_back(number_of(event["sequence"])); });
  return sequences;
}

}  // namespace

TEST_CASE("consumers: after kill -9 what was acknowledged never comes again, the rest does") {
  Gateway gateway;
  gateway.start();
  const Answer made = gateway.client().call({"PUT",
                                             "/v1/consumers/line",
                                             {{"Content-Type", "application/json"}},
                                             R"({"type":"lab.*","max_in_flight":8})"});
  REQUIRE_MESSAGE(made.status == 200, made.text);
  const uint64_t last = gateway.post("lab.item", 10);
  const std::vector<uint64_t> given = fetch(gateway, R"({"max":8})");
  REQUIRE(given.size() == 8);
  CHECK(fetch(gateway, R"({"max":8})").empty());  // as many as may be in flight
  const std::string some = std::to_string(given[0]) + "," + std::to_string(given[2]);
  const Answer acked =
      gateway.client().post("/v1/consumers/line/ack", "{\"sequences\":[" + some + "]}");
  REQUIRE_MESSAGE(acked.status == 200, acked.text);
  gateway.kill();
  gateway.start();
  const std::vector<uint64_t> again = fetch(gateway, R"({"max":100,"wait_ms":5000})");
  CHECK(again == std::vector<uint64_t>{given[1], given[3], given[4], given[5], given[6], given[7],
                                       last - 1, last});
  const Answer all =
      gateway.client().post("/v1/consumers/line/ack", "{\"upto\":" + std::to_string(last) + "}");
  REQUIRE_MESSAGE(all.status == 200, all.text);
  gateway.kill();
  gateway.start();
  CHECK(fetch(gateway, R"({"max":100})").empty());
  const Answer list = gateway.client().get("/v1/consumers");
  CHECK_MESSAGE(contains(list.text, "\"lag\":"), list.text);
}
