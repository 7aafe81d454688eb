#pragma once

// What goes into the queues of users and what comes out of them, as plain values. [any]

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"
#include "store/task_record.hpp"

namespace limpet::dispatch {

// So many in so long, with a burst: a token bucket. count 0: no limit.
struct Rate {
  uint32_t count = 0;
  Duration per = seconds(1);
  uint32_t burst = 0;  // 0: as `count`
};

enum class Overflow : uint8_t { reject, drop_oldest };
enum class GroupOnDead : uint8_t { go_on, park };

// How long a task waits after its nth failure.
struct Backoff {
  std::vector<Duration> list;  // not empty: these, and the last one for all further failures
  Duration min = seconds(1);
  uint32_t factor_percent = 200;
  Duration max = seconds(300);
  uint32_t jitter_percent = 20;  // up to so much is added or taken off, at random
};

struct QueueSettings {
  std::string name;
  uint64_t tasks_max = 100000;
  uint64_t bytes_max = uint64_t{64} << 20;
  Overflow overflow = Overflow::reject;
  uint32_t attempts_max = 5;
  Duration lease = seconds(30);
  uint32_t in_flight_max = 1000;
  uint64_t in_flight_bytes_max = uint64_t{16} << 20;
  Duration ageing = seconds(30);  // what one step of priority is worth; zero: strict
  Duration ttl;                   // of tasks that name none; zero: none
  Duration dedup_window = seconds(300);
  Backoff backoff;
  GroupOnDead group_on_dead = GroupOnDead::go_on;
  uint64_t tenant_tasks_max = 0;  // 0: no quota
  Rate rate;                      // of leases
  Rate tenant_rate;
  uint64_t dead_max = 10000;  // the oldest leave beyond it, counted
};

struct NewTask {
  ByteSpan payload = {};  // one CBOR item
  uint8_t priority = 5;
  Duration delay = {};               // refused together with a group
  std::optional<Duration> ttl = {};  // from when it is ready; nullopt: the queue's
  std::string_view group = {};
  std::string_view key = {};  // dedup
  std::string_view tenant = {};
  std::string_view principal = {};
  std::string_view correlation = {};
  std::string_view causation = {};
  std::string_view trace_parent = {};
  RunId run = {};  // with `step`: the call of a run that this task carries out
  Ordinal step = {};
  // Its effect must not happen twice: a lease that ends without an answer is an unknown outcome,
  // and the task dies with that reason instead of going to another worker.
  bool once = false;
};

// Fenced: a lease that has ended is never mistaken for one that lasts, across restarts too.
using LeaseToken = StrongId<struct LeaseTokenTag, uint64_t>;  // incarnation << 40 | counter

// One leased task, as its visitor sees it; views live for the call.
struct LeasedTask {
  Sequence task;
  LeaseToken token;
  uint16_t attempt = 1;  // this one, counted from 1
  uint8_t priority = 5;
  ByteSpan payload;
  std::string_view group;
  std::string_view tenant;
  std::string_view principal;
  std::string_view correlation;
  std::string_view trace_parent;
  RunId run;
  Ordinal step;
  WallTime enqueued;
  store::StoreMs expires_at = 0;  // 0: never
  Duration lease;                 // from now
  bool once = false;              // Queues::begin_once comes before its worker hears of it
};

struct LeaseOptions {
  size_t tasks_max = 1;
  size_t bytes_max = SIZE_MAX;  // of payloads; one task is always given
  Duration lease;               // zero: the queue's
};

// Which lease a worker speaks of.
struct LeaseRef {
  Sequence task;
  LeaseToken token;
};

enum class Failure : uint8_t {
  transient,  // counts as an attempt
  permanent,  // dead at once: rejected
  release,    // given back unharmed: no attempt
};

struct Nack {
  Failure failure = Failure::transient;
  std::optional<Duration> delay = {};  // nullopt: the queue's backoff; none after a release
  std::string_view error = {};
};

// What became of a task that left the ready ones, for whoever asked for it on behalf of a run.
struct Settled {
  Sequence task;
  bool dead = false;
  store::DeathReason reason = store::DeathReason::rejected;  // when dead
  RunId run;
  Ordinal step;
  Duration held{};           // of an ack: since the lease
  std::string_view queue{};  // of an ack; lives as long as the queue
};

struct Enqueued {
  Sequence task;  // the new one, or with `duplicate` the first with this key
  bool duplicate = false;
  std::vector<Settled> died;  // of runs, that had to make room: Overflow::drop_oldest
};

enum class QueueState : uint8_t {
  open,
  paused,    // takes tasks, gives none
  draining,  // gives tasks, takes none
};
[[nodiscard]] std::string_view to_string(QueueState state);

struct QueueStats {
  std::string name;
  bool configured = true;  // false: it holds tasks of an earlier config
  QueueState state = QueueState::open;
  uint64_t tasks = 0;  // all that are not dead
  uint64_t bytes = 0;
  uint64_t leased = 0;
  uint64_t delayed = 0;  // by their producers or after a failure; each up to delayed_count_max
  uint64_t dead = 0;
  Duration oldest_age;  // of the ready; zero: none
  uint64_t tasks_max = 0;
  uint64_t bytes_max = 0;

  // Since the start.
  uint64_t enqueued = 0;
  uint64_t duplicates = 0;
  uint64_t leases = 0;
  uint64_t acked = 0;
  uint64_t retried = 0;
  uint64_t released = 0;
  uint64_t lease_expired = 0;
  uint64_t died = 0;
  uint64_t redriven = 0;
  uint64_t refused_full = 0;
  uint64_t dropped_oldest = 0;
  uint64_t dead_dropped = 0;
  uint64_t stale = 0;    // acks with an old token
  uint64_t limited = 0;  // leases that a rate or in-flight limit cut short
};

inline constexpr uint64_t delayed_count_max = 1000;

}  // namespace limpet::dispatch
