// limpet top: the daemon at work, a screen a second.

#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include "cli/item.hpp"
#include "cli/queue_verbs.hpp"
#include "cli/remote.hpp"
#include "cli/table.hpp"
#include "codec/json.hpp"
#include "config/units.hpp"

namespace limpet::cli {

namespace {

constexpr std::string_view clear_screen = "\033[H\033[2J";

uint64_t number(ByteSpan map, std::string_view name) {
  const std::string text = display(member(map, name));
  return text.empty() || text.find_first_not_of("0123456789") != std::string::npos
             ? 0
             : std::stoull(text);
}

std::string mebibytes(uint64_t bytes) {
  const uint64_t tenths = bytes * 10 / (uint64_t{1} << 20);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

// What was counted the last time, to show what was added since.
class Rates {
 public:
  explicit Rates(double seconds) : seconds_(seconds) {}
  std::string of(const std::string& name, uint64_t count) {
    const auto [known, first] = before_.try_emplace(name, count);
    const uint64_t added = count >= known->second ? count - known->second : count;
    known->second = count;
    if (first) return "-";
    return std::to_string(std::llround(static_cast<double>(added) / seconds_));
  }

 private:
  double seconds_;
  std::map<std::string, uint64_t> before_;
};

void print_head(std::ostream& out, ByteSpan status, Rates& rates) {
  const ByteSpan store = member(status, "store");
  const ByteSpan memory = member(status, "memory");
  const Duration up = seconds(static_cast<int64_t>(number(status, "uptime_ms") / 1000));
  out << display(member(status, "name")) << ", limpet " << display(member(status, "version"))
      << ", up " << config::show_duration(up) << ", epoch " << display(member(status, "epoch"))
      << "\n";
  out << "store   " << display(member(store, "state")) << ", " << mebibytes(number(store, "bytes"))
      << " of " << mebibytes(number(store, "max_bytes")) << ", "
      << rates.of("events", number(store, "last")) << " events/s, "
      << rates.of("commits", number(store, "commits")) << " commits/s, last "
      << number(store, "commit_us_last") << " us\n";
  out << "memory  " << mebibytes(number(memory, "pss")) << ", of it anonymous "
      << mebibytes(number(memory, "anonymous")) << " of " << mebibytes(number(memory, "limit"))
      << "\n";
  out << "runs   ";
  for_each_member(member(status, "runs"), [&](std::string_view name, ByteSpan count) {
    out << " " << name << " " << display(count);
  });
  out << "\n";
}

void print_queues(std::ostream& out, ByteSpan status, Rates& rates) {
  Table table({"QUEUE", "READY", "LEASED", "DELAYED", "DEAD", "IN/S", "OUT/S", "RETRIED/S"});
  for_each_item(member(status, "queues"), [&](ByteSpan queue) {
    const std::string name = display(member(queue, "name"));
    const auto cell = [queue](std::string_view key) { return display(member(queue, key)); };
    const uint64_t out_count = number(queue, "acked") + number(queue, "done");
    table.row({name, cell("ready"), cell("leased"), cell("delayed"), cell("dead"),
               rates.of(name + ".in", number(queue, "enqueued") + number(queue, "begun")),
               rates.of(name + ".out", out_count),
               rates.of(name + ".retried", number(queue, "retried"))});
  });
  out << "\n";
  table.print(out);
}

void print_rest(std::ostream& out, ByteSpan status) {
  Table consumers({"CONSUMER", "LAG", "PENDING", "OLDEST MS", "PAUSED"});
  bool any = false;
  for_each_item(member(status, "consumers"), [&](ByteSpan consumer) {
    any = true;
    const auto cell = [consumer](std::string_view key) { return display(member(consumer, key)); };
    consumers.row(
        {cell("name"), cell("lag"), cell("pending"), cell("oldest_age_ms"), cell("paused")});
  });
  if (any) {
    out << "\n";
    consumers.print(out);
  }
  out << "\ndrops  ";
  for_each_member(member(status, "drops"), [&](std::string_view name, ByteSpan count) {
    const std::string text = display(count);
    if (text != "0") out << " " << name << " " << text;
  });
  out << "\n";
}

}  // namespace

Exit top(const Context& context, const TopOptions& options) {
  const std::optional<Duration> interval = config::parse_duration(options.interval);
  if (!interval || interval->ns < milliseconds(100).ns) {
    return fail(context, "--interval is at least 100ms, such as 1s", Exit::usage);
  }
  Remote remote(context);
  Rates rates(static_cast<double>(interval->ns) / 1e9);
  for (uint64_t round = 1;; ++round) {
    const std::optional<std::string> answer = remote.get("/v1/status");
    if (!answer) return remote.exit();
    const auto parsed = codec::json_to_cbor(*answer);
    if (context.globals.json || !parsed) {
      context.out << *answer << "\n";
    } else {
      if (options.clear) context.out << clear_screen;
      print_head(context.out, *parsed, rates);
      print_queues(context.out, *parsed, rates);
      print_rest(context.out, *parsed);
    }
    context.out.flush();
    if (!context.out || round == options.rounds) return Exit::ok;
    std::this_thread::sleep_for(std::chrono::nanoseconds(interval->ns));
  }
}

}  // namespace limpet::cli
