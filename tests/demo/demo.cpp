#include "tests/demo/demo.hpp"

#include <poll.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <fstream>

namespace limpet::demo {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto story_limit = std::chrono::seconds(50);
constexpr auto calm_time = std::chrono::milliseconds(1500);  // some readings before the load
constexpr auto second_load_time = std::chrono::seconds(8);   // when nothing was noticed until then
constexpr Duration ready_limit = seconds(10);
constexpr Duration stop_limit = seconds(20);
constexpr int round_ms = 25;
constexpr int rounds_per_note = 4;
// Half before the write, half after it: time enough to be killed on either side.
constexpr const char* notify_delay_ms = "1600";

bool replace(std::string& text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  if (at == std::string::npos) return false;
  text.replace(at, what.size(), with);
  return true;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

Demo::Demo(std::string config_template)
    : config_template_(std::move(config_template)),
      socket_(directory_.file("limpet.sock")),
      notices_(directory_.file("notices.txt")),
      book_(socket_, notices_) {}

int Demo::run() {
  if (!prepare() || !start_daemon()) return 1;
  timeline_.say("limpet run --config config/demo.toml, watching this machine");
  follower_ = std::make_unique<Follower>(socket_);
  return conclude(play());
}

// The config of the repository, with the limit put where this machine's load will cross it.
bool Demo::prepare() {
  const std::optional<MemoryState> memory = read_memory();
  if (!memory) {
    std::fprintf(stderr, "limpet-demo: /proc/meminfo does not say how much memory there is\n");
    return false;
  }
  memory_ = *memory;
  const double step = 100 * static_cast<double>(choose_load_bytes(memory_)) /
                      static_cast<double>(memory_.total_bytes);
  std::string text = testing::read_whole_file(config_template_);
  if (!replace(text, "above = 95", "above = " + decimal(memory_.used_percent() + step / 2)) ||
      !replace(text, "delay_ms = 0", std::string("delay_ms = ") + notify_delay_ms)) {
    std::fprintf(stderr, "limpet-demo: %s lacks the lines that the demo adapts\n",
                 config_template_.c_str());
    return false;
  }
  std::ofstream(directory_.file("demo.toml")) << text;
  return true;
}

bool Demo::start_daemon() {
  const std::string folder = testing::program_folder();
  daemon_.emplace(testing::ChildOptions{
      folder + "/limpet",
      {"run", "--config", directory_.file("demo.toml")},
      {"LIMPET_DEMO_DIR=" + directory_.path(),
       "LIMPET_DEMO_PLUGINS=" + folder + "/../lib/limpet/plugins", "LIMPET_DEMO_INTERVAL=500ms"},
      directory_.file("daemon.log")});
  testing::DaemonClient client(socket_);
  if (client.wait_ready(*daemon_, ready_limit)) return true;
  std::fprintf(stderr, "limpet-demo: the daemon does not start:\n%s",
               testing::read_whole_file(directory_.file("daemon.log")).c_str());
  return false;
}

bool Demo::kill_and_restart(const std::string& why) {
  daemon_->kill_now();
  timeline_.say("kill -9 " + why);
  const auto start = Clock::now();
  if (!start_daemon()) return false;
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
  timeline_.say("started again, serving after " + std::to_string(took) + " ms");
  return true;
}

bool Demo::play() {
  const auto start = Clock::now();
  const uint64_t bytes = choose_load_bytes(memory_);
  for (int round = 0; !incident_ended_; ++round) {
    const auto now = Clock::now() - start;
    if (now > story_limit) {
      timeline_.say("the story did not come to its end in time");
      return false;
    }
    const bool noticed = !incident_run_.empty();
    if (!noticed &&
        ((loads_.empty() && now > calm_time) || (loads_.size() == 1 && now > second_load_time))) {
      timeline_.say("a process takes " + mebibytes(bytes) + " and a processor");
      loads_.push_back(std::make_unique<Load>(bytes));
    }
    if (!loads_.empty() && noticed && killed_before_write_ && killed_after_write_) {
      timeline_.say("the process ends and gives its memory back");
      loads_.clear();
    }
    if (round % rounds_per_note == 0) book_.send_note();
    if (!play_round()) return false;
    poll(nullptr, 0, round_ms);
  }
  return true;
}

bool Demo::play_round() {
  for (const testing::LogEvent& event : follower_->take()) {
    timeline_.show(event);
    learn(event);
  }
  return maybe_kill();
}

void Demo::learn(const testing::LogEvent& event) {
  const sdk::View view = event.view();
  const std::string_view type = view["type"].text_or("");
  const std::string_view run = view["runid"].text_or("");
  const bool notify = view["data"]["tool"].text_or("") == "notify.write";
  if (type == "limpet.step.started" && notify) open_call_ = view["data"]["key"].text_or("");
  if (type == "limpet.step.finished" && notify) open_call_.clear();
  if (type == "incident.opened" && view["subject"].text_or("") == "memory") incident_run_ = run;
  if (type == "limpet.run.completed" && !run.empty() && run == incident_run_) {
    incident_ended_ = true;
  }
}

// A call that has begun is killed once on either side of its effect.
bool Demo::maybe_kill() {
  if (open_call_.empty()) return true;
  const bool written = book_.has_effect(open_call_);
  if (written ? killed_after_write_ : killed_before_write_) return true;
  daemon_->kill_now();
  // What the kill has found is decided by the file, not by when it was sent.
  const bool hit_after = book_.has_effect(open_call_);
  (hit_after ? killed_after_write_ : killed_before_write_) = true;
  open_call_.clear();
  return kill_and_restart(hit_after ? "after notify.write has written, before it could report it"
                                    : "while notify.write runs, before it has written");
}

int Demo::conclude(bool played) {
  const auto log = testing::read_log(socket_, "");
  testing::DaemonClient client(socket_);
  const testing::Answer status = client.get("/v1/status");
  if (!log || status.status != 200) {
    std::fprintf(stderr, "limpet-demo: the daemon does not answer at the end:\n%s",
                 testing::read_whole_file(directory_.file("daemon.log")).c_str());
    return 1;
  }
  const Findings findings = book_.compare(*log);
  loads_.clear();
  daemon_->send_signal(SIGTERM);
  const bool stopped = daemon_->wait_exit(stop_limit) == 0;
  timeline_.say("stopped");

  size_t calls = 0;
  for (const testing::LogEvent& event : *log) {
    calls += event.view()["type"].text_or("") == "limpet.step.finished" ? 1 : 0;
  }
  const sdk::View runs = status.view()["runs"];
  std::printf("\n  events in the log      %zu\n", log->size());
  std::printf("  runs                   %llu completed, %llu waiting, %llu failed\n",
              static_cast<unsigned long long>(runs["completed"].uint_or(0)),
              static_cast<unsigned long long>(runs["waiting"].uint_or(0)),
              static_cast<unsigned long long>(runs["failed"].uint_or(0)));
  std::printf("  tool calls finished    %zu\n", calls);
  std::printf("  kills                  %d\n", killed_before_write_ + killed_after_write_);
  std::printf("  counted outside of the store:\n");
  std::printf("  effects                %zu lines written by notify.write\n", findings.effects);
  std::printf("  repeated effects: %zu\n", findings.repeated);
  std::printf("  missing effects: %zu\n", findings.missing);
  std::printf("  acknowledged events    %zu sent by the demo\n", findings.acknowledged);
  std::printf("  lost events: %zu\n", findings.lost);
  std::printf("  doubled events: %zu\n", findings.doubled);
  const bool exact = findings.repeated + findings.missing + findings.lost + findings.doubled == 0;
  return played && stopped && exact ? 0 : 1;
}

}  // namespace limpet::demo
