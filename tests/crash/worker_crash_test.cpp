// The built daemon with worker processes that speak HTTP, and everybody is killed: the daemon at
// random instants and named points, the workers in the middle of their work. What is checked is
// outside of the store: the client's own list of acknowledged tasks, and the workers' notes, which
// they write when they begin a task and when its ack was answered.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/crash/seed.hpp"
#include "tests/support/daemon_client.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr unsigned kills = 24;
constexpr size_t workers = 4;
constexpr uint32_t groups = 3;
constexpr uint32_t batch = 5;
constexpr int64_t lease_ms = 300;
constexpr Duration ready_limit = seconds(30);
constexpr int finish_polls_max = 3000;  // of 10 ms each

constexpr std::array<const char*, 5> causes{
    "", "LIMPET_CRASH_POINT=store.before_commit", "LIMPET_CRASH_POINT=store.after_commit",
    "LIMPET_CRASH_POINT=store.between_changes", "LIMPET_CRASH_POINT=store.before_answer"};

uint64_t boot_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

class House {
 public:
  House() {
    std::ofstream config(directory_.file("limpet.toml"));
    config << "name = \"crash\"\n"
           << "[store]\npath = \"data\"\nmax_bytes = \"32MiB\"\n"
           << "[api]\nsocket = \"" << socket() << "\"\n"
           << "[limits]\nmemory = \"8GiB\"\n"  // the sanitizers take some
           << "unclean_starts = 0\n"           // killed on purpose
           << "[[queue]]\nname = \"jobs\"\nmax_attempts = 1000\n"
           << "backoff = [\"1ms\"]\n";
  }

  [[nodiscard]] std::string socket() const { return directory_.file("limpet.sock"); }
  [[nodiscard]] std::string notes() const { return directory_.file("notes.txt"); }
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

// One line at a time, whole or not at all.
class Notes {
 public:
  explicit Notes(const std::string& path)
      : descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~Notes() { close(descriptor_); }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  void add(const std::string& line) const {
    const std::string whole = line + "\n";
    if (write(descriptor_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) {
      _exit(30);
    }
  }

 private:
  const int descriptor_;
};

// A worker process, until it is killed.
[[noreturn]] void work(const House& house, uint32_t seed) {
  DaemonClient client(house.socket());
  const Notes notes(house.notes());
  std::minstd_rand engine(seed);
  while (true) {
    const Answer leased =
        client.post("/v1/queues/jobs/lease",
                    R"({"max":3,"wait_ms":500,"lease_ms":)" + std::to_string(lease_ms) + "}");
    if (leased.status != 200) {
      poll(nullptr, 0, 5);
      continue;
    }
    leased.view()["tasks"].each([&](sdk::View task) {
      const std::string id(task["id"].text_or(""));
      const std::string token(task["token"].text_or(""));
      const std::string number = std::to_string(task["payload"].uint_or(0));
      notes.add("begin " + number + " " + id + " " + token + " " + std::to_string(boot_ms()));
      if (engine() % 3 == 0) poll(nullptr, 0, static_cast<int>(engine() % 8));
      const bool acks = engine() % 5 != 0;
      const Answer settled = client.post("/v1/tasks/" + id + (acks ? "/ack" : "/nack"),
                                         R"({"token":")" + token + "\"}");
      if (settled.status == 200) notes.add((acks ? "acked " : "returned ") + number + " " + id);
    });
  }
}

class Workers {
 public:
  Workers(const House& house, Chance& chance) : house_(house), chance_(chance) {
    for (pid_t& pid : pids_) pid = start();
  }
  ~Workers() {
    for (const pid_t pid : pids_) end(pid);
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // One dies, and another one comes.
  void replace_one() {
    pid_t& pid = pids_[chance_.up_to(workers - 1)];
    end(pid);
    pid = start();
    ++killed_;
  }
  [[nodiscard]] unsigned killed() const { return killed_; }

 private:
  pid_t start() {
    const uint32_t seed = chance_.up_to(1u << 30);
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work(house_, seed);
  }
  static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  const House& house_;
  Chance& chance_;
  std::array<pid_t, workers> pids_{};
  unsigned killed_ = 0;
};

// The client's own book: which numbers it has sent, and under which ids they were acknowledged.
class Producer {
 public:
  explicit Producer(const House& house) : client_(house.socket()) {}

  [[nodiscard]] DaemonClient& client() { return client_; }

  // Sends what nobody acknowledged yet, with its key, and new ones. false: no answer came.
  bool send() {
    std::vector<uint64_t> numbers(unanswered_.begin(), unanswered_.end());
    while (numbers.size() < batch) numbers.push_back(next_++);
    unanswered_.insert(numbers.begin(), numbers.end());
    std::string json = "[";
    for (const uint64_t number : numbers) {
      const std::string text = std::to_string(number);
      if (json.size() > 1) json += ",";
      json += "{\"payload\":" + text + ",\"key\":\"n" + text + "\"";
      if (number % 2 == 0) json += ",\"group\":\"g" + std::to_string(number / 2 % groups) + "\"";
      json += "}";
    }
    const Answer answer = client_.post("/v1/queues/jobs/tasks", json + "]");
    if (answer.status == 0) return false;
    REQUIRE_MESSAGE(answer.status == 200, answer.text);
    size_t index = 0;
    answer.view()["ids"].each([&](sdk::View id) {
      if (index == numbers.size()) return;
      unanswered_.erase(numbers[index]);
      ids_[numbers[index++]] = id.text_or("");
    });
    REQUIRE(index == numbers.size());
    return true;
  }

