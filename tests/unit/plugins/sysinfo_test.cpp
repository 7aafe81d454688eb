#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limpet/cpp/testing.hpp>

#include "plugins/sysinfo/text_file.hpp"

extern "C" const limpet_entry_point limpet_entry_sysinfo;

using namespace limpet::sdk;
using testing::Finished;
using testing::Instance;
using testing::object;

namespace {

// A machine made of files.
class Fixture {
 public:
  Fixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sysinfo-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~Fixture() { std::filesystem::remove_all(root_); }

  void write(const std::string& path, std::string_view text) const {
    const std::filesystem::path file = root_.string() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }

  void write_machine() const {
    write("/proc/loadavg", "3.00 1.50 0.75 2/345 6789\n");
    write("/proc/stat", "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n");
    write("/proc/meminfo",
          "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:  250 kB\n"
          "SwapTotal: 0 kB\nSwapFree: 0 kB\n");
    write("/proc/pressure/memory",
          "some avg10=12.34 avg60=5.00 avg300=1.00 total=99\n"
          "full avg10=3.00 avg60=1.00 avg300=0.50 total=9\n");
    write("/proc/uptime", "1000.00 500.00\n");
    write("/sys/class/thermal/thermal_zone0/temp", "48123\n");
    write("/sys/class/thermal/cooling_device0/temp", "1\n");
    write_net("1000", "500");
  }

  void write_net(const std::string& rx, const std::string& tx) const {
    write("/proc/net/dev",
          "Inter-|   Receive  |  Transmit\n face |bytes packets\n"
          "    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
          "  eth0: " +
              rx + " 7 1 2 0 0 0 0 " + tx + " 7 3 4 0 0 0 0\n");
  }

  // 100 ticks a second: `ticks` of processor time, begun at second 900 of 1000.
  void write_process(int pid, std::string_view name, int ticks, int pages) const {
    write("/proc/" + std::to_string(pid) + "/stat",
          std::to_string(pid) + " (" + std::string(name) + ") S 1 1 1 0 -1 0 0 0 0 0 " +
              std::to_string(ticks) + " 0 0 0 20 0 1 0 90000 1000000 " + std::to_string(pages) +
              " 0 0\n");
  }

  Encoder config() const {
    return object([&](Encoder& out) {
      out.put("root", root_.string()).put("interval", "1s").put("sample_ms", 0);
      out.key("log_paths").array([&] { out.value("/log/app").value("/log/none"); });
    });
  }

 private:
  std::filesystem::path root_;
};

const testing::Emitted* find(const std::vector<testing::Emitted>& events, const char* subject) {
  const auto found = std::find_if(events.begin(), events.end(), [=](const auto& event) {
    return event.view()["subject"].text_or("") == subject;
  });
  return found == events.end() ? nullptr : &*found;
}

double value_of(Instance& instance, const char* subject) {
  const auto* event = find(instance.host().emitted, subject);
  REQUIRE_MESSAGE(event != nullptr, subject);
  CHECK(event->view()["type"].text_or("") == "sysinfo.reading");
  return event->view()["data"]["value"].number_or(-1);
}

Encoder path(std::string_view value) {
  return object([&](Encoder& out) { out.put("path", value); });
}

}  // namespace

TEST_CASE("sysinfo: a tick emits one reading for each subject, with its headline number") {
  const Fixture machine;
  machine.write_machine();
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  REQUIRE(instance.start_source() == LIMPET_OK);
  instance.fire_timer(1);
  CHECK(value_of(instance, "load") == 1.5);
  CHECK(value_of(instance, "memory") == 75);
  CHECK(value_of(instance, "pressure.memory") == 12.34);
  CHECK(value_of(instance, "thermal/thermal_zone0") == doctest::Approx(48.123));
  const double disk = value_of(instance, "disk//");
  CHECK(disk >= 0);
  CHECK(disk <= 100);
  const View memory = find(instance.host().emitted, "memory")->view()["data"];
  CHECK(memory["total_bytes"].uint_or(0) == 1024000);
}

