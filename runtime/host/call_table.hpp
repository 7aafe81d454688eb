#pragma once

// CallTable: the calls of one instance that a plugin may still speak about, seen from any thread.
// It gives the exactly-once rule of abi.md: each call comes out of take() once, whatever the plugin
// does. A call is complete when call() has returned and, if it returned OK, finish() has been
// called, in either order; waiting for both keeps a plugin's thread out of a slot that is free.
// Owner: an instance. Thread: as tagged; its own mutex. Never fails.
// Limits: the concurrency of the tools bounds what is open; REQUIRES: the host keeps it.
//
//   open -> begin -> returned + finish -> take           the usual way
//   open -> cancel -> begin says no -> take (retry)      nobody had begun it
//   begin -> give_up -> ... -> take (late)               the deadline came first

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/counters.hpp"
#include "host/foreign.hpp"
#include "host/mailbox.hpp"
#include "host/tool.hpp"

namespace limpet::host {

enum class CallKind : uint8_t { call, lookup };

struct Completion {
  uint64_t id = 0;
  bool late = false;     // its outcome has been given: only the slot is free now
  bool answered = true;  // of a lookup: false when the plugin could not look
  ToolResult result;
};

struct Progress {
  uint64_t id = 0;
  uint32_t permille = 0;
  std::string text;
};

// What call() or lookup() came back with.
struct Returned {
  limpet_status status = LIMPET_OK;
  std::string text;                 // from set_error
  bool threw = false;               // an exception left the plugin: nobody knows what happened
  limpet_result* result = nullptr;  // of a lookup; taken before returned() ends
};

// How far a call is when its deadline has passed for good.
enum class GaveUp : uint8_t { not_begun, begun, finished };

class CallTable {
 public:
  CallTable(Mailbox& mailbox, LiveCounters& counters) : mailbox_(mailbox), counters_(counters) {}

  // REQUIRES: the id is not open. [main]
  void open(uint64_t id, CallKind kind);
  // False: it was cancelled or given up meanwhile, and now is complete; do not call the plugin.
  // [main, worker]
  [[nodiscard]] bool begin(uint64_t id);
  // True: that made it complete; a worker rings the mailbox then, main takes it. [main, worker]
  [[nodiscard]] bool returned(uint64_t id, Returned returned);

  // Undoes open(): nobody will begin it. [main]
  void forget(uint64_t id);

  // The plugin's finish() and progress(). [any]
  void finish(uint64_t id, limpet_result* result);
  [[nodiscard]] limpet_status progress(uint64_t id, uint32_t permille, const char* text);

  // True: the plugin has it and should be told. [main]
  [[nodiscard]] bool cancel(uint64_t id);
  // The owner gives the outcome itself now; `finished` has it in `result_out`. [main]
  [[nodiscard]] GaveUp give_up(uint64_t id, ToolResult& result_out);

  // What is complete since the last time; what is new of those still open. [main]
  [[nodiscard]] std::vector<Completion> take();
  [[nodiscard]] std::vector<Progress> take_progress();

  [[nodiscard]] size_t open_count() const;  // [any]

 private:
  struct Entry {
    CallKind kind = CallKind::call;
    bool begun = false;
    bool cancelled = false;
    bool given_up = false;  // late from here on
    bool returned = false;
    bool finished = false;  // `completion` is set
    bool progressed = false;
    Completion completion;
    Progress progress;
  };
  using Entries = std::map<uint64_t, Entry>;

  void settle(Entry& entry, Completion completion);
  bool complete_if_done(Entries::iterator entry);

  Mailbox& mailbox_;
  LiveCounters& counters_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Entries entries_;
  std::vector<Completion> completed_;
};

}  // namespace limpet::host
