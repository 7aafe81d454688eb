#pragma once
#include <string>

#include "../ext/draft/agents.h"
#include "../ext/draft/log.h"
#include "../ext/draft/sources.h"
#include "../ext/draft/timer.h"
#include "../ext/draft/tools.h"
#include "value.hpp"

// The host as a C++ plugin sees it. [any], except where said.
namespace limpet::sdk {

// Thrown by a plugin's own functions, caught at the edge: the status and the sentence for the log.
// From call() it means: settled, this call has failed.
class Failure : public std::runtime_error {
 public:
  Failure(limpet_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  explicit Failure(const std::string& message) : Failure(LIMPET_INVALID, message) {}

  limpet_status status() const { return status_; }

 private:
  limpet_status status_;
};

// Borrows the host's structs; lives in the adapter as long as the instance. Before activate only
// name() and set_error() are usable; what the host does not offer answers LIMPET_UNSUPPORTED.
class Host {
 public:
  explicit Host(const limpet_host* host) : host_(host) {}

  const char* name() const { return host_->name; }
  const limpet_host* c_host() const { return host_; }
  const limpet_host_tools* tools() const { return tools_; }
  const limpet_host_agents* agents() const { return agents_; }

  void set_error(const char* message) const { host_->set_error(host_, message); }

  void log(limpet_log_level level, const std::string& message) const {
    if (log_) log_->log(host_, level, message.c_str());
  }

  // One event of a source; see limpet_host_sources.emit.
  limpet_status emit(const Encoder& event, uint64_t token = 0, limpet_bytes position = {}) const {
    if (!sources_) return LIMPET_UNSUPPORTED;
    return sources_->emit(host_, token, event.bytes(), position);
  }

  limpet_status start_timer(uint32_t id, uint64_t period_ns) const {
    if (!timer_) return LIMPET_UNSUPPORTED;
    return timer_->start(host_, period_ns, id);
  }

  void stop_timer(uint32_t id) const {
    if (timer_) timer_->stop(host_, id);
  }

  // The adapter's, before the plugin's activate(). [serial]
  void connect() {
    tools_ = static_cast<const limpet_host_tools*>(ask(LIMPET_EXT_TOOLS));
    agents_ = static_cast<const limpet_host_agents*>(ask(LIMPET_EXT_AGENTS));
    sources_ = static_cast<const limpet_host_sources*>(ask(LIMPET_EXT_SOURCES));
    timer_ = static_cast<const limpet_host_timer*>(ask(LIMPET_EXT_TIMER));
    log_ = static_cast<const limpet_host_log*>(ask(LIMPET_EXT_LOG));
  }

 private:
  const void* ask(const char* id) const { return host_->get_extension(host_, id); }

  const limpet_host* host_;
  const limpet_host_tools* tools_ = nullptr;
  const limpet_host_agents* agents_ = nullptr;
  const limpet_host_sources* sources_ = nullptr;
  const limpet_host_timer* timer_ = nullptr;
  const limpet_host_log* log_ = nullptr;
};

// What happened, from inside a catch (...): its status, its text given to the host. noinline, so
// that the handlers exist once and not once for every function of the plugin.
[[gnu::noinline]] inline limpet_status report_exception(const Host& host) {
  try {
    throw;
  } catch (const Failure& failure) {
    host.set_error(failure.what());
    return failure.status() == LIMPET_OK ? static_cast<limpet_status>(LIMPET_INTERNAL)
                                         : failure.status();
  } catch (const std::bad_alloc&) {
    host.set_error("out of memory");
    return LIMPET_NO_MEMORY;
  } catch (const std::exception& error) {
    host.set_error(error.what());
    return LIMPET_INTERNAL;
  } catch (...) {
    host.set_error("unknown exception");
    return LIMPET_INTERNAL;
  }
}

}  // namespace limpet::sdk
