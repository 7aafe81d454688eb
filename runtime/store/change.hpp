#pragma once

// Change: what one step of the runtime does to the store, all of it or none. It is built on main,
// handed to the writer as bytes, and answered when it is on disk.
// Owner: whoever builds it, then the store. Thread: [main] while built, [store] while applied.
//
// Sequences are given out on main when an event is appended, because the writer commits changes in
// the order of their submission: an id is known before its commit and used in the same change, and
// no sequence is ever skipped. That is why only one Change may be open at a time.

#include <cstdint>
#include <functional>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/event.hpp"
#include "store/hot_record.hpp"
#include "store/keys.hpp"

namespace limpet::store {

enum class OperationKind : uint8_t { put = 1, erase = 2, append = 3 };

struct Operation {
  OperationKind kind;
  ByteSpan key;
  ByteSpan value;
};

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

  // Called on main, once: when the change is on disk, or with the reason why it will never be.
  void on_done(std::function<void(const Result<void>&)> done) { done_ = std::move(done); }

  [[nodiscard]] HotRecord& hot() LIMPET_LIFETIMEBOUND { return hot_; }
  [[nodiscard]] const HotRecord& hot() const LIMPET_LIFETIMEBOUND { return hot_; }
  // Which state of the store it was built on.
  [[nodiscard]] uint64_t generation() const { return generation_; }
  [[nodiscard]] size_t bytes() const { return operations_.size(); }
  [[nodiscard]] bool empty() const { return operations_.empty(); }

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
    return std::move(operations_);
  }

 private:
  void add(OperationKind kind, ByteSpan key, ByteSpan value);
  // Takes the first operation off `rest`.
  static Operation take(ByteSpan& rest);

  HotRecord hot_;
  uint64_t generation_;
  ByteVector operations_;
  std::function<void(const Result<void>&)> done_;
};

}  // namespace limpet::store
