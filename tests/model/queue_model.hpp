#pragma once

// QueueModel: what the contract of dispatch/queues.hpp says, as plain maps: obviously right rather
// than fast, and written without a look at how the queues do it. A value: a copy of it is what a
// dropped change or a crash goes back to. Owner: the driver of a test. [any]

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dispatch/queue_types.hpp"

namespace limpet::testing {

using dispatch::LeaseRef;
using dispatch::QueueSettings;
using dispatch::QueueState;
using dispatch::Settled;
using store::StoreMs;

// Rules that are wrong on purpose: a test that does not notice them proves nothing.
enum class Mistake : uint8_t {
  none,
  lease_end_is_free,
  release_counts,
  group_side_by_side,
  key_forgotten,
  bytes_forgotten,
  priority_ignored,
  permanent_tried_again,
  expiry_forgotten,
  pause_forgotten,
  crash_counts,
};
inline constexpr Mistake mistake_last = Mistake::crash_counts;

struct ModelNow {
  StoreMs ms = 0;
  BootTime boot;
};

struct TaskSpec {
  ByteVector payload;
  uint8_t priority = 5;
  int64_t delay_ms = 0;
  std::optional<int64_t> ttl_ms;
  std::string group;
  std::string key;
  std::string tenant;
  RunId run;
  Ordinal step;
  bool once = false;
};

struct ModelLease {
  uint64_t token = 0;
  BootTime ends;
};

struct ModelTask {
  TaskSpec spec;
  StoreMs ready_at = 0;
  StoreMs expires_at = 0;
  StoreMs not_before = 0;
  StoreMs first_death = 0;
  uint16_t attempts = 0;
  uint16_t deaths = 0;
  bool on_its_way = false;  // a change that concerns it is not known to be on disk
  bool adopts = false;      // a redrive made it: what the contract leaves open is taken from disk
  std::optional<ModelLease> lease;
};

struct ModelDead {
  ModelTask task;
  store::DeathReason reason = store::DeathReason::rejected;
  StoreMs last_death = 0;
  std::string error;
  bool on_its_way = false;
  bool parks = false;  // its group waits for it
};

struct RememberedKey {
  uint64_t task = 0;
  StoreMs at = 0;
};

struct ModelCounts {
  uint64_t leases = 0;
  uint64_t acked = 0;
  uint64_t released = 0;
  uint64_t retried = 0;
  uint64_t lease_expired = 0;
  uint64_t died = 0;
  uint64_t redriven = 0;
  uint64_t dropped_oldest = 0;
  uint64_t dead_dropped = 0;
};

struct ModelQueue {
  QueueSettings settings;
  bool configured = true;
  QueueState state = QueueState::open;
  std::map<uint64_t, ModelTask> tasks;  // all that are not dead, by id
  std::map<uint64_t, ModelDead> dead;
  std::map<std::string, RememberedKey> keys;
  std::map<std::string, uint64_t> heads;   // of groups: whose turn it is
  std::set<std::string> unsettled_groups;  // something of them is leaving, and not on disk yet
  ModelCounts counts;

  [[nodiscard]] uint64_t bytes() const;
  [[nodiscard]] size_t leased() const;
  [[nodiscard]] size_t leased_bytes() const;
  [[nodiscard]] size_t tasks_of(const std::string& tenant) const;
  [[nodiscard]] bool is_head(uint64_t task) const;
  [[nodiscard]] bool group_busy(const std::string& group) const;
  [[nodiscard]] bool group_parked(const std::string& group) const;
};

// What the contract says of a call. Where it leaves a choice, both are allowed.
struct Judgement {
  bool may_succeed = true;
  std::vector<ErrorCode> refusals;    // allowed ones; empty: it must succeed
  std::optional<uint64_t> repeat_of;  // it must succeed as a duplicate of that task
  bool may_overflow = false;          // room may be made by dropping the oldest
};

class QueueModel {
 public:
  explicit QueueModel(Mistake mistake) : mistake_(mistake) {}

  std::map<std::string, ModelQueue> queues;
  std::vector<Settled> settled;     // tasks of runs that time has killed
  std::vector<Settled> overflowed;  // those that had to make room in the last call
  uint64_t results = 0;             // events that acks made
  uint64_t deaths = 0;

  void configure(const std::vector<QueueSettings>& settings);

  [[nodiscard]] Judgement judge_enqueue(const std::string& queue, const TaskSpec& spec,
                                        StoreMs now) const;
  void enqueue(const std::string& queue, const TaskSpec& spec, uint64_t task, StoreMs now);
  // `victim` was dropped to make room. What is wrong with that choice; empty: nothing.
  [[nodiscard]] std::string overflow(const std::string& queue, uint64_t victim, StoreMs now);

  [[nodiscard]] Judgement judge_lease(const LeaseRef& lease) const;
  void lease(uint64_t task, const ModelLease& lease);
  void ack(uint64_t task, bool with_result);
  Settled nack(uint64_t task, const dispatch::Nack& nack, StoreMs now);

  [[nodiscard]] Judgement judge_redrive(uint64_t task, size_t payload_bytes) const;
  void redrive(uint64_t task, const ByteVector& payload, uint64_t as, StoreMs now);
  [[nodiscard]] Judgement judge_drop_dead(uint64_t task) const;
  void drop_dead(uint64_t task);
  // A dead letter had to leave because of dead_max.
  void bury(uint64_t task);

  // Ends leases, expires tasks.
  void pump(ModelNow now);
  // All changes are on disk, and the queues know.
  void durable();
  // The process is gone and has come back.
  void restart();

  [[nodiscard]] std::vector<uint64_t> leasable(const ModelQueue& queue, StoreMs now) const;
  [[nodiscard]] ModelQueue* queue_of(uint64_t task);
  [[nodiscard]] const ModelQueue* queue_of(uint64_t task) const;
  [[nodiscard]] ModelQueue* queue_of_dead(uint64_t task);
  [[nodiscard]] const ModelQueue* queue_of_dead(uint64_t task) const;
  [[nodiscard]] Mistake mistake() const { return mistake_; }

 private:
  struct Death {
    store::DeathReason reason;
    StoreMs at;
    std::string error;
  };
  Settled die(ModelQueue& queue, uint64_t task, const Death& death);
  void unsettle(ModelQueue& queue, const std::string& group);
  void join(ModelQueue& queue, const std::string& group, uint64_t task);
  void promote(ModelQueue& queue, const std::string& group);
  void end_lease(ModelQueue& queue, uint64_t task, StoreMs now);
  [[nodiscard]] bool leasable(const ModelQueue& queue, uint64_t task, StoreMs now) const;

  Mistake mistake_;
};

[[nodiscard]] Duration backoff_after(const dispatch::Backoff& backoff, uint16_t failures);

}  // namespace limpet::testing
