#pragma once

// Change: what one step of the runtime does to the store, all of it or none. It is built on main,
// handed to the writer as bytes, and answered when it is on disk.
// Owner: whoever builds it, then the store. Thread: [main] while built, [store] while applied.
//
// Sequences are given out on main when an event is appended, because the writer commits changes in
// the order of their submission: an id is known before its commit and used in the same change, and
// no sequence is ever skipped. That is why only one Change may be open at a time.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/event.hpp"
#include "store/hot_record.hpp"
#include "store/keys.hpp"

namespace limpet::store {

enum class OperationKind : uint8_t { put = 1, erase = 2, append = 3, trim = 4 };

struct Operation {
  OperationKind kind;
  ByteSpan key;
  ByteSpan value;
};

// A record of the log, as far as its removal goes.
struct LogRecord {
  Sequence sequence;
  size_t bytes = 0;
  uint8_t retention_class = 0;
};

inline constexpr size_t releases_noted_max = 4;  // of one change

class Change {
 public:
  // `buffer` is where it is built: empty, perhaps with room.
  Change(const HotRecord& hot, uint64_t generation, ByteVector buffer)
      : hot_(hot), generation_(generation), operations_(std::move(buffer)) {}

  // Gives the event the next sequence and encodes it. Errors: as codec::encode_event; the change is
  // unchanged then. `event.sequence` is ignored.
  [[nodiscard]] Result<Sequence> append(const EventView& event);
  void put(const Key& key, ByteSpan value) { add(OperationKind::put, key.bytes(), value); }
  void erase(const Key& key) { add(OperationKind::erase, key.bytes(), {}); }
  // Takes an event out of the log and its counters. REQUIRES: it is there, and nobody owns it.
  void trim(const LogRecord& record);
  // With this change something lets go of an event that it owned: a task that is gone, an event
  // that was decided on, a run that ended. If the event's class was trimmed past it, it leaves soon
  // after the commit; otherwise when its class gets there. Not noting it only makes that later.
  void release(Sequence event) {
    if (releases_ < releases_noted_max) {
      released_[releases_++] = event;
    } else if (unnoted_.none() || event < unnoted_) {
      unnoted_ = event;
    }
  }
  [[nodiscard]] std::span<const Sequence> released() const {
    return std::span(released_).first(releases_);
  }
  // The first of those released that found no room to be noted; none: all are.
  [[nodiscard]] Sequence released_unnoted() const { return unnoted_; }

  // Called on main, once: when the change is on disk, or with the reason why it will never be.
  void on_done(std::function<void(const Result<void>&)> done) { done_ = std::move(done); }

  [[nodiscard]] HotRecord& hot() LIMPET_LIFETIMEBOUND { return hot_; }
  [[nodiscard]] const HotRecord& hot() const LIMPET_LIFETIMEBOUND { return hot_; }
  // Which state of the store it was built on.
  [[nodiscard]] uint64_t generation() const { return generation_; }
  [[nodiscard]] size_t bytes() const { return operations_.size(); }
  // Rows put or erased, each in a page of its own at worst; events share the log's last pages.
  [[nodiscard]] size_t rows() const { return rows_; }
  // false: it only erases, and the store holds less after it.
  [[nodiscard]] bool adds() const { return adds_; }
  [[nodiscard]] bool erases() const { return erases_; }
  [[nodiscard]] bool empty() const { return operations_.empty(); }

  // Nobody waits for this change: Store::submit_relaxed.
  void relax() { relaxed_ = true; }
  [[nodiscard]] bool relaxed() const { return relaxed_; }

  // In order of addition; stops at the first error of `visit`. [store, no-alloc]
  template <class Visitor>
  [[nodiscard]] Result<void> for_each(Visitor visit) const {
    ByteSpan rest(operations_);
    while (!rest.empty()) {
      const Operation operation = take(rest);
      LIMPET_CHECK(visit(operation));
    }
    return {};
  }

  void finish(const Result<void>& result) {
    if (done_) done_(result);
  }
  // The buffer for another change; this one is over.
  [[nodiscard]] ByteVector take_buffer() {
    operations_.clear();
    rows_ = 0;
    adds_ = false;
    erases_ = false;
    return std::move(operations_);
  }

 private:
  void add(OperationKind kind, ByteSpan key, ByteSpan value);
  // Takes the first operation off `rest`.
  static Operation take(ByteSpan& rest);

  HotRecord hot_;
  uint64_t generation_;
  ByteVector operations_;
  size_t rows_ = 0;
  bool adds_ = false;
  bool erases_ = false;
  std::array<Sequence, releases_noted_max> released_{};
  size_t releases_ = 0;
  Sequence unnoted_;
  Sequence trimmed_end_;      // behind the last one trimmed
  size_t trimmed_bytes_ = 0;  // of neighbours, not yet among rows_
  bool relaxed_ = false;
  std::function<void(const Result<void>&)> done_;
};

}  // namespace limpet::store
