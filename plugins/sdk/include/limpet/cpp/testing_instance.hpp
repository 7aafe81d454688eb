#pragma once
#include "testing.hpp"

// The plugin's side of a test: part of testing.hpp.
namespace limpet::sdk::testing {

// One instance: created at once, deactivated and destroyed at the end. A plugin that cannot be
// created is a null `plugin()`, on which nothing but itself may be asked.
class Instance {
 public:
  Instance(const limpet_entry_point& entry, const Encoder& config) : config_(config) {
    if (!limpet_abi_fits(entry.abi_major, entry.abi_minor)) return;
    if (entry.create(host_.c_host(), &plugin_) != LIMPET_OK) plugin_ = nullptr;
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance() {
    if (active_) plugin_->deactivate(plugin_);
    if (plugin_) plugin_->destroy(plugin_);
  }

  TestHost& host() { return host_; }
  const limpet_plugin* plugin() const { return plugin_; }

  template <typename Half>
  const Half* extension(const char* id) const {
    return static_cast<const Half*>(plugin_->get_extension(plugin_, id));
  }

  limpet_status check() const { return plugin_->check(plugin_, config_.bytes()); }

  limpet_status activate() {
    const limpet_status status = plugin_->activate(plugin_, config_.bytes());
    active_ = status == LIMPET_OK;
    return status;
  }

  void deactivate() {
    plugin_->deactivate(plugin_);
    active_ = false;
  }

  // Calls a tool on this thread and waits for its finish; a call that was refused is RETRY.
  Finished call(const char* tool, const Encoder& arguments, const char* key = "run/step/0") {
    const uint64_t id = ++last_id_;
    const limpet_call call = {sizeof call, 1, id, 0, tool, key, arguments.bytes()};
    const auto* tools = extension<limpet_plugin_tools>(LIMPET_EXT_TOOLS);
    const limpet_status status = tools->call(plugin_, &call);
    if (status != LIMPET_OK) return {id, LIMPET_RETRY, 0, limpet_status_text(status), {}};
    return host_.wait_finished(id);
  }

  // The id of the next call(), for a test that cancels it from another thread.
  uint64_t next_id() const { return last_id_ + 1; }
  void cancel(uint64_t id) const {
    extension<limpet_plugin_tools>(LIMPET_EXT_TOOLS)->cancel(plugin_, id);
  }

  Finished lookup(const char* tool, const Encoder& arguments, const char* key) const {
    const limpet_call call = {sizeof call, 2, 0, 0, tool, key, arguments.bytes()};
    limpet_result result = {};
    const auto* tools = extension<limpet_plugin_tools>(LIMPET_EXT_TOOLS);
    const limpet_status status = tools->lookup(plugin_, &call, &result);
    Finished answer;
    if (status != LIMPET_OK)
      answer.error = limpet_status_text(status);
    else
      answer.outcome = result.outcome;
    answer.value = as_text({result.value.data, result.value.size});
    if (result.value.release) result.value.release(&result.value);
    return answer;
  }

  // One turn; the decision as CBOR, empty when the turn failed.
  std::string turn(const limpet_turn& turn) const {
    limpet_buffer decision = {};
    const auto* agents = extension<limpet_plugin_agents>(LIMPET_EXT_AGENTS);
    if (agents->turn(plugin_, &turn, &decision) != LIMPET_OK) return {};
    std::string bytes(as_text({decision.data, decision.size}));
    if (decision.release) decision.release(&decision);
    return bytes;
  }

  limpet_status start_source(limpet_bytes position = {}) const {
    return extension<limpet_plugin_sources>(LIMPET_EXT_SOURCES)->start(plugin_, position);
  }
  void stop_source() const { extension<limpet_plugin_sources>(LIMPET_EXT_SOURCES)->stop(plugin_); }
  void fire_timer(uint32_t id) const {
    extension<limpet_plugin_timer>(LIMPET_EXT_TIMER)->on_timer(plugin_, id);
  }

 private:
  TestHost host_;
  Encoder config_;
  const limpet_plugin* plugin_ = nullptr;
  bool active_ = false;
  uint64_t last_id_ = 0;
};

// A map of one line's entries: object([&](Encoder& out) { out.put("path", "/"); }).
template <typename Body>
Encoder object(Body body) {
  Encoder out;
  out.map([&] { body(out); });
  return out;
}

}  // namespace limpet::sdk::testing
