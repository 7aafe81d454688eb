#pragma once

// Trimmer: takes events out of the log that nobody needs any more, a bounded piece at a time.
// Owner: the daemon's retention, which says what is to go. Thread: [main].
// Fails with: busy (the writer has too much; nothing was changed, try again), closed, io, corrupt.
// Limits: a piece looks at trim_records_max records or a share of the room that is left, at
// trim_inbox_rows_max rows of inboxes, and deletes at most that and trim_run_rows_max rows of runs,
// in one change.
//
// It never copies and never moves anything: it walks a class from its `first` on and deletes what
// is of that class and not owned. Owned are
//   - the payload of a task that is ready, delayed, leased, in a group or dead,
//   - an event in the inbox of a run,
//   - the first event of a run that has not ended, or has steps open.
// What is owned stays behind `first`; whoever lets go of it says so with Change::release, and it
// leaves with one of the next pieces. A crash forgets what was let go of, so a slow walk over what
// is behind (sweep) finds it.
//
// Why the answer "not owned" holds until the deletion is committed: an event and what owns it are
// written in one change, and afterwards the log is only read. So nothing that is on disk without an
// owner gets one, except that a run's inbox may go to a successor; its id is higher, and inboxes
// are looked at in the order of ids.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace limpet::store {

inline constexpr uint32_t trim_records_max = 1024;
inline constexpr size_t trim_bytes_max =
    1024 * 1024;  // of records looked at; less where room is short
inline constexpr size_t trim_inbox_rows_max = 4096;
inline constexpr size_t trim_run_rows_max = 1024;

struct TrimGoal {
  uint8_t retention_class = 0;
  uint64_t bytes = 0;       // that many bytes of the class are to go
  WallTime older_than;      // and all of it from before this; zero: none for its age
  WallTime now;             // times after it are not believed
  Sequence floor;           // some consumer still has to read this one and those after it
  bool past_floor = false;  // delete them all the same
};

// What left although a consumer had not read it.
struct Unread {
  uint64_t events = 0;
  uint64_t bytes = 0;
  Sequence first;
  Sequence last;
};

enum class TrimState : uint8_t {
  more,  // call again: at once, or after the change that is on its way
  done,  // the goal is reached
  held,  // what is left of the class is owned, held by the floor, or not yet on disk
};

struct TrimStep {
  TrimState state = TrimState::done;
  // Whose piece it was; classes_max: one of what was let go of.
  uint8_t retention_class = classes_max;
  bool submitted = false;  // a change is on its way; its commit is a good time for the next step
  uint64_t events = 0;     // that leave with it
  uint64_t bytes = 0;
  Unread unread{};
  WallTime next_old{};  // the time of the first event that was too young; zero: not known
};

class Trimmer {
 public:
  // `in_use`: memory holds more of this run than the disk does; nothing of it may go. Empty: none.
  // `store` outlives the trimmer; changes on their way are answered to it.
  Trimmer(Store& store, std::function<bool(RunId)> in_use);

  // One piece towards the goal. A piece that was begun for another goal is finished first.
  [[nodiscard]] Result<TrimStep> trim(const TrimGoal& goal);
  // One piece of what was let go of behind `first`. done: there is nothing, as far as is known.
  [[nodiscard]] Result<TrimStep> sweep();
  // The next sweeps walk over everything that is behind.
  void begin_full_sweep();
  [[nodiscard]] bool sweep_due() const { return sweeping_ || !released_.empty(); }
  // Takes over what the store knows to be let go of. Call it after deliveries.
  void collect_released();

  [[nodiscard]] size_t changes_in_flight() const { return in_flight_; }
  // Of records whose deletion is on its way: the store's used_bytes still counts them.
  [[nodiscard]] uint64_t bytes_in_flight() const { return bytes_in_flight_; }
  // Records that could not be read when they should have gone; they stay.
  [[nodiscard]] uint64_t damaged() const { return damaged_; }

 private:
  struct Candidate {
    LogRecord record;
    bool run_created = false;
    bool unread = false;
    bool owned = false;
  };
  // A piece of work between its steps.
  struct Pass {
    enum class Kind : uint8_t { trim, released, full } kind = Kind::trim;
    uint8_t retention_class = 0;
    std::vector<Candidate> candidates;  // in order of sequence
    Sequence next;                      // everything of the class before it was looked at
    bool kept = false;                  // something of the class before it is owned
    TrimState state = TrimState::more;  // once it is committed
    WallTime next_old;
    RunId inbox_run;  // inboxes of runs before it were looked at
  };
  class Look;

  [[nodiscard]] Result<TrimStep> advance();
  [[nodiscard]] Result<void> look_trim(const TrimGoal& goal, Sequence from);
  [[nodiscard]] Result<void> probe(const TrimGoal& goal, Sequence from);
  [[nodiscard]] Result<void> look_released();
  [[nodiscard]] Result<void> look_full();
  [[nodiscard]] Result<bool> scan_inboxes();
  [[nodiscard]] Result<bool> owned(const Reader::Snapshot& snapshot, const EventView& event) const;
  [[nodiscard]] Result<TrimStep> finish();
  [[nodiscard]] Result<bool> fill(Change& change, Pass& pass, TrimStep& step);
  [[nodiscard]] Result<void> hand_over(Change change, uint64_t bytes);
  [[nodiscard]] Result<bool> erase_run(const Reader::Snapshot& snapshot, Change& change, RunId run,
                                       size_t& rows_left) const;
  void put_back(const Pass& pass);
  void pass_done(const Pass& pass);
  [[nodiscard]] size_t piece_bytes() const;
  [[nodiscard]] Sequence place_of(uint8_t retention_class) const;

  Store& store_;
  const std::function<bool(RunId)> in_use_;
  std::optional<Pass> pass_;
  // Beyond the class's `first` there was nothing of it up to here; forgotten at a restart.
  std::array<Sequence, classes_max> looked_{};
  // Beyond `first` no event had a time that can be believed up to here.
  std::array<Sequence, classes_max> probed_{};
  std::array<Sequence, classes_max> old_before_{};  // of those, these are old
  std::vector<Sequence> released_;                  // to be looked at
  Sequence sweep_next_;
  bool sweeping_ = false;
  // The next piece must not see the state before the changes on their way.
  bool alone_ = false;
  size_t in_flight_ = 0;
  uint64_t bytes_in_flight_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace limpet::store
