// recover: a daemon with N events in its log, or N tasks in a queue, takes more of them, is killed
// with SIGKILL in the middle of it and started again. How long until it answers, how much memory it
// takes, what of the acknowledged is lost. Neither time nor memory may grow with N.

#include <poll.h>

#include <algorithm>
#include <fstream>

#include "cli/http_client.hpp"
#include "tests/bench/cycle_subject.hpp"
#include "tests/bench/isolated.hpp"
#include "tests/bench/open_store.hpp"
#include "tests/bench/process_usage.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"
#include "tests/support/daemon_client.hpp"

namespace limpet::bench {

namespace {

using testing::ChildProgram;
using testing::DaemonClient;

constexpr uint64_t count_default = 200000;
constexpr unsigned acknowledged_count = 64;
constexpr uint64_t ready_ns_max = 60000000000;
constexpr Duration answer_wait = seconds(20);
constexpr unsigned fill_window = 1024;

// What there are N of.
struct Kind {
  const char* name;
  const char* post_to;
};
constexpr Kind log_kind{"events", "/v1/events"};
constexpr Kind queue_kind{"tasks", "/v1/queues/jobs/tasks"};

class Gateway {
 public:
  Gateway(std::string program, std::string directory, uint64_t max_bytes)
      : program_(std::move(program)), directory_(std::move(directory)) {
    std::ofstream(config()) << "name = \"bench\"\n[store]\npath = \"data\"\nmax_bytes = \""
                            << (max_bytes >> 20) << "MiB\"\n[api]\nsocket = \"" << socket()
                            << "\"\n[[queue]]\nname = \"jobs\"\nmax_tasks = 10000000\n"
                            << "max_bytes = \"8GiB\"\n";
  }

  [[nodiscard]] std::string socket() const { return directory_ + "/s"; }
  [[nodiscard]] ChildProgram start() const {
    return ChildProgram({program_, {"run", "--config", config()}, {}, directory_ + "/said.txt"});
  }
  [[nodiscard]] std::string said() const {
    return testing::read_whole_file(directory_ + "/said.txt");
  }

 private:
  [[nodiscard]] std::string config() const { return directory_ + "/limpet.toml"; }
  const std::string program_;
  const std::string directory_;
};

bool healthy(const std::string& socket) {
  auto client = cli::HttpClient::connect(socket, answer_wait);
  if (!client.ok()) return false;
  const auto answer = client->call({"GET", "/healthz", {}, ""});
  return answer.ok() && answer->status == 200;
}

// Nanoseconds from `start` until the daemon says that it is well.
uint64_t wait_healthy(const Gateway& gateway, ChildProgram& daemon, uint64_t start) {
  while (!healthy(gateway.socket())) {
    if (!daemon.running()) fail("the daemon ended: " + gateway.said());
    if (monotonic_ns() - start > ready_ns_max) fail("the daemon does not answer");
    poll(nullptr, 0, 1);
  }
  return monotonic_ns() - start;
}

std::string json_of(const Kind& kind, unsigned number) {
  const std::string id = "acknowledged-" + std::to_string(number);
  if (&kind == &queue_kind) return R"({"payload":")" + id + "\"}";
  return R"({"specversion":"1.0","type":"bench.event","source":"bench","id":")" + id + "\"}";
}

// The sequences of the events that the daemon said it has; of tasks only their number counts.
std::vector<uint64_t> post(const Kind& kind, const Gateway& gateway) {
  DaemonClient client(gateway.socket());
  std::vector<uint64_t> sequences;
  for (unsigned number = 0; number < acknowledged_count; ++number) {
    const testing::Answer answer = client.post(kind.post_to, json_of(kind, number));
    if (answer.status != 200) fail("the daemon refused: " + answer.text);
    sequences.push_back(testing::number_of(answer.view()["last"]));
  }
  return sequences;
}

// One more request is on its way when the daemon dies.
void kill_under_load(const Kind& kind, const Gateway& gateway, ChildProgram& daemon) {
  auto client = cli::HttpClient::connect(gateway.socket(), answer_wait);
  if (!client.ok() || !client
                           ->send({"POST",
                                   kind.post_to,
                                   {{"Content-Type", "application/json"}},
                                   json_of(kind, acknowledged_count)})
                           .ok()) {
    fail("cannot send to the daemon");
  }
  daemon.kill_now();
}

