#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "plugin.hpp"

// A host for unit tests: one instance of a plugin, without a daemon, without time. Timers fire when
// the test says so; what the plugin does is kept for the test to look at. Link the plugin's static
// form (limpet_plugin_<name>_static) and name its entry:
//
//   extern "C" const limpet_entry_point limpet_entry_template;
//   testing::Instance instance(limpet_entry_template, config);
//   CHECK(instance.activate() == LIMPET_OK);
//   CHECK(instance.call("hash", arguments).outcome == LIMPET_DONE);
namespace limpet::sdk::testing {

struct Finished {
  uint64_t id = 0;
  limpet_outcome outcome = LIMPET_UNKNOWN;
  uint32_t retry_after_ms = 0;
  std::string error;
  std::string value;  // CBOR
  View view() const { return View(std::string_view(value)); }
};

struct Emitted {
  uint64_t token = 0;
  std::string event;  // CBOR
  std::string position;
  View view() const { return View(std::string_view(event)); }
};

struct Timer {
  uint32_t id;
  uint64_t period_ns;
};

// The host's side. Its functions may be called by the plugin from any thread; the test reads the
// public members when no call is under way.
class TestHost {
 public:
  TestHost() { host_.host_data = this; }
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  const limpet_host* c_host() const { return &host_; }

  // Blocks until the call has finished; the test's own time limit ends a plugin that forgets to.
  Finished wait_finished(uint64_t id) {
    std::unique_lock lock(mutex_);
    for (;;) {
      for (const Finished& one : finished) {
        if (one.id == id) return one;
      }
      changed_.wait(lock);
    }
  }

  std::vector<Finished> finished;
  std::vector<Emitted> emitted;
  std::vector<Timer> timers;
  std::vector<std::string> log_lines;
  std::string error;         // the last set_error()
  uint32_t credits = 10000;  // emits until FULL

 private:
  static TestHost& of(const limpet_host* host) { return *static_cast<TestHost*>(host->host_data); }

  static void set_error(const limpet_host* host, const char* message) {
    std::scoped_lock lock(of(host).mutex_);
    of(host).error = message;
  }

  static void finish(const limpet_host* host, uint64_t id, limpet_result* result) {
    std::scoped_lock lock(of(host).mutex_);
    const limpet_buffer& value = result->value;
    of(host).finished.push_back({id, result->outcome, result->retry_after_ms,
                                 result->error ? result->error : "",
                                 std::string(as_text({value.data, value.size}))});
    if (result->value.release) result->value.release(&result->value);
    of(host).changed_.notify_all();
  }

  static limpet_status progress(const limpet_host*, uint64_t, uint32_t, const char*) {
    return LIMPET_OK;
  }
  static limpet_status partial(const limpet_host*, uint64_t, limpet_bytes) { return LIMPET_OK; }
  static void tools_changed(const limpet_host*) {}

  static limpet_status emit(const limpet_host* host, uint64_t token, limpet_bytes event,
                            limpet_bytes position) {
    std::scoped_lock lock(of(host).mutex_);
    if (!limpet_cbor_validate(event)) return LIMPET_INVALID;
    if (of(host).credits == 0) return LIMPET_FULL;
    of(host).credits--;
    of(host).emitted.push_back(
        {token, std::string(as_text(event)), std::string(as_text(position))});
    return LIMPET_OK;
  }

  static limpet_status start_timer(const limpet_host* host, uint64_t period_ns, uint32_t id) {
    stop_timer(host, id);
    of(host).timers.push_back({id, period_ns});
    return LIMPET_OK;
  }

  static void stop_timer(const limpet_host* host, uint32_t id) {
    std::erase_if(of(host).timers, [=](const Timer& timer) { return timer.id == id; });
  }

  static void log(const limpet_host* host, limpet_log_level, const char* message) {
    std::scoped_lock lock(of(host).mutex_);
    of(host).log_lines.emplace_back(message);
  }

  static const void* get_extension(const limpet_host*, const char* id) {
    static constexpr limpet_host_tools tools = {finish, progress, partial, tools_changed};
    static constexpr limpet_host_sources sources = {emit};
    static constexpr limpet_host_timer timer = {start_timer, stop_timer};
    static constexpr limpet_host_log log_half = {log};
    const std::string_view wanted = id;
    if (wanted == LIMPET_EXT_TOOLS) return &tools;
    if (wanted == LIMPET_EXT_SOURCES) return &sources;
    if (wanted == LIMPET_EXT_TIMER) return &timer;
    if (wanted == LIMPET_EXT_LOG) return &log_half;
    return nullptr;
  }

  limpet_host host_ = {
      sizeof(limpet_host), LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR, nullptr, "test", "0",
      get_extension,       set_error};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace limpet::sdk::testing

#include "testing_instance.hpp"
