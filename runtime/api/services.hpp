#pragma once

// Services: all that the API needs of the house. The daemon implements it over store, admit,
// dispatch, run and host; a test implements it over a vector.
// Owner: the daemon; it outlives the server. Thread: [main] for every function and every
// completion.
// Fails with values: an Error where a code says it all, a Refusal where a person needs a sentence
// or a producer a time to come back.
// Limits: base/limits.hpp; what a request may carry is checked by the API before it gets here, what
// the house can take now is for the implementation to say.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/event.hpp"
#include "model/ids.hpp"
#include "model/run.hpp"

namespace limpet::api {

// Becomes a problem document: the status follows from the code, `detail` is shown to the person.
struct Refusal {
  Error error;
  std::string detail;           // one sentence; empty: the advice of the code
  uint32_t retry_after_ms = 0;  // with full and busy: when it is worth coming back; 0: 1 s
};

// A T, or why there is none.
template <class T>
using Answer = std::variant<T, Refusal>;

// A completion: called exactly once, on main, from inside the call or later. It may be called after
// the connection that asked is gone; it must not be called once the server is destroyed: stop the
// server last, or drop the completions first.
template <class T>
using Done = std::function<void(Answer<T>)>;

struct Ingested {
  Sequence first;  // none when every event was a duplicate
  Sequence last;
  uint32_t duplicates = 0;
};

struct EventFilter {
  Sequence to;               // exclusive; none: no end
  std::string type_pattern;  // valid; empty: all
  std::string subject;       // empty: all
  std::string correlation;   // empty: all
  RunId run;                 // none: all
};

struct ReadEnd {
  Sequence next;         // where to go on
  bool at_end = false;   // nothing more is stored, or `to` was reached
  bool damaged = false;  // a record was passed over because it cannot be read
};

// Sees one event; its views live for the call. False: this event was not taken, stop before it.
using EventVisitor = std::function<bool(const EventView&)>;

struct NewRun {
  std::string agent;
  ByteVector input;  // one CBOR item; empty: null
  std::string key;
  std::string tenant;
  std::string correlation;
  std::string idempotency_key;
  std::string webhook;
  uint8_t priority = 5;
  int64_t deadline_ms = 0;  // from now; 0: none
  std::string principal;
};

struct Submitted {
  RunId run;
  bool created = true;  // false: the idempotency key named an earlier run
};

struct RunView {
  Run run;
  std::vector<Step> steps;  // by ordinal
  ByteVector input;         // one CBOR item each; empty: null, or trimmed
  ByteVector output;
};

struct RunFilter {
  std::optional<RunState> state;
  std::string agent;  // empty: all
  RunId before;       // only older runs; none: from the newest
};

// Sees one run. False: stop after it.
using RunVisitor = std::function<bool(const Run&)>;

struct Resolution {
  RunId run;
  Ordinal step;
  Outcome outcome = Outcome::done;  // done, retry or failed
  ByteVector value;                 // of done: one CBOR item; empty: null
  std::string reason;               // of failed
  std::string principal;
};

struct Health {
  bool ok = true;
  std::string detail;  // what does not make progress, one sentence
};

enum class Right : uint8_t {
  read,
  submit,   // events, runs, tasks
  work,     // lease and acknowledge
  operate,  // settle, cancel, pause, redrive, drop
  answer,   // what a run asks of people
};

class Services {
 public:
  virtual ~Services() = default;

  [[nodiscard]] virtual Epoch epoch() const = 0;
  [[nodiscard]] virtual bool may(std::string_view principal, Right right) const = 0;

  // Stores all of `events` or none; answers after the commit. Sequence, principal and, where
  // absent, time and source are the implementation's to fill in. Refusals: invalid, too_large,
  // full, busy, denied, closed. REQUIRES: 0 < events.size() <= batch_events_max.
  virtual void ingest(std::vector<Event> events, std::string principal, Done<Ingested> done) = 0;

  // The same of history: events of another log, or of an earlier life of this one, as they were:
  // their own types, ids and times, with `originepoch` and `originsequence` among their extensions.
  // What came before is a duplicate, however long ago. They bring about nothing: no run, no task.
  // For who may operate.
  virtual void import_events(std::vector<Event> events, std::string principal,
                             Done<Ingested> done) {
    static_cast<void>(events);
    static_cast<void>(principal);
    done(Refusal{{ErrorCode::unsupported, "events: import"}, {}, 0});
  }

  // Shows durable events that match, from `from` on in order, to `visit`; looks at no more than
  // `records_max` records, so that one call is short. Errors: io, corrupt, closed.
  //   log 1..5, `to` 5, visit refuses 3:  read(.., 1, 100) shows 1, 2, 3; next = 3, at_end = false
  [[nodiscard]] virtual Result<ReadEnd> read_events(const EventFilter& filter, Sequence from,
                                                    size_t records_max,
                                                    const EventVisitor& visit) = 0;
  // Of what is no longer stored from `from` on: could something have matched? A house that cannot
  // tell says yes.
  [[nodiscard]] virtual bool may_have_matched(const EventFilter& filter, Sequence from) const {
    static_cast<void>(filter);
    static_cast<void>(from);
    return true;
  }
  // The sequence that the next event will get; the first that is still stored.
  [[nodiscard]] virtual Sequence log_end() const = 0;
  [[nodiscard]] virtual Sequence log_begin() const = 0;
  // `wake` is called after commits that added events: once for all of a round. One listener; an
  // empty function ends it. It may be called when nothing new is there.
  virtual void on_commit(std::function<void()> wake) = 0;

  // Answers after the commit that created the run. Refusals: not_found (no such agent), invalid,
  // full, busy, denied, closed, conflict (the key was used for another request).
  virtual void submit_run(NewRun run, Done<Submitted> done) = 0;
  // Errors: not_found, io, corrupt.
  [[nodiscard]] virtual Result<RunView> get_run(RunId run) = 0;
  // Shows runs, newest first, until `visit` says false.
  [[nodiscard]] virtual Result<void> list_runs(const RunFilter& filter,
                                               const RunVisitor& visit) = 0;
  // Refusals: not_found, conflict (the step's outcome is not unknown), denied, busy, closed.
  virtual void resolve_step(Resolution resolution, Done<std::monostate> done) = 0;
  // Refusals: not_found, conflict (the run has ended), denied, busy, closed.
  virtual void cancel_run(RunId run, std::string principal, Done<std::monostate> done) = 0;

  // JSON texts, ready to be sent.
  [[nodiscard]] virtual std::string status_json() = 0;
  [[nodiscard]] virtual std::string plugins_json() = 0;
  [[nodiscard]] virtual std::string tools_json() = 0;
  [[nodiscard]] virtual std::string agents_json() = 0;
  // What is measured, as MetricsText writes it; a house that measures nothing shows nothing.
  [[nodiscard]] virtual std::string metrics_text() { return {}; }
  // Progress, not presence: is work that waits being done?
  [[nodiscard]] virtual Health health() = 0;
};

}  // namespace limpet::api
