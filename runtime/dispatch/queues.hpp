#pragma once

// Queues: the queues of users: tasks with priority, tenant, delay, expiry, group and key, leased to
// workers, acknowledged, tried again, and put aside when they die.
// Owner: the daemon. Thread: [main].
// Fails with: not_found (no such queue, task or lease), full (a limit: come back later), conflict
// (the lease is not, or no longer, the caller's), invalid, busy, closed, io, corrupt.
// Limits: store::queues_max queues; tenants_max tenants a queue; lanes_max lanes in all; in flight
// as in QueueSettings; returned_max returned tasks a lane; nothing grows with the backlog.
//
// What is stored is in store/task_record.hpp. A lease writes nothing: a monotone cursor a lane
// (queue, tenant, priority), a bounded heap of tasks that came back behind it, and the table of
// what is in flight; a crash forgets all three and the work comes again. When the heap of a lane is
// full its cursor goes back instead, which is slower and never wrong: what is in flight is skipped.
//
// A change is built by the caller, so that a run's state and the ack of its task commit together:
//
//   store::Change change = store.begin();
//   LIMPET_TRY(Enqueued done, queues.enqueue(change, queue, task));
//   const Result<void> given = store.submit(std::move(change));
//   given.ok() ? queues.submitted() : queues.dropped();
//
// Every function that takes a Change leaves it and the queues as they were when it fails, except
// with io and corrupt: drop the change then, and call dropped(). Memory follows at submitted();
// what others may see of it follows when it is on disk, which deliver() learns from the store. All
// commits are the caller's.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dispatch/queue_types.hpp"
#include "dispatch/tenants.hpp"
#include "store/store.hpp"

namespace limpet::dispatch {

inline constexpr size_t lanes_max = 16384;  // groups and redriven tasks may go over it
inline constexpr size_t due_batch_max = 256;

using LeaseVisitor = std::function<void(const LeasedTask&)>;

// One dead letter, as it is shown; views live for the call.
struct DeadTask {
  Sequence task;
  std::string_view queue;
  store::DeadLetter letter;
  ByteSpan payload;
  std::string_view group;
  std::string_view tenant;
  WallTime enqueued;
};
using DeadVisitor = std::function<bool(const DeadTask&)>;  // false: stop

class Queues {
 public:
  struct Wiring {
    store::Store& store;  // outlives Queues
    platform::Clock& clock;
    std::string source;  // of our own events: "limpet/<name>"
    uint64_t seed = 0;   // of jitter
    // Sees each event that a queue appends, in its change, so that triggers can follow; may be
    // empty.
    std::function<void(const EventView&)> appended;
    // Which retention class an event type has; empty: 0 for all.
    std::function<uint8_t(std::string_view type)> class_of;
  };
  explicit Queues(Wiring wiring);
  ~Queues();

  // Reads names and finds lanes by skipping from one to the next, and gives numbers to new names
  // (one commit). Queues that are stored and not in `settings` keep what they hold; they give tasks
  // and take none. [blocking]
  [[nodiscard]] Result<void> load(std::vector<QueueSettings> settings);
  // The same for a changed config; nothing stored is dropped.
  [[nodiscard]] Result<void> reload(std::vector<QueueSettings> settings);

  // --- Producers.
  [[nodiscard]] Result<Enqueued> enqueue(store::Change& change, std::string_view queue,
                                         const NewTask& task);
  // When a producer that was told `full` should come back.
  [[nodiscard]] Duration retry_after(std::string_view queue) const;

  // --- Workers. Gives ready tasks to `visit`, in the order of rank, tenants in turn.
  // Answers how many; none is not an error. Errors: not_found, io, corrupt.
  // REQUIRES: `visit` calls nothing of Queues.
  [[nodiscard]] Result<size_t> lease(std::string_view queue, const LeaseOptions& options,
                                     const LeaseVisitor& visit);
  // When it is worth asking again although nothing happens: a delay, a rate. nullopt: not by time.
  [[nodiscard]] std::optional<store::StoreMs> next_due(std::string_view queue) const;

  // A lease writes nothing, so a crash would forget that a worker was about to act. For a task that
  // must not happen twice this is written first, and awaited: one that has begun and has no answer
  // after a crash or at its lease's end dies with unknown_outcome. Other tasks: nothing.
  [[nodiscard]] Result<void> begin_once(store::Change& change, const LeaseRef& lease);

  // `result` empty: no event; else one CBOR item, which becomes `limpet.task.done`.
  [[nodiscard]] Result<Settled> ack(store::Change& change, const LeaseRef& lease, ByteSpan result);
  // dead: no attempt was left, or the failure was permanent.
  [[nodiscard]] Result<Settled> nack(store::Change& change, const LeaseRef& lease,
                                     const Nack& nack);
  // The lease's new length, from now; writes nothing.
  [[nodiscard]] Result<Duration> extend(const LeaseRef& lease, Duration length);
  // The queue of a task that is leased; nullopt: it is not.
  [[nodiscard]] std::optional<std::string_view> queue_of(Sequence task) const;

  // --- Operators.
  [[nodiscard]] Result<void> set_state(store::Change& change, std::string_view queue,
                                       QueueState state);
  // Dead letters of one queue, or of all when empty, oldest first, from `from` on.
  [[nodiscard]] Result<void> list_dead(std::string_view queue, Sequence from,
                                       const DeadVisitor& visit) const;
  // Ready once more, with its attempts forgotten and its deaths counted; it does not expire again.
  // With a payload it becomes a new task, whose cause is the old one. Limits of the queue hold.
  [[nodiscard]] Result<Enqueued> redrive(store::Change& change, Sequence task, ByteSpan payload);
  [[nodiscard]] Result<void> drop_dead(store::Change& change, Sequence task);

  // --- The change that was built.
  void submitted();
  void dropped();

  // --- Time. deliver(): call after store.deliver(): memory follows what is on disk now. It builds
  // nothing.
  void deliver();
  // When run_due() has something to do; nullopt: not by time.
  [[nodiscard]] std::optional<store::StoreMs> next_alarm() const;
  // Builds what is due into `change`, at most due_batch_max tasks: ends leases that ran out, lets
  // tasks expire. What died on behalf of a run is shown to `on_settled`, so that its step ends in
  // the same change. Answers how many; 0: nothing was built, drop the change. Also brings back, in
  // memory, those whose delay is over.
  using SettledVisitor = std::function<Result<void>(const Settled&)>;
  [[nodiscard]] Result<size_t> run_due(store::Change& change, const SettledVisitor& on_settled);
  // Called in deliver() and run_due() when tasks of a queue may have become ready: after commits,
  // time, acks that made room. It begins no change.
  void on_ready(std::function<void(std::string_view queue)> wake);

  // --- What is there.
  void each(const std::function<void(const QueueStats&)>& visit) const;
  [[nodiscard]] std::optional<QueueStats> stats(std::string_view queue) const;
  // The last row that could not be read and was passed over.
  [[nodiscard]] std::optional<Error> trouble() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace limpet::dispatch