  [[nodiscard]] const std::map<uint64_t, std::string>& ids() const { return ids_; }

 private:
  DaemonClient client_;
  uint64_t next_ = 1;
  std::set<uint64_t> unanswered_;
  std::map<uint64_t, std::string> ids_;
};

uint64_t sequence_of(const std::string& id) { return std::stoull(id.substr(id.rfind('-') + 1)); }

// What the workers noted, in the order in which they noted it.
class NotesCheck {
 public:
  explicit NotesCheck(const House& house) {
    std::ifstream file(house.notes());
    for (std::string line; std::getline(file, line);) take(line);
  }

  void compare(const Producer& producer) {
    for (const auto& [number, id] : producer.ids()) {
      const auto known = ids_.find(number);
      if (known == ids_.end()) {
        ++lost;
      } else if (known->second != id) {
        ++renamed;
      }
    }
  }

  size_t begun = 0;
  size_t acked = 0;
  size_t again = 0;         // begun after their ack was answered
  size_t lost = 0;          // acknowledged and never begun
  size_t renamed = 0;       // a number with two ids
  size_t out_of_order = 0;  // first begun after a later one of its group
  size_t tokens_twice = 0;

 private:
  void take(const std::string& line) {
    std::istringstream words(line);
    std::string what;
    uint64_t number = 0;
    std::string id;
    std::string token;
    words >> what >> number >> id >> token;
    if (what == "acked") {
      acked += acked_.insert(id).second ? 1 : 0;
      return;
    }
    if (what != "begin") return;
    ++begun;
    if (acked_.contains(id)) ++again;
    if (!tokens_.insert(token).second) ++tokens_twice;
    const bool first = !ids_.contains(number);
    if (ids_.emplace(number, id).first->second != id) ++renamed;
    if (!first || number % 2 != 0) return;
    uint64_t& last = last_of_group_[number / 2 % groups];
    if (sequence_of(id) < last) ++out_of_order;
    last = std::max(last, sequence_of(id));
  }

  std::set<std::string> acked_;
  std::set<std::string> tokens_;
  std::map<uint64_t, std::string> ids_;
  std::map<uint64_t, uint64_t> last_of_group_;
};

void live_and_die(const House& house, unsigned life, Chance& chance, Producer& producer,
                  Workers& crew) {
  std::string cause = causes[life % causes.size()];
  if (!cause.empty()) cause += ":" + std::to_string(2 + chance.up_to(30));
  CAPTURE(life);
  CAPTURE(cause);
  ChildProgram daemon = house.start(cause);
  if (!producer.client().wait_ready(daemon, ready_limit)) {
    REQUIRE_MESSAGE(!daemon.running(), read_whole_file(house.output()));
    return;
  }
  const uint32_t rounds = 1 + chance.up_to(6);
  for (uint32_t round = 0; round < rounds; ++round) {
    if (!producer.send()) break;
    if (chance.up_to(3) == 0) crew.replace_one();
    poll(nullptr, 0, static_cast<int>(chance.up_to(15)));
  }
  daemon.kill_now();
}

// All that is left is done by workers that nobody kills any more.
void finish(const House& house, Producer& producer) {
  int polls = 0;
  uint64_t left = 1;
  while (left > 0 && ++polls < finish_polls_max) {
    const Answer status = producer.client().get("/v1/queues");
    REQUIRE_MESSAGE(status.status == 200, status.text);
    size_t queues = 0;
    status.view().each([&](sdk::View queue) {
      ++queues;
      left = queue["tasks"].uint_or(1);
      CHECK(queue["dead"].uint_or(1) == 0);
    });
    REQUIRE(queues == 1);
    if (left > 0) poll(nullptr, 0, 10);
  }
  CHECK_MESSAGE(left == 0, read_whole_file(house.output()));
}

}  // namespace

TEST_CASE("workers: daemon and workers are killed, and each task is done, and none after its ack") {
  Chance chance("worker crash test");
  const House house;
  Producer producer(house);
  unsigned workers_killed = 0;
  {
    Workers crew(house, chance);
    const unsigned wanted = kills_wanted(kills);
    for (unsigned life = 0; life < wanted; ++life) {
      live_and_die(house, life, chance, producer, crew);
    }
    ChildProgram daemon = house.start("");
    REQUIRE_MESSAGE(producer.client().wait_ready(daemon, ready_limit),
                    read_whole_file(house.output()));
    REQUIRE(producer.send());
    finish(house, producer);
    workers_killed = crew.killed();
  }
  NotesCheck check(house);
  check.compare(producer);
  CHECK(check.again == 0);
  CHECK(check.lost == 0);
  CHECK(check.renamed == 0);
  CHECK(check.out_of_order == 0);
  CHECK(check.tokens_twice == 0);
  std::printf("worker crash test: %u workers killed, %zu tasks, %zu begun, %zu acked\n",
              workers_killed, producer.ids().size(), check.begun, check.acked);
  CHECK(check.acked > kills);
}
