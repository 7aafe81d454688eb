#pragma once

// StrongId: an integer that cannot be mistaken for another one. [any, no-alloc]
//
//   using Sequence = StrongId<struct SequenceTag, uint64_t>;
//   Sequence next = last.next();          // no arithmetic beyond what ids need

#include <compare>
#include <cstdint>
#include <functional>

namespace limpet {

template <class Tag, class Integer = uint64_t>
class StrongId {
 public:
  using integer_type = Integer;

  constexpr StrongId() = default;
  explicit constexpr StrongId(Integer value) : value_(value) {}

  [[nodiscard]] constexpr Integer value() const { return value_; }
  // Zero is "none" in every id of ours; records and counters start at one.
  [[nodiscard]] constexpr bool none() const { return value_ == 0; }
  [[nodiscard]] constexpr StrongId next() const {
    return StrongId(static_cast<Integer>(value_ + 1));
  }
  [[nodiscard]] constexpr StrongId plus(Integer count) const {
    return StrongId(static_cast<Integer>(value_ + count));
  }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Integer value_ = 0;
};

}  // namespace limpet

template <class Tag, class Integer>
struct std::hash<limpet::StrongId<Tag, Integer>> {
  size_t operator()(limpet::StrongId<Tag, Integer> id) const noexcept {
    return std::hash<Integer>{}(id.value());
  }
};
