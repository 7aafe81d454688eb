// The whole daemon, killed again and again while it works: at named points, on either side of an
// effect, and at random instants. What is checked at the end is outside of the store: the list of
// acknowledged events that the client kept, and the file that the tool wrote.

#include <doctest/doctest.h>
#include <poll.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/crash/seed.hpp"
#include "tests/support/daemon_client.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr unsigned kills = 80;
constexpr uint32_t items_max = 600;  // after that, lives only go on with what is there
constexpr Duration ready_limit = seconds(30);
constexpr Duration life_max = milliseconds(700);  // until a named point has come, or never comes
constexpr int finish_polls_max = 6000;            // of 10 ms each

constexpr std::array<const char*, 11> causes{"",
                                             "LIMPET_CRASH_POINT=store.before_commit",
                                             "LIMPET_CRASH_POINT=call.recorded",
                                             "LIMPET_TEST_KILL=after_write",
                                             "LIMPET_CRASH_POINT=turn.before",
                                             "LIMPET_CRASH_POINT=store.after_commit",
                                             "LIMPET_CRASH_POINT=turn.decided",
                                             "LIMPET_TEST_KILL=before_write",
                                             "LIMPET_CRASH_POINT=store.between_changes",
                                             "LIMPET_CRASH_POINT=call.finished",
                                             "LIMPET_CRASH_POINT=store.before_answer"};

class House {
 public:
  House() {
    std::ofstream config(directory_.file("limpet.toml"));
    config << "name = \"crash\"\n"
           << "plugin_path = [\"" << program_folder() << "/../tests/crash_plugins\"]\n"
           << "[store]\npath = \"data\"\nmax_bytes = \"32MiB\"\n"
           << "[api]\nsocket = \"" << socket() << "\"\n"
           << "[limits]\nmemory = \"8GiB\"\n"  // the sanitizers take some
           << "unclean_starts = 0\n"           // killed on purpose
           << "[[plugin]]\nid = \"org.limpet.test.effects\"\nisolation = \"inproc\"\n"
           << "config = { path = \"" << effects() << "\" }\n"
           << "[[plugin]]\nid = \"org.limpet.test.worker\"\nisolation = \"inproc\"\n"
           << "[[agent]]\nname = \"worker\"\nplugin = \"worker\"\ntools = [\"effects.*\"]\n"
           << "autonomy = \"full\"\n"
           << "[[trigger]]\nagent = \"worker\"\nevent = \"work.item\"\n";
  }

  [[nodiscard]] std::string socket() const { return directory_.file("limpet.sock"); }
  [[nodiscard]] std::string effects() const { return directory_.file("effects.txt"); }
  [[nodiscard]] std::string output() const { return directory_.file("output.txt"); }

  [[nodiscard]] ChildProgram start(const std::string& cause) const {
    ChildOptions options{program_folder() + "/limpet",
                         {"run", "--config", directory_.file("limpet.toml")},
                         {},
                         output()};
    if (!cause.empty()) options.variables.push_back(cause);
    return ChildProgram(options);
  }

 private:
  TemporaryDirectory directory_;
};

// The client's own book: which items it has sent, and which were acknowledged, in which order.
class Producer {
 public:
  explicit Producer(DaemonClient& client) : client_(client) {}

  // Sends up to `count` items in one request: those that nobody acknowledged yet, then new ones.
  // false: no answer came.
  bool send(uint32_t count) {
    std::vector<std::string> items(unanswered_.begin(), unanswered_.end());
    items.resize(std::min<size_t>(items.size(), count));
    const bool repeated = !items.empty();
    while (items.size() < count && next_ < items_max) {
      items.push_back("item-" + std::to_string(next_++));
      unanswered_.insert(items.back());
    }
    if (items.empty()) return true;
    const Answer answer = client_.post("/v1/events", to_json(items));
    if (answer.status == 0) return false;
    REQUIRE_MESSAGE(answer.status == 200, answer.text);
    for (const std::string& item : items) unanswered_.erase(item);
    acknowledged_.insert(items.begin(), items.end());
    const uint64_t first = number_of(answer.view()["first"]);
    // Repeats keep the sequence of their first time, which this answer does not name one by one.
    for (size_t index = 0; index < items.size() && !repeated; ++index) {
      sequences_[items[index]] = first + index;
    }
    return true;
  }

  [[nodiscard]] bool settled() const { return unanswered_.empty(); }
  [[nodiscard]] const std::set<std::string>& acknowledged() const { return acknowledged_; }
  [[nodiscard]] const std::map<std::string, uint64_t>& sequences() const { return sequences_; }

