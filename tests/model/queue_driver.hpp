#pragma once

// QueueDriver: carries out operations on the real queues and on their model, and compares after
// each one what the contract promises. Owner: a test. Thread: [main].

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/model/lease_check.hpp"
#include "tests/model/operations.hpp"
#include "tests/model/queue_model.hpp"
#include "tests/model/real_queues.hpp"
#include "tests/model/row_audit.hpp"

namespace limpet::testing {

// What happened in a run, so that a test can tell that enough did.
struct DriverCounts {
  uint64_t operations = 0;
  uint64_t enqueued = 0;
  uint64_t refused = 0;
  uint64_t repeats = 0;
  uint64_t leased = 0;
  uint64_t settled = 0;
  uint64_t stale = 0;
  uint64_t deaths = 0;
  uint64_t redriven = 0;
  uint64_t overflowed = 0;
  uint64_t dropped_changes = 0;
  uint64_t crashes = 0;
  uint64_t lost_changes = 0;  // submitted, not answered, and gone after a crash
};

class QueueDriver {
 public:
  struct Options {
    uint32_t world = 0;
    Mistake mistake = Mistake::none;
    bool tells = false;  // keeps a line for each operation
  };
  explicit QueueDriver(const Options& options);

  // The first thing that was wrong; empty: all was well.
  [[nodiscard]] std::string run(const Operations& operations);
  [[nodiscard]] const DriverCounts& counts() const { return counts_; }
  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  // What one call wrote into the change, as far as others could tell of it.
  struct Effects {
    std::vector<uint64_t> died;
    std::vector<uint64_t> buried;  // dead letters that left
  };
  struct Mark {
    size_t operations = 0;
    size_t bytes = 0;
    store::HotRecord hot;
  };

  void step(const Operation& operation);
  void fail(const std::string& what) {
    if (fault_.empty()) fault_ = what;
  }
  void tell(const std::string& line);
  [[nodiscard]] StoreMs now() { return real_.store->now_ms(); }

  // Into a change (queue_driver_acts.cpp).
  void change_act(const Operation& operation);
  void enqueue(Picks a, Picks b);
  void settle_one(const Operation& operation);
  void redrive(Picks a, Picks b);
  void drop_dead(Picks a);
  void set_state(Picks a);
  void take_victims(const std::string& queue, const Effects& effects, size_t bytes);
  void take_buried(const Effects& effects);
  void check_victims(const std::string& what, const dispatch::Enqueued& done);
  [[nodiscard]] bool agrees(const std::string& what, const Judgement& judgement,
                            const std::optional<Error>& error, const Mark& mark);
  [[nodiscard]] Mark mark() const;
  [[nodiscard]] Effects effects_since(const Mark& mark) const;
  [[nodiscard]] LeaseRef pick_lease(Picks& picks) const;
  [[nodiscard]] std::optional<uint64_t> pick_dead(Picks& picks) const;
  [[nodiscard]] std::string pick_queue(Picks& picks) const;
  [[nodiscard]] ByteVector new_payload(size_t size);
  void open_change();
  void end_change(Then then);
  void pump_held();

  // By themselves.
  void lease(const Operation& operation, bool complete);
  void check_leased(const dispatch::LeasedTask& leased, const std::string& queue, StoreMs now);
  void extend(const Operation& operation);
  void move_time(Picks a, Picks b);
  void move_wall(Picks a, Picks b);
  void late_lease(const Operation& operation);
  void list_dead(Picks a);
  void check_letter(const dispatch::DeadTask& shown);
  void reload();
  void crash(Picks a);
  void reopen();
  void release_foreign_leases();
  [[nodiscard]] std::optional<StoreMs> next_event();

  // Everything is made durable, known and compared.
  void come_to_rest();
  void check_rest();
  void check_rows_against_model(const RowAudit& audit);
  void check_task(const ModelTask& task, uint64_t id, const AuditedTask& row);
  void adopt(const RowAudit& audit);
  void check_stats();
  void check_counts(const dispatch::QueueStats& stats, const ModelQueue& queue);
  void check_settled();
  void check_alarms();
  void note_waiting(const std::string& name, StoreMs now_ms);
  void check_wakes();
  void check_log();

  RealQueues real_;
  QueueModel model_;
  QueueModel saved_;    // before the open change
  QueueModel durable_;  // when the writer was held
  LeaseCheck leases_;
  const Options options_;
  uint32_t variant_ = 0;
  std::optional<store::Change> change_;
  size_t change_acts_ = 0;
  StoreMs rested_at_ = 0;             // of the last comparison
  std::set<std::string> waited_for_;  // queues whose workers want more and wait
  std::vector<LeaseRef> old_leases_;  // all that there ever were
  std::set<uint64_t> tokens_;
  uint64_t token_last_ = 0;
  uint32_t payloads_ = 0;
  DriverCounts counts_;
  std::string fault_;
  std::string story_;
};

// One run; its fault, or empty.
[[nodiscard]] std::string run_operations(uint32_t world, const Operations& operations,
                                         Mistake mistake);

}  // namespace limpet::testing
