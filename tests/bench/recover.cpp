// recover: a daemon with N events in its log takes more, is killed with SIGKILL in the middle of it
// and started again. How long until it answers, how much memory it takes, what of the acknowledged
// is lost. Neither time nor memory may grow with N.

#include <poll.h>

#include <algorithm>
#include <fstream>

#include "cli/http_client.hpp"
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

constexpr uint64_t events_default = 200000;
constexpr unsigned acknowledged_count = 64;
constexpr uint64_t ready_ns_max = 60000000000;
constexpr Duration answer_wait = seconds(20);

class Gateway {
 public:
  Gateway(std::string program, std::string directory, uint64_t max_bytes)
      : program_(std::move(program)), directory_(std::move(directory)) {
    std::ofstream(config()) << "name = \"bench\"\n[store]\npath = \"data\"\nmax_bytes = \""
                            << (max_bytes >> 20) << "MiB\"\n[api]\nsocket = \"" << socket()
                            << "\"\n";
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

std::string event_json(unsigned number) {
  return R"({"specversion":"1.0","type":"bench.event","source":"bench","id":"acknowledged-)" +
         std::to_string(number) + "\"}";
}

// The sequences of the events that the daemon said it has.
std::vector<uint64_t> post_events(const Gateway& gateway) {
  DaemonClient client(gateway.socket());
  std::vector<uint64_t> sequences;
  for (unsigned number = 0; number < acknowledged_count; ++number) {
    const testing::Answer answer = client.post("/v1/events", event_json(number));
    if (answer.status != 200) fail("the daemon refused an event: " + answer.text);
    sequences.push_back(testing::number_of(answer.view()["last"]));
  }
  return sequences;
}

// One more request is on its way when the daemon dies.
void kill_under_load(const Gateway& gateway, ChildProgram& daemon) {
  auto client = cli::HttpClient::connect(gateway.socket(), answer_wait);
  if (!client.ok() || !client
                           ->send({"POST",
                                   "/v1/events",
                                   {{"Content-Type", "application/json"}},
                                   event_json(acknowledged_count)})
                           .ok()) {
    fail("cannot send to the daemon");
  }
  daemon.kill_now();
}

uint64_t count_lost(const Gateway& gateway, const std::vector<uint64_t>& sequences) {
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

Figures measure(const Options& options, const std::string& directory, const std::string& program) {
  const Scratch scratch(directory);
  const uint64_t events = options.events != 0 ? options.events : events_default;
  const uint64_t max_bytes = (uint64_t{64} << 20) + 2 * events * (options.payload + 160);
  {
    OpenStore filled(scratch.path() + "/data", max_bytes, Duration{});
    fill_log(filled, SampleEvent(options.payload), events);
  }
  const Gateway gateway(program, scratch.path(), max_bytes + (uint64_t{2} << 20));
  ChildProgram first = gateway.start();
  static_cast<void>(wait_healthy(gateway, first, monotonic_ns()));
  const std::vector<uint64_t> acknowledged = post_events(gateway);
  kill_under_load(gateway, first);

  const uint64_t start = monotonic_ns();
  ChildProgram second = gateway.start();
  const uint64_t took_ns = wait_healthy(gateway, second, start);
  const uint64_t anonymous = anonymous_bytes(second.pid());
  const uint64_t lost = count_lost(gateway, acknowledged);
  second.kill_now();
  return {{"first_answer", "ms", static_cast<double>(took_ns) / 1e6},
          {"anonymous", "MiB", static_cast<double>(anonymous) / (1024 * 1024)},
          {"acknowledged_lost", "1", static_cast<double>(lost)}};
}

}  // namespace

void run_recover(const Options& options, const std::string& directory, Report& report) {
  const std::string program =
      options.daemon.empty() ? testing::program_folder() + "/limpet" : options.daemon;
  if (!platform::file_exists(program)) {
    std::fprintf(stderr, "limpet-bench: recover skipped: no program %s\n", program.c_str());
    return;
  }
  const uint64_t events = options.events != 0 ? options.events : events_default;
  std::vector<Figures> runs;
  for (unsigned run = 0; run < options.runs; ++run) {
    runs.push_back(run_isolated([&] { return measure(options, directory, program); }));
  }
  report.add("recover",
             {{"events", std::to_string(events)},
              {"payload", std::to_string(options.payload)},
              {"killed", "\"SIGKILL under load\""}},
             runs);
}

}  // namespace limpet::bench
