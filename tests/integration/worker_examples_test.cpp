// The workers of config/examples, as they are: they work, they fail as they say, and neither a stop
// nor a kill costs a task.

#include <poll.h>

#include <functional>

#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr const char* queue = "[[queue]]\nname = \"jobs\"\n";

struct Worker {
  std::string file;                    // in config/examples
  std::vector<std::string> arguments;  // behind the queue
};

// Counts the words of the payload's text; a payload without one can never be done.
const std::vector<Worker> word_counters = {
    {"worker.sh", {"sh", "-c", R"(jq -ce '{words: (.text | split(" ") | length)}' || exit 65)"}},
    {"worker.py", {}}};

ChildProgram start(const Gateway& gateway, const Worker& worker) {
  ChildOptions options;
  options.program = std::string(LIMPET_EXAMPLES) + "/" + worker.file;
  options.arguments = {"jobs"};
  options.arguments.insert(options.arguments.end(), worker.arguments.begin(),
                           worker.arguments.end());
  options.variables = {"LIMPET_SOCKET=" + gateway.socket()};
  options.output_file = gateway.file("worker.txt");
  return ChildProgram(options);
}

std::string said_by_worker(const Gateway& gateway) {
  return read_whole_file(gateway.file("worker.txt"));
}

void enqueue(Gateway& gateway, const std::string& payload) {
  const Answer answer =
      gateway.client().post("/v1/queues/jobs/tasks", "{\"payload\":" + payload + "}");
  REQUIRE_MESSAGE(answer.status == 200, answer.text);
}

bool eventually(const std::function<bool()>& condition) {
  constexpr int rounds = 3000;
  constexpr int round_ms = 10;
  for (int round = 0; round < rounds; ++round) {
    if (condition()) return true;
    poll(nullptr, 0, round_ms);
  }
  return false;
}

// Of the metrics' text; 0 when there is no such line.
double metric(Gateway& gateway, const std::string& name) {
  const std::string text = "\n" + gateway.client().get("/metrics").text;
  const size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size() + 2));
}

double acked(Gateway& gateway) {
  return metric(gateway, "limpet_queue_acked_total{queue=\"jobs\"}");
}

// The next event of that type; its data are in it.
LogEvent wait_for(EventStream& stream, const std::string& type, const std::string& otherwise) {
  while (auto event = stream.next()) {
    if (event->view()["type"].text_or("") == type) return std::move(*event);
  }
  FAIL("no " << type << "; the worker said: " << otherwise);
  return {};
}

// The one task is ready again, and nothing was held against it.
void check_unharmed(Gateway& gateway) {
  const Answer answer =
      gateway.client().post("/v1/queues/jobs/lease", R"({"wait_ms":10000,"lease_ms":60000})");
  REQUIRE_MESSAGE(answer.status == 200, answer.text);
  CHECK_MESSAGE(contains(answer.text, R"("attempt":1)"), answer.text);
}

void check_stops(ChildProgram& program, const Gateway& gateway) {
  program.send_signal(SIGTERM);
  const std::optional<int> exit = program.wait_exit(Gateway::limit);
  REQUIRE_MESSAGE(exit, said_by_worker(gateway));
  CHECK_MESSAGE(*exit == 0, said_by_worker(gateway));
}

}  // namespace

TEST_CASE("workers: what succeeds becomes a result, what can never succeed a dead letter") {
  for (const Worker& worker : word_counters) {
    CAPTURE(worker.file);
    Gateway gateway(queue);
    gateway.start();
    auto stream = EventStream::open(gateway.socket(), 0);
    REQUIRE(stream);
    ChildProgram program = start(gateway, worker);
    enqueue(gateway, R"({"text":"a b c"})");
    const LogEvent done = wait_for(*stream, "limpet.task.done", said_by_worker(gateway));
    CHECK(done.view()["data"]["result"]["words"].uint_or(0) == 3);
    enqueue(gateway, "7");
    const LogEvent dead = wait_for(*stream, "limpet.task.dead", said_by_worker(gateway));
    CHECK(dead.view()["data"]["reason"].text_or("") == "rejected");
    check_stops(program, gateway);
  }
}

TEST_CASE("workers: one that is stopped in the middle of a task gives it back unharmed") {
  Gateway gateway(queue);
  gateway.start();
  const std::string begun = gateway.file("begun");
  ChildProgram program =
      start(gateway, {"worker.sh", {"sh", "-c", "echo > '" + begun + "'; exec sleep 100"}});
  enqueue(gateway, "1");
  REQUIRE(eventually([&] { return !read_whole_file(begun).empty(); }));
  check_stops(program, gateway);
  check_unharmed(gateway);
}

TEST_CASE("workers: one that is stopped or killed while it waits takes nothing with it") {
  struct End {
    Worker worker;
    int signal;
  };
  // A killed shell is left out: its curl lives on for what it has asked for.
  const std::vector<End> ends = {
      {word_counters[0], SIGTERM}, {word_counters[1], SIGTERM}, {word_counters[1], SIGKILL}};
  for (const End& end : ends) {
    CAPTURE(end.worker.file);
    CAPTURE(end.signal);
    Gateway gateway(queue);
    gateway.start();
    ChildProgram program = start(gateway, end.worker);
    enqueue(gateway, R"({"text":"a b c"})");
    REQUIRE_MESSAGE(eventually([&] { return acked(gateway) == 1; }), said_by_worker(gateway));
    program.send_signal(end.signal);
    REQUIRE(program.wait_exit(Gateway::limit));
    enqueue(gateway, R"({"text":"a b c"})");
    check_unharmed(gateway);
  }
}