TEST_CASE("sysinfo: the first tick comes soon, the next at the interval, none after stop") {
  const Fixture machine;
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.host().timers.empty());
  REQUIRE(instance.start_source() == LIMPET_OK);
  REQUIRE(instance.host().timers.size() == 1);
  CHECK(instance.host().timers[0].period_ns < 1000000000);
  instance.fire_timer(1);
  REQUIRE(instance.host().timers.size() == 1);
  CHECK(instance.host().timers[0].period_ns == 1000000000);
  instance.stop_source();
  CHECK(instance.host().timers.empty());
}

TEST_CASE("sysinfo: a rate needs two samples, and a counter that went back gives none") {
  const Fixture machine;
  machine.write_machine();
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  REQUIRE(instance.start_source() == LIMPET_OK);
  instance.fire_timer(1);
  CHECK(find(instance.host().emitted, "net/eth0") == nullptr);
  machine.write_net("2000", "1000");
  instance.fire_timer(1);
  CHECK(value_of(instance, "net/eth0") > 0);
  CHECK(find(instance.host().emitted, "net/lo") == nullptr);
  const View data = find(instance.host().emitted, "net/eth0")->view()["data"];
  CHECK(data["rx_bytes"].uint_or(0) == 2000);
  CHECK(data["rx_errors"].uint_or(0) == 1);
  CHECK(data["tx_dropped"].uint_or(0) == 4);
  instance.host().emitted.clear();
  machine.write_net("5", "5");
  instance.fire_timer(1);
  CHECK(find(instance.host().emitted, "net/eth0") == nullptr);
}

TEST_CASE("sysinfo: what a machine lacks is not reported, and logged once") {
  const Fixture machine;
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  REQUIRE(instance.start_source() == LIMPET_OK);
  instance.fire_timer(1);
  const std::vector<std::string> lines = instance.host().log_lines;
  CHECK(std::count(lines.begin(), lines.end(), "no readings here of memory") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "no readings here of thermal") == 1);
  CHECK(find(instance.host().emitted, "memory") == nullptr);
  instance.fire_timer(1);
  CHECK(instance.host().log_lines == lines);
}

TEST_CASE("sysinfo: readings without credit are dropped, which is said once") {
  const Fixture machine;
  machine.write_machine();
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  REQUIRE(instance.start_source() == LIMPET_OK);
  instance.fire_timer(1);
  const std::size_t lines = instance.host().log_lines.size();
  const std::size_t events = instance.host().emitted.size();
  instance.host().credits = 1;
  instance.fire_timer(1);
  instance.fire_timer(1);
  CHECK(instance.host().emitted.size() == events + 1);
  CHECK(instance.host().log_lines.size() == lines + 1);
  instance.host().credits = 1000;
  instance.fire_timer(1);
  CHECK(instance.host().log_lines.size() == lines + 2);
}

TEST_CASE("sysinfo: garbage in the kernel's files gives no reading and no crash") {
  const Fixture machine;
  for (const char* file :
       {"/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/net/dev", "/proc/pressure/cpu",
        "/sys/class/thermal/thermal_zone0/temp", "/proc/7/stat", "/proc/uptime"}) {
    machine.write(file, std::string_view("\xff\x00:)( some avg10 :\n\n:::", 23));
  }
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  REQUIRE(instance.start_source() == LIMPET_OK);
  instance.fire_timer(1);
  instance.fire_timer(1);
  CHECK(find(instance.host().emitted, "memory") == nullptr);
  CHECK(instance.call("top_processes", object([](Encoder&) {})).outcome == LIMPET_DONE);
}

TEST_CASE("sysinfo: disk_usage tells the use of a path, and fails without one") {
  const Fixture machine;
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  const Finished finished = instance.call("disk_usage", path("/"));
  REQUIRE(finished.outcome == LIMPET_DONE);
  const View value = finished.view();
  CHECK(value["total_bytes"].uint_or(0) >= value["used_bytes"].uint_or(1));
  CHECK(instance.call("disk_usage", path("/no/such")).outcome == LIMPET_FAILED);
  CHECK(instance.call("disk_usage", path("relative")).outcome == LIMPET_FAILED);
}