 private:
  static std::string to_json(const std::vector<std::string>& items) {
    std::string json = "[";
    for (const std::string& item : items) {
      if (json.size() > 1) json += ",";
      json += R"({"specversion":"1.0","type":"work.item","source":"test","id":")" + item + "\"}";
    }
    return json + "]";
  }

  DaemonClient& client_;
  uint32_t next_ = 0;
  std::set<std::string> unanswered_;
  std::set<std::string> acknowledged_;
  std::map<std::string, uint64_t> sequences_;
};

std::string cause_of(unsigned life, Chance& chance) {
  const std::string cause = causes[life % causes.size()];
  return cause.empty() ? cause : cause + ":" + std::to_string(1 + chance.up_to(6));
}

// One life of the daemon: it gets work until it dies of its cause, or is killed.
void live_and_die(const House& house, unsigned life, Chance& chance, Producer& producer) {
  const std::string cause = cause_of(life, chance);
  CAPTURE(life);
  CAPTURE(cause);
  ChildProgram daemon = house.start(cause);
  DaemonClient client(house.socket());
  const bool ready = client.wait_ready(daemon, ready_limit);
  // A point may come before the socket is open: what was left behind goes on at once.
  if (!ready) REQUIRE_MESSAGE(!daemon.running(), read_whole_file(house.output()));
  const uint32_t requests = 1 + chance.up_to(4);
  for (uint32_t request = 0; ready && request < requests; ++request) {
    if (!producer.send(1 + chance.up_to(3))) break;
  }
  if (cause.empty()) {
    poll(nullptr, 0, static_cast<int>(chance.up_to(20)));
    daemon.kill_now();
  }
  const std::optional<int> exit = daemon.wait_exit(life_max);
  // A point that did not come in this life: then it ends by hand.
  if (!exit) daemon.kill_now();
  CHECK(daemon.wait_exit({}) == 128 + 9);
}

// Every item that was sent is acknowledged, and nothing is left to do.
void finish(const House& house, Producer& producer, DaemonClient& client) {
  while (!producer.settled()) REQUIRE(producer.send(50));
  const size_t wanted = producer.acknowledged().size();
  uint64_t completed = 0;
  for (int round = 0; round < finish_polls_max && completed < wanted; ++round) {
    const Answer status = client.get("/v1/status");
    REQUIRE(status.status == 200);
    completed = status.view()["runs"]["completed"].uint_or(0);
    CHECK(status.view()["runs"]["failed"].uint_or(0) == 0);
    if (completed < wanted) poll(nullptr, 0, 10);
  }
  CHECK_MESSAGE(completed == wanted, read_whole_file(house.output()));
}

void check_log(const House& house, const Producer& producer) {
  const auto events = read_log(house.socket(), "");
  REQUIRE(events);
  std::map<std::string, uint64_t> found;
  uint64_t previous = 0;
  size_t gaps = 0;
  size_t twice = 0;
  for (const LogEvent& event : *events) {
    if (event.sequence != previous + 1) ++gaps;
    previous = event.sequence;
    if (event.view()["type"].text_or("") != "work.item") continue;
    const std::string id(event.view()["id"].text_or(""));
    if (!found.emplace(id, event.sequence).second) ++twice;
  }
  CHECK(gaps == 0);
  CHECK(twice == 0);
  CHECK(found.size() == producer.acknowledged().size());
  size_t moved = 0;
  for (const auto& [item, sequence] : producer.sequences()) {
    moved += found[item] == sequence ? 0 : 1;
  }
  CHECK(moved == 0);
}

void check_effects(const House& house, const Producer& producer) {
  std::ifstream file(house.effects());
  std::set<std::string> keys;
  size_t twice = 0;
  for (std::string key; std::getline(file, key);) twice += keys.insert(key).second ? 0 : 1;
  CHECK(twice == 0);
  CHECK(keys.size() == producer.acknowledged().size());
}

}  // namespace

TEST_CASE("daemon: kill -9 at any instant loses no event, repeats no effect and strands no run") {
  Chance chance("daemon crash test");
  const House house;
  DaemonClient client(house.socket());
  Producer producer(client);
  const unsigned wanted = kills_wanted(kills);
  for (unsigned life = 0; life < wanted; ++life) live_and_die(house, life, chance, producer);

  ChildProgram daemon = house.start("");
  REQUIRE_MESSAGE(client.wait_ready(daemon, ready_limit), read_whole_file(house.output()));
  finish(house, producer, client);
  check_log(house, producer);
  check_effects(house, producer);
  std::printf("daemon crash test: %u kills, %zu events, %zu in their order\n", wanted,
              producer.acknowledged().size(), producer.sequences().size());
  CHECK(producer.acknowledged().size() > wanted / 2);
}
