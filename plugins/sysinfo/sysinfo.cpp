// sysinfo: a source of readings at an interval, and three read-only tools to look closer.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <limpet/cpp/plugin.hpp>
#include <optional>

#include "disk.hpp"
#include "log_tail.hpp"
#include "processes.hpp"
#include "readings.hpp"
#include "text_file.hpp"

namespace limpet::sysinfo {
namespace {

using sdk::Call;
using sdk::Encoder;
using sdk::Failure;
using sdk::Host;
using sdk::Request;
using sdk::View;

constexpr uint32_t timer_id = 1;
constexpr uint64_t first_reading_ns = 10000000;  // soon after the start, then at the interval

uint64_t boottime_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

// Whole numbers as such; others with three digits, which is more than a reading knows.
void put_number(Encoder& out, std::string_view key, double value) {
  const double rounded = std::round(value * 1000) / 1000;
  if (std::abs(rounded) < 9e15 && rounded == std::floor(rounded)) {
    out.put(key, static_cast<int64_t>(rounded));
  } else {
    out.put(key, rounded);
  }
}

Encoder event_of(const Reading& reading) {
  Encoder out;
  out.map([&] {
    out.put("type", "sysinfo.reading").put("subject", printable(reading.subject));
    out.key("data").map([&] {
      put_number(out, "value", reading.value);
      for (const auto& [name, number] : reading.more) put_number(out, name, number);
    });
  });
  return out;
}

class Sysinfo {
 public:
  explicit Sysinfo(Host& host) : host_(host) {}

  static void check(View config) { read_config(config); }

  void activate(View config) {
    config_ = read_config(config);
    readings_.emplace(config_);
  }

  void deactivate() {}

  void start(limpet_bytes) {
    first_ = true;
    const limpet_status status = host_.start_timer(timer_id, first_reading_ns);
    if (status != LIMPET_OK) throw Failure(status, "the host has no timer");
  }

  void stop() { host_.stop_timer(timer_id); }

  void on_timer(uint32_t) {
    if (first_) host_.start_timer(timer_id, config_.interval_ms * 1000000);
    first_ = false;
    emit_readings();
    tell_missing();
  }

  void call(Call& call, const Request& request) {
    if (request.tool() == "disk_usage") return call_disk_usage(call, request.arguments());
    if (request.tool() == "top_processes") return call_top_processes(call, request.arguments());
    if (request.tool() == "log_tail") return call_log_tail(call, request.arguments());
    throw Failure("there is no such tool");
  }

 private:
  // A reading that finds no credit is dropped: a newer one comes.
  void emit_readings() {
    uint32_t dropped = 0;
    for (const Reading& reading : readings_->sample(boottime_ns())) {
      if (host_.emit(event_of(reading)) != LIMPET_OK) dropped++;
    }
    if (dropped > 0 && !dropping_) {
      host_.log(LIMPET_LOG_WARNING, "the host takes no readings now; dropping them");
    } else if (dropped == 0 && dropping_) {
      host_.log(LIMPET_LOG_INFO, "readings go through again");
    }
    dropping_ = dropped > 0;
  }

  // Once for each subject: most machines lack something for good.
  void tell_missing() {
    for (const std::string& subject : readings_->missing()) {
      if (std::find(told_.begin(), told_.end(), subject) != told_.end()) continue;
      host_.log(LIMPET_LOG_INFO, "no readings here of " + subject);
      told_.push_back(subject);
    }
  }

  static std::string path_of(View arguments) {
    const std::string_view path = arguments["path"].text_or("");
    if (path.empty() || path.front() != '/' || path.size() > path_bytes_max ||
        path.find('\0') != path.npos) {
      throw Failure("path: an absolute path");
    }
    return std::string(path);
  }

  void call_disk_usage(Call& call, View arguments) const {
    const std::string path = path_of(arguments);
    const auto usage = disk_usage(config_.root + path);
    if (!usage) throw Failure("there is no such path");
    Encoder out;
    out.map([&] {
      out.put("path", printable(path)).put("total_bytes", usage->total_bytes);
      out.put("used_bytes", usage->used_bytes).put("available_bytes", usage->available_bytes);
      put_number(out, "used_percent", usage->used_percent);
      put_number(out, "inodes_used_percent", usage->inodes_used_percent);
    });
    call.done(std::move(out));
  }

  void call_top_processes(Call& call, View arguments) const {
    const std::string_view by = arguments["by"].text_or("cpu");
    if (by != "cpu" && by != "memory") throw Failure("by: cpu or memory");
    const uint64_t count = arguments["count"].uint_or(5);
    if (count < 1 || count > 20) throw Failure("count: from 1 to 20");
    const Top top =
        top_processes(config_.root, {.order = by == "cpu" ? Order::by_cpu : Order::by_memory,
                                     .count = static_cast<std::size_t>(count),
                                     .sample_ms = config_.sample_ms});
    Encoder out;
    out.map([&] {
      out.put("by", by).put("looked_at", top.looked_at).put("left_out", top.left_out);
      out.key("processes").array([&] {
        for (const Process& process : top.processes) put_process(out, process);
      });
    });
    call.done(std::move(out));
  }

  static void put_process(Encoder& out, const Process& process) {
    out.map([&] {
      out.put("pid", process.pid).put("name", process.name);
      put_number(out, "cpu_percent", process.cpu_percent);
      out.put("memory_bytes", process.memory_bytes);
    });
  }

  void call_log_tail(Call& call, View arguments) const {
    const std::string path = path_of(arguments);
    const auto& allowed = config_.log_paths;
    if (std::find(allowed.begin(), allowed.end(), path) == allowed.end()) {
      throw Failure("path: not one of the configured log_paths");
    }
    const uint64_t lines = arguments["lines"].uint_or(20);
    const uint64_t bytes = arguments["bytes"].uint_or(16384);
    if (lines < 1 || lines > 100) throw Failure("lines: from 1 to 100");
    if (bytes < 1 || bytes > 16384) throw Failure("bytes: from 1 to 16384");
    const auto text = log_tail(config_.root + path, {.lines = static_cast<std::size_t>(lines),
                                                     .bytes = static_cast<std::size_t>(bytes)});
    if (!text) throw Failure("the file cannot be read");
    Encoder out;
    out.map([&] { out.put("path", printable(path)).put("text", *text); });
    call.done(std::move(out));
  }

  Host& host_;
  // Constant after activate.
  Config config_;
  // [serial]
  std::optional<Readings> readings_;
  std::vector<std::string> told_;  // at most one for each subject
  bool first_ = true;
  bool dropping_ = false;
};

}  // namespace
}  // namespace limpet::sysinfo

LIMPET_PLUGIN(limpet::sysinfo::Sysinfo)
