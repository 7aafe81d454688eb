#pragma once

// QueueServices: what the API needs of the queues: producers, workers, operators. The daemon
// implements it over dispatch::Queues. Owner, thread, failures: as services.hpp.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/services.hpp"
#include "dispatch/queue_types.hpp"

namespace limpet::api {

struct TaskRequest {
  ByteVector payload;  // one CBOR item
  uint8_t priority = 5;
  int64_t delay_ms = 0;
  std::optional<int64_t> ttl_ms;
  std::string group;
  std::string key;
  std::string tenant;
  std::string correlation;
};

struct TasksTaken {
  std::vector<Sequence> tasks;     // one for each request, in order
  std::vector<Sequence> repeated;  // those of them that were there already
};

// A task in a worker's hands; owns its bytes.
struct TaskView {
  Sequence task;
  uint64_t token = 0;
  uint32_t attempt = 1;
  uint8_t priority = 5;
  ByteVector payload;
  std::string group;
  std::string tenant;
  std::string principal;
  std::string correlation;
  WallTime enqueued;
  uint64_t expires_ms = 0;      // since 1970; 0: never
  uint64_t lease_until_ms = 0;  // since 1970
};

struct LeaseRequest {
  std::string queue;
  uint32_t tasks_max = 1;
  size_t bytes_max = 256 * 1024;  // of payloads, so that one answer is bounded; one task always
  int64_t wait_ms = 0;
  int64_t lease_ms = 0;  // 0: the queue's
  std::string principal;
};

enum class Verdict : uint8_t { ack, nack };

struct SettleRequest {
  Verdict verdict = Verdict::ack;
  Sequence task;
  uint64_t token = 0;
  ByteVector result;  // of an ack: one CBOR item, or empty: no event
  // Of a nack.
  std::optional<int64_t> delay_ms;
  bool permanent = false;
  bool release = false;  // given back unharmed, not an attempt
  std::string reason;
};

// For each settlement, in order: nothing, or why not. conflict is a stale lease.
using SettleAnswers = std::vector<std::optional<Refusal>>;

struct DeadView {
  Sequence task;
  std::string queue;
  std::string reason;
  std::string error;
  std::string group;
  std::string tenant;
  uint32_t attempts = 0;
  uint32_t deaths = 0;
  uint64_t first_death_ms = 0;
  uint64_t last_death_ms = 0;
  WallTime enqueued;
  ByteVector payload;
};

struct DeadFilter {
  std::string queue;  // empty: all
  Sequence from;      // none: the oldest
  uint32_t count_max = 100;
};

struct RedriveRequest {
  Sequence task;            // none: all of `queue`
  std::string queue;        // of a redrive of many
  ByteVector payload;       // of one task: instead of its own; empty: as it was
  uint32_t count_max = 0;   // of many; 0: all
  uint32_t per_second = 0;  // of many; 0: the queue's rate, else 100
  std::string principal;
};

class QueueServices {
 public:
  virtual ~QueueServices() = default;

  // All of them or none; answers after the commit. Refusals: not_found, full with retry_after_ms,
  // busy, invalid, too_large. REQUIRES: 0 < tasks.size() <= batch_events_max.
  virtual void enqueue(std::string queue, std::vector<TaskRequest> tasks, std::string principal,
                       Done<TasksTaken> done) = 0;
  // Answers with what is ready, at once or when something is, at the latest after wait_ms, then
  // empty. Answers a number by which cancel_lease ends the wait when the worker has gone away.
  // Refusals: not_found, busy (too many wait).
  virtual uint64_t lease(LeaseRequest request, Done<std::vector<TaskView>> done) = 0;
  // The wait's completion is called with nothing, or not at all. A number that is not waiting any
  // more is ignored.
  virtual void cancel_lease(uint64_t wait) = 0;
  // Answers after the commit. Each one stands for itself.
  virtual void settle(std::vector<SettleRequest> requests, Done<SettleAnswers> done) = 0;
  // The lease's end, since 1970. Errors: conflict, not_found.
  [[nodiscard]] virtual Answer<uint64_t> extend(Sequence task, uint64_t token,
                                                int64_t lease_ms) = 0;

  [[nodiscard]] virtual std::string queues_json() = 0;
  virtual void set_queue_state(std::string queue, dispatch::QueueState state,
                               Done<std::monostate> done) = 0;

  // Oldest first over all of them; fewer than count_max when that is all, or when their payloads
  // have batch_bytes_max together: then it goes on behind the last one.
  [[nodiscard]] virtual Result<std::vector<DeadView>> list_dead(const DeadFilter& filter) = 0;
  // Of one: after the commit, its new or old id. Of many: at once, how many were there; they go at
  // their rate.
  virtual void redrive(RedriveRequest request, Done<uint64_t> done) = 0;
  // One dead letter; with `queue` and no task, all of that queue. Answers how many.
  virtual void drop_dead(Sequence task, std::string queue, Done<uint64_t> done) = 0;
};

}  // namespace limpet::api
