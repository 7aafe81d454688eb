#include "dispatch/lane.hpp"

#include <algorithm>
#include <functional>

#include "base/check.hpp"

namespace limpet::dispatch {

namespace {

store::Key key_of(const store::Lane& lane, const Spot& spot) {
  return store::ready_key({lane, spot.ready_at, spot.task});
}

}  // namespace

// What one scan has found; RowVisitor keeps two pointers without a heap.
struct Lane::Fill {
  Lane& lane;
  const LaneView& view;
  bool stopped = false;

  bool take(ByteSpan key, ByteSpan value) {
    const std::optional<store::ReadyPlace> place = store::parse_ready_key(key);
    if (!place) return true;  // damaged: `limpet doctor` tells of it
    if (place->ready_at > view.horizon) {
      lane.due_ = place->ready_at;
      stopped = true;
      return false;
    }
    lane.cursor_ = {place->ready_at, place->ticket + 1};
    const std::optional<store::TaskState> state = store::parse_task_state(value);
    if (!state || state->not_before > view.now) return true;  // its wake row brings it back
    if (view.in_flight.contains(Sequence(place->ticket))) return true;
    lane.ahead_.push_back({{place->ready_at, place->ticket}, *state});
    stopped = lane.ahead_.size() == ahead_max;
    return !stopped;
  }
};

Result<void> Lane::fill(const LaneView& view) {
  ahead_.clear();
  ahead_.reserve(ahead_max);
  ahead_first_ = 0;
  Fill fill{*this, view};
  LIMPET_CHECK(
      view.snapshot.scan(key_of(name_, cursor_), store::lane_key(name_),
                         [&fill](ByteSpan key, ByteSpan value) { return fill.take(key, value); }));
  if (!fill.stopped) due_ = never;
  return {};
}

// Takes the smallest returned place; true: it is the head now.
Result<bool> Lane::pick_returned(const LaneView& view) {
  std::ranges::pop_heap(returned_, std::greater<>());
  const Spot spot = returned_.back();
  returned_.pop_back();
  if (view.in_flight.contains(Sequence(spot.task))) return false;
  LIMPET_TRY(const std::optional<ByteSpan> row, view.snapshot.get(key_of(name_, spot)));
  if (!row) return false;
  const std::optional<store::TaskState> state = store::parse_task_state(*row);
  if (!state || state->not_before > view.now) return false;
  head_ = LaneRow{spot, *state};
  return true;
}

Result<const LaneRow*> Lane::head(const LaneView& view) {
  while (!head_) {
    if (ahead_first_ == ahead_.size() && due_ <= view.horizon) LIMPET_CHECK(fill(view));
    const bool ahead = ahead_first_ < ahead_.size();
    if (!returned_.empty() && (!ahead || returned_.front() < ahead_[ahead_first_].spot)) {
      LIMPET_TRY(const bool picked, pick_returned(view));
      static_cast<void>(picked);
      continue;
    }
    if (!ahead) return static_cast<const LaneRow*>(nullptr);
    head_ = ahead_[ahead_first_++];
  }
  return static_cast<const LaneRow*>(&*head_);
}

Result<std::optional<LaneRow>> Lane::oldest(const LaneView& view) {
  std::optional<LaneRow> first;
  const store::Key prefix = store::lane_key(name_);
  LIMPET_CHECK(view.snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<store::ReadyPlace> place = store::parse_ready_key(key);
    const std::optional<store::TaskState> state = store::parse_task_state(value);
    if (!place || !state || view.in_flight.contains(Sequence(place->ticket))) return true;
    first = LaneRow{{place->ready_at, place->ticket}, *state};
    return false;
  }));
  return first;
}

void Lane::take_head() {
  LIMPET_ASSERT(head_);
  head_.reset();
}

void Lane::give_back(const Spot& spot) {
  if (spot >= cursor_) return arrived(spot.ready_at);
  const bool before_head = head_ && spot < head_->spot;
  if (returned_.size() + 1 + size_t{before_head} > returned_max) return rewind(spot);
  returned_.push_back(spot);
  std::ranges::push_heap(returned_, std::greater<>());
  if (!before_head) return;
  returned_.push_back(head_->spot);
  std::ranges::push_heap(returned_, std::greater<>());
  head_.reset();
}

void Lane::rewind(Spot to) {
  if (!returned_.empty()) to = std::min(to, returned_.front());
  if (head_) to = std::min(to, head_->spot);
  if (ahead_first_ < ahead_.size()) to = std::min(to, ahead_[ahead_first_].spot);
  returned_.clear();
  head_.reset();
  ahead_.clear();
  ahead_first_ = 0;
  cursor_ = to;
  due_ = to.ready_at;
}

void Lane::forget(const Spot& spot) {
  if (head_ && head_->spot == spot) head_.reset();
  const auto first = ahead_.begin() + static_cast<std::ptrdiff_t>(ahead_first_);
  const auto found =
      std::find_if(first, ahead_.end(), [&spot](const LaneRow& row) { return row.spot == spot; });
  if (found != ahead_.end()) ahead_.erase(found);
}

std::optional<Spot> Lane::first_known() const {
  std::optional<Spot> first;
  const auto consider = [&first](const Spot& spot) {
    first = first ? std::min(*first, spot) : spot;
  };
  if (head_) consider(head_->spot);
  if (ahead_first_ < ahead_.size()) consider(ahead_[ahead_first_].spot);
  if (!returned_.empty()) consider(returned_.front());
  return first;
}

}  // namespace limpet::dispatch
