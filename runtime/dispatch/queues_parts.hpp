#pragma once

// What Queues is made of; private to its .cpp files. Functions that take a Change write down what
// they did in `open`, so that it can be taken back, and happens where it must wait for the disk.

#include <algorithm>

#include "dispatch/groups.hpp"
#include "dispatch/in_flight.hpp"
#include "dispatch/moves.hpp"
#include "dispatch/queue.hpp"
#include "dispatch/queues.hpp"
#include "dispatch/task_keys.hpp"

namespace limpet::dispatch {

// A task that is to leave, or to wait: what its rows need.
struct Subject {
  Sequence task;
  store::ReadyPlace place;
  store::TaskState state = {};
  uint64_t group = 0;
  uint64_t bytes = 0;
  store::StoreMs expires_at = 0;  // that of its expiry row; 0: it has none
  RunId run = {};
  Ordinal step = {};
  bool leased = false;
  bool in_lane = true;  // has a row among the ready ones
};

struct TaskEvent {
  Event event;
  store::TaskFacts facts;  // views into `event`
};

// The event that says how a task ended.
struct End {
  std::string_view type;
  ByteVector data;
};

struct Death {
  store::DeathReason reason = store::DeathReason::rejected;
  uint16_t attempts = 0;
  std::string_view error;
  bool lease_ended = false;
};

struct Queues::Parts {
  explicit Parts(Wiring wiring_given);

  // --- Finding.
  [[nodiscard]] Queue* find(std::string_view name);
  [[nodiscard]] const Queue* find(std::string_view name) const;
  [[nodiscard]] Queue* find(uint16_t number);
  // The lease that `ref` names, if it is the current one. Errors: conflict, not_found; counted.
  [[nodiscard]] Result<Flight*> find_lease(const LeaseRef& ref);
  // nullptr: the log does not have it, or it is not a task's.
  [[nodiscard]] Result<std::unique_ptr<TaskEvent>> read_task(
      const store::Reader::Snapshot& snapshot, Sequence task) const;
  [[nodiscard]] store::StoreMs horizon();
  [[nodiscard]] size_t lane_count() const;

  // --- Loading. (queues_load.cpp)
  [[nodiscard]] Result<void> configure(std::vector<QueueSettings> settings);
  [[nodiscard]] Result<void> read_names(const store::Reader::Snapshot& snapshot);
  [[nodiscard]] Result<void> find_lanes(const store::Reader::Snapshot& snapshot, Queue& queue);
  [[nodiscard]] Result<void> find_timers(const store::Reader::Snapshot& snapshot);

  // --- Producers. (queues_enqueue.cpp)
  [[nodiscard]] Result<Enqueued> enqueue(store::Change& change, Queue& queue, const NewTask& task);
  [[nodiscard]] Result<void> check_room(const store::Change& change, const Queue& queue,
                                        const NewTask& task, uint16_t tenant) const;
  [[nodiscard]] Result<void> make_room(store::Change& change, Queue& queue, uint64_t bytes,
                                       std::vector<Settled>& died);
  void let_go(Queue& queue, const Subject& subject);
  // Appends the event and puts the rows; a new tenant gets its number.
  [[nodiscard]] Result<Sequence> put_task(store::Change& change, Queue& queue, const NewTask& task,
                                          const store::TaskState& state);
  void put_timers(store::Change& change, const Subject& subject);

  // --- Workers. (queues_lease.cpp)
  struct Giving;
  [[nodiscard]] Result<size_t> lease(Queue& queue, const LeaseOptions& options,
                                     const LeaseVisitor& visit);

  // --- Settling. (queues_settle.cpp)
  [[nodiscard]] Result<Settled> ack(store::Change& change, const Flight& flight, ByteSpan result);
  [[nodiscard]] Result<Settled> nack(store::Change& change, const Flight& flight, const Nack& nack,
                                     bool lease_ended);
  [[nodiscard]] Result<void> append_end(store::Change& change, const Queue& queue,
                                        const Subject& subject, const End& end);
  // Out of the queue: rows, counters, group. `park`: its group waits for it.
  [[nodiscard]] Result<void> take_out(store::Change& change, Queue& queue, const Subject& subject,
                                      bool park);
  [[nodiscard]] Result<Settled> die(store::Change& change, Queue& queue, const Subject& subject,
                                    const Death& death);
  // The next of a group, whose `member` is leaving, is put among the ready ones.
  [[nodiscard]] Result<void> promote_next(store::Change& change, const GroupMember& member);
  // Not to be given from now on; undone or finished with the move.
  void hold(const Subject& subject);

  // --- Dead letters. (queues_dead.cpp)
  struct Dead {
    Sequence task;
    Queue* queue = nullptr;
    std::unique_ptr<TaskEvent> event;  // nullptr: it cannot be read
    store::DeadLetter letter;
    bool parked = false;  // its group waits for it
  };
  [[nodiscard]] Result<Dead> find_dead(const store::Reader::Snapshot& snapshot, Sequence task);
  [[nodiscard]] Result<void> remove_dead(store::Change& change, const Dead& dead,
                                         Move::Leave leave);
  [[nodiscard]] Result<void> limit_dead(store::Change& change, Queue& queue);
  [[nodiscard]] Result<Enqueued> redrive(store::Change& change, const Dead& dead);
  [[nodiscard]] Result<Enqueued> replace(store::Change& change, const Dead& dead, ByteSpan payload);

  // --- The change. (queues_moves.cpp)
  void begin_move(const store::Change& change, const Move& move);
  void submitted();
  void dropped();
  void apply_durable();
  void take_back(const Move& move);
  void count(const Move& move);
  void apply(const Move& move);
  void return_lease(Queue& queue, Flight& flight);

  // --- Time. (queues_time.cpp)
  void bring_back();
  [[nodiscard]] Result<bool> bring_back_some();
  [[nodiscard]] Result<size_t> end_leases(store::Change& change, const SettledVisitor& on_settled);
  [[nodiscard]] Result<size_t> expire(store::Change& change, size_t count_max,
                                      const SettledVisitor& on_settled);
  [[nodiscard]] Result<std::vector<store::TaskTimer>> take_timers(store::TaskTimerKind kind,
                                                                  TimerCursor& cursor,
                                                                  size_t count_max);
  [[nodiscard]] Result<bool> expire_one(store::Change& change, const store::TaskTimer& timer,
                                        const SettledVisitor& on_settled);
  void sweep();
  void tell_ready();
  [[nodiscard]] std::optional<store::StoreMs> next_alarm() const;
  void fail(const Error& error) { trouble = error; }

  // Constant after construction.
  const Wiring wiring;

  std::unique_ptr<store::Reader> reader;
  std::vector<std::unique_ptr<Queue>> queues;  // by number less first_user_queue; may be nullptr
  InFlight in_flight;
  Groups groups;
  TaskKeys keys;
  std::function<void(std::string_view)> wake;
  std::optional<Error> trouble;
  uint64_t random = 0;
  uint64_t leases = 0;  // of this incarnation: the counter of tokens

  std::vector<Move> open;  // by the change that is being built
  store::StoreMs open_ms = 0;
  MoveLine on_its_way;
  ByteVector extensions;  // scratch

  TimerCursor wakes;
  TimerCursor expiries;
  std::optional<TimerCursor> expiries_before;  // the change that is being built
  store::StoreMs sweep_at = 0;
};

}  // namespace limpet::dispatch
