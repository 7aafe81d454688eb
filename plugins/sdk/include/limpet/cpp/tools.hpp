#pragma once
#include <exception>

#include "host.hpp"

// Tools in C++. A plugin that has
//   void call(Call& call, const Request& request);        [call]
// offers the tools of its manifest; it may also have
//   void cancel(uint64_t id);                             [any]
//   Answer lookup(const Request& request);                [call]
namespace limpet::sdk {

// What is asked. Borrowed: ends when call() or lookup() returns, so a plugin that goes on in
// another thread copies what it needs.
class Request {
 public:
  explicit Request(const limpet_call* call) : call_(call) {}

  uint64_t id() const { return call_->id; }
  uint32_t attempt() const { return call_->attempt; }
  uint64_t deadline_ns() const { return call_->deadline_ns; }  // CLOCK_BOOTTIME; 0: none
  std::string_view tool() const { return call_->tool; }
  std::string_view key() const { return call_->key; }
  View arguments() const { return View(call_->arguments); }

 private:
  const limpet_call* call_;
};

// An open call: finishes exactly once. A later finish is ignored. Dropped without one it finishes
// as UNKNOWN, since nobody can say any more what was done; the host runs a read-only or idempotent
// tool again and asks a person about any other. Move-only; usable in any one thread at a time.
class Call {
 public:
  Call(const Host& host, uint64_t id) : host_(&host), id_(id) {}
  Call(Call&& other) noexcept
      : host_(std::exchange(other.host_, nullptr)), id_(other.id_), begun_(other.begun_) {}
  Call& operator=(Call&& other) noexcept {
    if (this != &other) {
      drop();
      host_ = std::exchange(other.host_, nullptr);
      id_ = other.id_;
      begun_ = other.begun_;
    }
    return *this;
  }
  ~Call() { drop(); }

  uint64_t id() const { return id_; }
  bool open() const { return host_ != nullptr; }

  // From here on something outside may have changed: an exception is then UNKNOWN, not FAILED.
  void effect_begins() { begun_ = true; }

  void done(Encoder value = {}) { finish({.outcome = LIMPET_DONE}, nullptr, &value); }
  void failed(const char* error) { finish({.outcome = LIMPET_FAILED}, error, nullptr); }
  void unknown(const char* error) { finish({.outcome = LIMPET_UNKNOWN}, error, nullptr); }
  void retry(const char* error, uint32_t after_ms) {
    finish({.outcome = LIMPET_RETRY, .after_ms = after_ms}, error, nullptr);
  }

  // Renews the lease. CANCELLED: somebody wants the call to end.
  limpet_status progress(uint32_t permille, const char* text = nullptr) const {
    return open() ? host_->tools()->progress(host_->c_host(), id_, permille, text)
                  : static_cast<limpet_status>(LIMPET_NOT_FOUND);
  }

  limpet_status partial(const Encoder& chunk) const {
    return open() ? host_->tools()->partial(host_->c_host(), id_, chunk.bytes())
                  : static_cast<limpet_status>(LIMPET_NOT_FOUND);
  }

  // From inside a catch (...): a Failure is a claim, and believed before effect_begins().
  void finish_by_exception() {
    try {
      throw;
    } catch (const Failure& failure) {
      begun_ ? unknown(failure.what()) : failed(failure.what());
    } catch (const std::exception& error) {
      unknown(error.what());
    } catch (...) {
      unknown("unknown exception");
    }
  }

 private:
  struct End {
    limpet_outcome outcome;
    uint32_t after_ms = 0;
  };

  void finish(End end, const char* error, Encoder* value) {
    if (!open()) return;
    limpet_result result = {sizeof(limpet_result), end.outcome, end.after_ms, 0, error, {}};
    if (value) result.value = value->take();
    const Host* host = std::exchange(host_, nullptr);
    host->tools()->finish(host->c_host(), id_, &result);
  }

  void drop() { unknown("the plugin lost the call without finishing it"); }

  const Host* host_;  // null: finished or moved away
  uint64_t id_;
  bool begun_ = false;
};

// What lookup() found out; see limpet_plugin_tools.lookup.
struct Answer {
  limpet_outcome outcome;
  Encoder value = {};
};

}  // namespace limpet::sdk
