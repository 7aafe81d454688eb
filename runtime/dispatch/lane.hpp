#pragma once

// Lane: hands out the tasks of one (queue, tenant, priority) in the order of their places.
// Owner: a Queue. Thread: [main]. Fails with: io.
// Limits: ahead_max places read ahead, returned_max behind the cursor; a scan reads what it hands
// out and skips what is in flight or waits after a failure.
//
// A cursor goes along the rows once; what comes back behind it (a failed attempt, a lease that
// ended, a redrive, a group's next) waits in a heap. A heap that is full is emptied by setting the
// cursor back to the smallest place: nothing is forgotten, the rows are read once more.
//
// Why the cursor cannot pass over a row that is still on its way to the disk: see ready_queue.hpp;
// a place is never smaller than the store time of the change that makes it, and the cursor stays
// behind the horizon, up to which all changes are on disk.
//
// A lane may be forgotten at any time: a new one begins at the first row and is right again.

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "dispatch/in_flight.hpp"
#include "store/reader.hpp"

namespace limpet::dispatch {

inline constexpr size_t returned_max = 1024;
inline constexpr size_t ahead_max = 32;

// A place within a lane.
struct Spot {
  store::StoreMs ready_at = 0;
  uint64_t task = 0;
  friend auto operator<=>(const Spot&, const Spot&) = default;
};

struct LaneRow {
  Spot spot;
  store::TaskState state;
};

// What a lane looks at. The snapshot is newer than everything that was taken out of `in_flight`.
struct LaneView {
  const store::Reader::Snapshot& snapshot;
  const InFlight& in_flight;
  store::StoreMs horizon = 0;
  store::StoreMs now = 0;
};

class Lane {
 public:
  static constexpr store::StoreMs never = UINT64_MAX;

  // `due`: when its first row is ready; 0 when that is not known.
  explicit Lane(const store::Lane& name, store::StoreMs due) : name_(name), due_(due) {}

  // The first task that may be given; nullptr: none. Valid until the lane is changed.
  [[nodiscard]] Result<const LaneRow*> head(const LaneView& view);
  // The same of all that are on disk, ready or not. For overflow: it may read far.
  [[nodiscard]] Result<std::optional<LaneRow>> oldest(const LaneView& view);
  // The head was given. REQUIRES: head() answered it.
  void take_head();

  // A row has become visible that is not behind the cursor.
  void arrived(store::StoreMs ready_at) { due_ = std::min(due_, ready_at); }
  // A row may be given that perhaps is behind the cursor.
  void give_back(const Spot& spot);
  // The task is dying: it is not to be read ahead any more.
  void forget(const Spot& spot);
  [[nodiscard]] bool behind_cursor(const Spot& spot) const { return spot < cursor_; }

  // When head() may have an answer: 0 now, `never` until something arrives.
  [[nodiscard]] store::StoreMs due() const { return holds_rows() ? 0 : due_; }
  // The smallest place known, for statistics; nullopt: not read yet, or nothing.
  [[nodiscard]] std::optional<Spot> first_known() const;
  [[nodiscard]] store::Key next_key() const {
    return store::ready_key({name_, cursor_.ready_at, cursor_.task});
  }
  [[nodiscard]] const store::Lane& name() const { return name_; }

 private:
  struct Fill;
  [[nodiscard]] bool holds_rows() const {
    return head_ || ahead_first_ < ahead_.size() || !returned_.empty();
  }
  [[nodiscard]] Result<void> fill(const LaneView& view);
  [[nodiscard]] Result<bool> pick_returned(const LaneView& view);
  void rewind(Spot to);

  const store::Lane name_;
  Spot cursor_;  // the next row to read
  store::StoreMs due_;
  std::optional<LaneRow> head_;
  std::vector<LaneRow> ahead_;  // read and not given; from ahead_first_ on
  size_t ahead_first_ = 0;
  std::vector<Spot> returned_;  // a heap, the smallest first
};

}  // namespace limpet::dispatch
