#pragma once

// Moves: what a change of the queues does to memory, so that it can be taken back, or happens when
// it is on disk. Private to Queues. [main]

#include <algorithm>
#include <vector>

#include "dispatch/queue_types.hpp"
#include "store/keys.hpp"

namespace limpet::dispatch {

// One thing that a change does to memory.
struct Move {
  enum class Kind : uint8_t {
    enqueued,    // a new row; `behind`: the cursor has passed its place
    in_group,    // a new task that waits for its group
    acked,       // out of flight, gone
    died,        // the same, to the dead letters
    given_back,  // out of flight, ready again at wake_at (0: at once)
    redriven,    // from the dead letters to its place
    regrouped,   // from the dead letters to its group, where it waits
    dead_left,   // from the dead letters, gone
    promoted,    // the next of a group: a new row
    state_set,
    duplicate,  // only counted
  };
  Kind kind = Kind::enqueued;
  bool was_leased = false;
  bool behind = false;
  enum class Leave : uint8_t { asked, made_room, replaced };
  Leave leave = Leave::asked;  // why a dead letter leaves
  QueueState state_before = QueueState::open;
  store::DeathReason reason = store::DeathReason::rejected;
  Failure failure = Failure::transient;
  bool lease_ended = false;
  uint64_t change = 0;
  Sequence task;
  store::ReadyPlace place;
  store::StoreMs wake_at = 0;
  store::StoreMs expires_at = 0;
};

// Moves on their way to the disk, in order; their memory is used again.
class MoveLine {
 public:
  void push(const Move& move) { moves_.push_back(move); }
  [[nodiscard]] bool empty() const { return first_ == moves_.size(); }
  [[nodiscard]] const Move& front() const { return moves_[first_]; }
  void pop() {
    if (++first_ < moves_.size() && first_ < compact_at) return;
    moves_.erase(moves_.begin(), moves_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

 private:
  static constexpr size_t compact_at = 1024;
  std::vector<Move> moves_;
  size_t first_ = 0;
};

// Timer rows of one kind: all before `from` were seen; the next one is not before `next`.
struct TimerCursor {
  store::StoreMs from = 0;
  uint64_t from_task = 0;
  store::StoreMs next = 0;

  // There is one at `at`, which may be behind the cursor.
  void look_at(store::StoreMs at) {
    next = std::min(next, at);
    if (at >= from) return;
    from = at;
    from_task = 0;
  }
  [[nodiscard]] bool passed(store::StoreMs at, Sequence task) const {
    return at < from || (at == from && task.value() < from_task);
  }
};

}  // namespace limpet::dispatch
