#pragma once

// BoundedQueue: a ring of at most `capacity` values that never grows. Not thread-safe: its owner's
// thread, or under its owner's mutex. push() on a full queue answers false and changes nothing: the
// caller says what happens then.

#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace limpet {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : slots_(capacity) { LIMPET_ASSERT(capacity > 0); }

  [[nodiscard]] bool push(T value) {
    if (count_ == slots_.size()) return false;
    slots_[(head_ + count_) % slots_.size()] = std::move(value);
    ++count_;
    return true;
  }

  // REQUIRES: !empty().
  T pop() {
    LIMPET_ASSERT(count_ > 0);
    T value = std::exchange(slots_[head_], T{});
    head_ = (head_ + 1) % slots_.size();
    --count_;
    return value;
  }

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ == slots_.size(); }
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t capacity() const { return slots_.size(); }

 private:
  std::vector<T> slots_;
  size_t head_ = 0;
  size_t count_ = 0;
};

}  // namespace limpet
