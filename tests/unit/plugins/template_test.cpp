#include <doctest/doctest.h>

#include <limpet/cpp/testing.hpp>

extern "C" const limpet_entry_point limpet_entry_template;

using namespace limpet::sdk;
using testing::Finished;
using testing::Instance;
using testing::object;

namespace {

Encoder nothing() {
  return object([](Encoder&) {});
}

Encoder text(std::string_view value) {
  return object([&](Encoder& out) { out.put("text", value); });
}

}  // namespace

TEST_CASE("template: hash is the FNV-1a of the text") {
  Instance instance(limpet_entry_template, nothing());
  REQUIRE(instance.activate() == LIMPET_OK);
  Finished finished = instance.call("hash", text(""));
  CHECK(finished.outcome == LIMPET_DONE);
  CHECK(finished.view()["hash"].text_or("") == "cbf29ce484222325");
  finished = instance.call("hash", text("foobar"));
  CHECK(finished.view()["hash"].text_or("") == "85944171f73967e8");
}

TEST_CASE("template: the prefix is hashed before the text") {
  const Encoder config = object([](Encoder& out) { out.put("prefix", "foo"); });
  Instance instance(limpet_entry_template, config);
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.call("hash", text("bar")).view()["hash"].text_or("") == "85944171f73967e8");
}

TEST_CASE("template: a prefix of the wrong kind or size is refused") {
  const Encoder number = object([](Encoder& out) { out.put("prefix", 7); });
  Instance wrong_kind(limpet_entry_template, number);
  CHECK(wrong_kind.check() == LIMPET_INVALID);
  CHECK(wrong_kind.host().error == "prefix: a text of 64 bytes at most");
  const Encoder longer = object([](Encoder& out) { out.put("prefix", std::string(65, 'x')); });
  Instance too_long(limpet_entry_template, longer);
  CHECK(too_long.activate() == LIMPET_INVALID);
}

TEST_CASE("template: a call without a text has failed for good") {
  Instance instance(limpet_entry_template, nothing());
  REQUIRE(instance.activate() == LIMPET_OK);
  const Finished finished = instance.call("hash", nothing());
  CHECK(finished.outcome == LIMPET_FAILED);
  CHECK(finished.error == "text is missing");
}

TEST_CASE("template: it offers tools and nothing else") {
  Instance instance(limpet_entry_template, nothing());
  CHECK(instance.plugin()->get_extension(instance.plugin(), "limpet.tools/draft-1") != nullptr);
  CHECK(instance.plugin()->get_extension(instance.plugin(), "limpet.agents/draft-1") == nullptr);
}
