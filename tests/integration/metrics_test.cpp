// What monitoring sees: the metrics of a daemon that has worked keep the format's rules.

#include "tests/integration/gateway.hpp"
#include "tests/support/exposition.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// The first member of that name, which is text without escapes.
std::string text_member(const std::string& json, const std::string& name) {
  const std::string before = "\"" + name + "\":\"";
  const size_t at = json.find(before);
  REQUIRE(at != std::string::npos);
  const size_t begin = at + before.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace

TEST_CASE("metrics: keep the exposition format, before any work and after some") {
  Gateway gateway("[[queue]]\nname = \"jobs\"\n");
  gateway.start();
  const std::string before = gateway.client().get("/metrics").text;
  CHECK_MESSAGE(exposition_fault(before).empty(), exposition_fault(before));
  CHECK_MESSAGE(contains(before, "\nlimpet_queue_tasks{queue=\"jobs\"} 0\n"), before);

  gateway.post("a.b", 3);
  // A tenant may be called anything; its name is a label's value.
  REQUIRE(gateway.client()
              .post("/v1/queues/jobs/tasks", R"([{"tenant":"a\"b\\c\nd"},{"tenant":"e"}])")
              .status == 200);
  const Answer leased = gateway.client().post("/v1/queues/jobs/lease", R"({"max":2})");
  REQUIRE(leased.status == 200);
  const std::string token = text_member(leased.text, "token");
  const std::string id = text_member(leased.text, "id");
  const Answer acked =
      gateway.client().post("/v1/tasks/" + id + "/ack", R"({"token":")" + token + "\"}");
  REQUIRE_MESSAGE(acked.status == 200, acked.text);
  const std::string after = gateway.client().get("/metrics").text;
  CHECK_MESSAGE(exposition_fault(after).empty(), exposition_fault(after));
  CHECK_MESSAGE(contains(after, "\nlimpet_queue_acked_total{queue=\"jobs\"} 1\n"), after);
  CHECK_MESSAGE(contains(after, "tenant=\"a\\\"b\\\\c\\nd\""), after);
}