TEST_CASE("sysinfo: top_processes orders by processor or by memory") {
  const Fixture machine;
  machine.write("/proc/uptime", "1000.00 1.0\n");
  machine.write_process(10, "busy", 5000, 1);
  machine.write_process(11, "odd) (name", 100, 900);
  machine.write_process(12, "idle", 0, 50);
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  const auto names = [&](const char* by, int count) {
    const Finished finished = instance.call(
        "top_processes", object([&](Encoder& out) { out.put("by", by).put("count", count); }));
    REQUIRE(finished.outcome == LIMPET_DONE);
    CHECK(finished.view()["looked_at"].uint_or(0) == 3);
    std::string all;
    finished.view()["processes"].each(
        [&](View one) { all += std::string(one["name"].text_or("")) + ","; });
    return all;
  };
  CHECK(names("cpu", 2) == "busy,odd) (name,");
  CHECK(names("memory", 20) == "odd) (name,idle,busy,");
  const Finished finished = instance.call("top_processes", object([](Encoder&) {}));
  bool first = true;
  finished.view()["processes"].each([&](View one) {
    if (first) CHECK(one["cpu_percent"].number_or(0) == 50);  // 5000 ticks in 100 s
    first = false;
  });
  const Encoder too_many = object([](Encoder& out) { out.put("count", 21); });
  CHECK(instance.call("top_processes", too_many).outcome == LIMPET_FAILED);
}

TEST_CASE("sysinfo: log_tail reads whole lines of allowed files, within its limits") {
  const Fixture machine;
  machine.write("/log/app", "one\ntwo\nthree \xff\nfour");
  machine.write("/log/secret", "no\n");
  Instance instance(limpet_entry_sysinfo, machine.config());
  REQUIRE(instance.activate() == LIMPET_OK);
  const auto tail = [&](int lines, int bytes) {
    const Finished finished =
        instance.call("log_tail", object([&](Encoder& out) {
                        out.put("path", "/log/app").put("lines", lines).put("bytes", bytes);
                      }));
    REQUIRE(finished.outcome == LIMPET_DONE);
    return std::string(finished.view()["text"].text_or("nothing"));
  };
  CHECK(tail(2, 1000) == "three ?\nfour\n");
  CHECK(tail(100, 1000) == "one\ntwo\nthree ?\nfour\n");
  CHECK(tail(100, 9) == "four\n");
  CHECK(tail(100, 2) == "ur\n");
  CHECK(instance.call("log_tail", path("/log/secret")).outcome == LIMPET_FAILED);
  CHECK(instance.call("log_tail", path("/log/../log/app")).outcome == LIMPET_FAILED);
  CHECK(instance.call("log_tail", path("/log/none")).outcome == LIMPET_FAILED);
}

TEST_CASE("sysinfo: a config out of range is refused with its key") {
  const auto check = [](auto body, const char* message) {
    Instance instance(limpet_entry_sysinfo, object(body));
    CHECK(instance.check() == LIMPET_INVALID);
    CHECK(instance.host().error == message);
  };
  check([](Encoder& out) { out.put("interval", "10 years"); }, "interval: from 100ms to 24h");
  check([](Encoder& out) { out.put("interval", 5); }, "interval: from 100ms to 24h");
  check([](Encoder& out) { out.put("sample_ms", 99999); }, "sample_ms: at most 2000");
  check([](Encoder& out) { out.key("disks").array([&] { out.value("relative"); }); },
        "disks: at most 32 absolute paths");
}

TEST_CASE("sysinfo: printable text is UTF-8 whatever came in") {
  using limpet::sysinfo::printable;
  CHECK(printable("a\tb\n") == "a\tb\n");
  CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(printable("\xc3") == "?");
  CHECK(printable("\xc0\xaf") == "??");
  CHECK(printable("\xed\xa0\x80") == "???");
  CHECK(printable("\xf4\x90\x80\x80") == "????");
  CHECK(printable("\x1b[0m\x7f") == "?[0m?");
}
