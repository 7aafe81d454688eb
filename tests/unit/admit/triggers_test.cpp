#include "admit/triggers.hpp"

#include <doctest/doctest.h>

#include "base/limits.hpp"

using namespace limpet;
using namespace limpet::admit;

namespace {

Event make_event(std::string type, std::string subject = {}) {
  Event event;
  event.type = std::move(type);
  event.source = "limpet/test";
  event.subject = std::move(subject);
  return event;
}

// "agent/key" of each match, in order.
std::vector<std::string> matches(const Triggers& triggers, const Event& event) {
  std::vector<std::string> result;
  triggers.for_each_match(view(event), [&](const Match& match) {
    result.push_back(std::string(match.agent).append("/").append(match.key));
  });
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "triggers: each trigger whose pattern and subject fit matches, in the order of the config") {
  const Triggers triggers({{"a", "sensor.*", "", ""},
                           {"b", "#", "", "all"},
                           {"c", "sensor.reading", "line1/pump", ""},
                           {"d", "sensor.reading", "line1/*", "{subject}"}});
  CHECK(matches(triggers, make_event("sensor.reading", "line1/pump")) ==
        Names{"a/", "b/all", "c/", "d/line1/pump"});
  CHECK(matches(triggers, make_event("sensor.reading", "line1/fan")) ==
        Names{"a/", "b/all", "d/line1/fan"});
  CHECK(matches(triggers, make_event("sensor.a.b", "line1")) == Names{"b/all"});
  CHECK(Triggers({}).empty());
  CHECK_FALSE(triggers.empty());
}

TEST_CASE("triggers: a subject that ends in a star is a prefix, and a lone star is any") {
  const Triggers triggers({{"a", "x", "line*", ""}, {"b", "x", "*", ""}});
  CHECK(matches(triggers, make_event("x", "line")) == Names{"a/", "b/"});
  CHECK(matches(triggers, make_event("x", "lin")) == Names{"b/"});
  CHECK(matches(triggers, make_event("x")) == Names{"b/"});
}

TEST_CASE("triggers: our own events match only patterns that name them so") {
  const Triggers triggers(
      {{"a", "#", "", ""}, {"b", "*.run.failed", "", ""}, {"c", "limpet.run.*", "", ""}});
  CHECK(matches(triggers, make_event("limpet.run.failed")) == Names{"c/"});
}

TEST_CASE("triggers: what an agent said does not come back to it, and to it alone") {
  const Triggers triggers({{"echo", "#", "", ""}, {"echo2", "#", "", ""}});
  Event event = make_event("said");
  event.principal = "agent:echo";
  CHECK(matches(triggers, event) == Names{"echo2/"});
  event.principal = "uid:echo";
  CHECK(matches(triggers, event) == Names{"echo/", "echo2/"});
}

TEST_CASE("triggers: a key takes the event's attributes, and other braces stay") {
  Event event = make_event("sensor.reading", "boiler");
  event.tenant = "acme";
  event.correlation = "c-1";
  CHECK(expand_key("{source}/{subject}", view(event)) == "limpet/test/boiler");
  CHECK(expand_key("{type}|{tenant}|{correlation}", view(event)) == "sensor.reading|acme|c-1");
  CHECK(expand_key("{Subject}{{subject}}{", view(event)) == "{Subject}{boiler}{");
  CHECK(expand_key("", view(event)).empty());
  CHECK(expand_key("all", view(event)) == "all");
}

TEST_CASE("triggers: an attribute that looks like a template is not expanded again") {
  CHECK(expand_key("{subject}", view(make_event("x", "{type}"))) == "{type}");
}

TEST_CASE("triggers: a key over the limit keeps its beginning and is told apart by a hash") {
  const std::string longest(limits::run_key_bytes_max, 'k');
  CHECK(expand_key("{subject}", view(make_event("x", longest))) == longest);
  const std::string first = expand_key("{subject}", view(make_event("x", longest + "1")));
  const std::string second = expand_key("{subject}", view(make_event("x", longest + "2")));
  CHECK(first.size() == limits::run_key_bytes_max);
  CHECK(first.starts_with("kkkk"));
  CHECK(first[limits::run_key_bytes_max - 17] == '#');
  CHECK(first != second);
  CHECK(first == expand_key("{subject}", view(make_event("x", longest + "1"))));
}