uint64_t count_lost_events(const Gateway& gateway, const std::vector<uint64_t>& sequences) {
  const auto log =
      testing::read_log(gateway.socket(), "?from=" + std::to_string(sequences.front()));
  if (!log) fail("the log cannot be read");
  uint64_t lost = 0;
  for (const uint64_t sequence : sequences) {
    const auto same = [sequence](const auto& event) { return event.sequence == sequence; };
    if (std::ranges::none_of(*log, same)) ++lost;
  }
  return lost;
}

uint64_t count_lost_tasks(const Gateway& gateway, uint64_t acknowledged) {
  const testing::Answer answer = DaemonClient(gateway.socket()).get("/v1/queues");
  constexpr std::string_view name = "\"tasks\":";
  const size_t at = answer.text.find(name);
  if (at == std::string::npos) fail("the daemon does not tell its queues: " + answer.text);
  const uint64_t tasks = std::strtoull(answer.text.c_str() + at + name.size(), nullptr, 10);
  return acknowledged - std::min(acknowledged, tasks);
}

void fill(const Kind& kind, const CycleOptions& options, uint64_t count) {
  if (&kind == &log_kind) {
    OpenStore opened(options.directory + "/data", options.max_bytes, Duration{});
    return fill_log(opened, SampleEvent(options.payload), count);
  }
  const std::unique_ptr<CycleSubject> queue = make_limpet_cycle(options);
  const ByteVector payload(options.payload, 0x5a);
  uint64_t answered = 0;
  for (uint64_t given = 0; answered < count;) {
    for (; given < count && given - answered < fill_window; ++given) {
      queue->enqueue(payload, [&answered] { ++answered; });
    }
    queue->wait();
  }
}

Figures measure(const Options& options, const std::string& directory, const Kind& kind) {
  const Scratch scratch(directory);
  const uint64_t count = options.events != 0 ? options.events : count_default;
  const uint64_t max_bytes = (uint64_t{64} << 20) + 3 * count * (options.payload + 160);
  fill(kind, {scratch.path(), max_bytes, options.payload, fill_window}, count);
  const Gateway gateway(options.daemon, scratch.path(), max_bytes + (uint64_t{2} << 20));
  ChildProgram first = gateway.start();
  static_cast<void>(wait_healthy(gateway, first, monotonic_ns()));
  const std::vector<uint64_t> sequences = post(kind, gateway);
  kill_under_load(kind, gateway, first);

  const uint64_t start = monotonic_ns();
  ChildProgram second = gateway.start();
  const uint64_t took_ns = wait_healthy(gateway, second, start);
  const uint64_t anonymous = anonymous_bytes(second.pid());
  const uint64_t lost = &kind == &log_kind ? count_lost_events(gateway, sequences)
                                           : count_lost_tasks(gateway, count + sequences.size());
  second.kill_now();
  return {{"first_answer", "ms", static_cast<double>(took_ns) / 1e6},
          {"anonymous", "MiB", static_cast<double>(anonymous) / (1024 * 1024)},
          {"acknowledged_lost", "1", static_cast<double>(lost)}};
}

}  // namespace

void run_recover(const Options& given, const std::string& directory, Report& report) {
  Options options = given;
  if (options.daemon.empty()) options.daemon = testing::program_folder() + "/limpet";
  if (!platform::file_exists(options.daemon)) {
    std::fprintf(stderr, "limpet-bench: recover skipped: no program %s\n", options.daemon.c_str());
    return;
  }
  for (const Kind* kind : {&log_kind, &queue_kind}) {
    std::vector<Figures> runs;
    for (unsigned run = 0; run < options.runs; ++run) {
      runs.push_back(run_isolated([&] { return measure(options, directory, *kind); }));
    }
    report.add("recover",
               {{kind->name, std::to_string(options.events != 0 ? options.events : count_default)},
                {"payload", std::to_string(options.payload)},
                {"killed", "\"SIGKILL under load\""}},
               runs);
  }
}

}  // namespace limpet::bench
