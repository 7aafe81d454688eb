// The daemon's life from outside: it stops without losing work, and clients go on where they were.

#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// An incident needs a reading above 10 and ends with one below; its notice takes `delay_ms`.
std::string watchdog(const std::string& notices, int delay_ms) {
  return "[[plugin]]\nid = \"org.limpet.sysinfo\"\nisolation = \"inproc\"\n"
         "config = { interval = \"1h\", sample_ms = 0 }\n"
         "[[plugin]]\nid = \"org.limpet.watchdog\"\nisolation = \"inproc\"\n"
         "[[plugin]]\nid = \"org.limpet.notify\"\nisolation = \"inproc\"\n"
         "config = { path = \"" +
         notices + "\", delay_ms = " + std::to_string(delay_ms) +
         " }\n"
         "[[agent]]\nname = \"watchdog\"\nplugin = \"watchdog\"\n"
         "tools = [\"sysinfo.*\", \"notify.write\"]\n"
         "[[agent.config.thresholds]]\nsubject = \"lab\"\nabove = 10\n"
         "[[trigger]]\nagent = \"watchdog\"\nevent = \"lab.reading\"\nkey = \"{subject}\"\n";
}

void send_reading(Gateway& gateway, int value) {
  const Answer answer =
      gateway.client().post("/v1/events", R"({"specversion":"1.0","source":"test",)"
                                          R"("type":"lab.reading","subject":"lab",)"
                                          R"("data":{"value":)" +
                                              std::to_string(value) + "}}");
  REQUIRE_MESSAGE(answer.status == 200, answer.text);
}

// The next event of that type, in order; its sequence.
uint64_t wait_for(EventStream& stream, const std::string& type) {
  while (auto event = stream.next()) {
    if (event->view()["type"].text_or("") == type) return event->sequence;
  }
  FAIL("the stream ended before " << type);
  return 0;
}

}  // namespace

TEST_CASE(
    "daemon: SIGTERM in the middle of a call lets it finish, and the run goes on afterwards") {
  const TemporaryDirectory outside;
  const std::string notices = outside.file("notices.txt");
  Gateway gateway(watchdog(notices, 400));
  gateway.start();
  send_reading(gateway, 20);
  auto stream = EventStream::open(gateway.socket(), 0);
  REQUIRE(stream);
  wait_for(*stream, "incident.report");
  const uint64_t begun = wait_for(*stream, "limpet.step.started");
  gateway.stop_gracefully();

  gateway.start();
  auto resumed = EventStream::open(gateway.socket(), begun);
  REQUIRE(resumed);
  wait_for(*resumed, "limpet.step.finished");
  send_reading(gateway, 1);
  wait_for(*resumed, "limpet.run.completed");
  CHECK(lines_of(read_whole_file(notices)) == 2);  // opened and closed, once each
}

TEST_CASE("daemon: a stream goes on after a restart where it was, with Last-Event-ID") {
  Gateway gateway;
  gateway.start();
  const uint64_t middle = gateway.post("a.one", 3);
  auto stream = EventStream::open(gateway.socket(), 0);
  REQUIRE(stream);
  std::vector<uint64_t> seen;
  while (seen.empty() || seen.back() < middle) {
    auto event = stream->next();
    REQUIRE(event);
    seen.push_back(event->sequence);
  }
  gateway.kill();
  CHECK_FALSE(stream->next());
  gateway.start();
  const uint64_t last = gateway.post("a.two", 3);
  auto resumed = EventStream::open(gateway.socket(), seen.back());
  REQUIRE(resumed);
  while (seen.back() < last) {
    auto event = resumed->next();
    REQUIRE(event);
    seen.push_back(event->sequence);
  }
  for (size_t index = 0; index < seen.size(); ++index) CHECK(seen[index] == index + 1);
}

TEST_CASE("daemon: an event sent again with its id is acknowledged once, over a kill too") {
  Gateway gateway;
  gateway.start();
  const std::string event = R"({"specversion":"1.0","source":"test","type":"a.b","id":"one"})";
  const uint64_t first = number_of(gateway.client().post("/v1/events", event).view()["first"]);
  gateway.kill();
  gateway.start();
  const Answer again = gateway.client().post("/v1/events", event);
  REQUIRE(again.status == 200);
  CHECK(again.view()["duplicates"].uint_or(0) == 1);
  const auto log = read_log(gateway.socket(), "?type=a.b");
  REQUIRE(log);
  REQUIRE(log->size() == 1);
  CHECK(log->front().sequence == first);
}
