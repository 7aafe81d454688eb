#include "dispatch/consumer.hpp"

#include <algorithm>

#include "dispatch/consumer_filter.hpp"

namespace limpet::dispatch {

namespace {

// A position that moved because events were given, or only because nothing there was wanted: the
// second repeats nothing when it is forgotten, so flash is spared.
constexpr Duration given_write_interval = seconds(1);
constexpr uint64_t given_write_events = 1000;
constexpr Duration passed_write_interval = seconds(30);

}  // namespace

Consumer::Consumer(ConsumerSettings settings, Sequence next, const std::vector<ClassTypes>& classes)
    : settings_(std::move(settings)),
      classes_(classes),
      next_(std::max(next, Sequence(1))),
      pacer_(settings_.speed_percent),
      written_cursor_(next_) {
  for (const ClassTypes& one : classes_) {
    if (may_want(settings_, one.patterns)) class_numbers_.push_back(one.number);
  }
}

Consumer::Consumer(ConsumerSettings settings, const store::ConsumerRecord& record,
                   const std::vector<ClassTypes>& classes)
    : Consumer(std::move(settings), record.next, classes) {
  paused_ = record.paused;
  if (settings_.ack == AckMode::none) {
    for (const store::LogGap& gap : record.gaps) gap_ = gap;
    return;
  }
  // Given once at least, by whoever wrote this.
  for (const Sequence sequence : record.outstanding) {
    hand_out(sequence, Sequence(), BootTime{});
  }
  for (const store::LogGap& gap : record.gaps) {
    hand_out(Sequence(gap.to.value() - 1), gap.from, BootTime{});
  }
  for (auto& [sequence, pending] : pending_) set_due(sequence, pending, BootTime{});
  delivered_ = 0;
  written_cursor_ = cursor();
}

Sequence Consumer::cursor() const {
  Sequence cursor = gap_ ? gap_->from : next_;
  if (pending_.empty()) return cursor;
  // A gap is known by its end, so the first one is not always the least.
  for (const auto& [sequence, pending] : pending_) {
    if (pending.gap_from.none()) return std::min(cursor, sequence);
    cursor = std::min(cursor, pending.gap_from);
  }
  return cursor;
}

std::optional<BootTime> Consumer::next_due() const {
  if (paused_) return std::nullopt;
  std::optional<BootTime> due = paced_due_;
  if (!due_.empty()) due = std::min(due.value_or(due_.begin()->first), due_.begin()->first);
  return due;
}

Result<std::vector<Sequence>> Consumer::settled_by(store::Store& store,
                                                   std::span<const Sequence> events,
                                                   Sequence upto) {
  if (settings_.ack == AckMode::none) {
    return Error{ErrorCode::invalid, "consumer: it takes no acknowledgements"};
  }
  Sequence last = upto;
  for (const Sequence event : events) last = std::max(last, event);
  if (last >= next_) LIMPET_CHECK(catch_up(store, last));
  std::vector<Sequence> settled;
  for (const auto& [sequence, pending] : pending_) {
    if (sequence > upto) break;
    settled.push_back(sequence);
  }
  for (const Sequence event : events) {
    if (event > upto && pending_.contains(event)) settled.push_back(event);
  }
  std::ranges::sort(settled);
  settled.erase(std::unique(settled.begin(), settled.end()), settled.end());
  return settled;
}

void Consumer::forget(std::span<const Sequence> settled) {
  for (const Sequence sequence : settled) {
    const auto found = pending_.find(sequence);
    if (found == pending_.end()) continue;
    due_.erase({found->second.due, sequence});
    pending_.erase(found);
    ++acked_;
  }
}

void Consumer::give_again(std::span<const Sequence> events, BootTime due) {
  for (const Sequence event : events) {
    const auto found = pending_.find(event);
    if (found != pending_.end()) set_due(event, found->second, due);
  }
}

void Consumer::set_paused(bool paused) {
  paused_ = paused;
  pacer_.restart();
  paced_due_.reset();
}

void Consumer::seek(Sequence next) {
  pending_.clear();
  due_.clear();
  gap_.reset();
  next_ = std::max(next, Sequence(1));
  pacer_.restart();
  paced_due_.reset();
}

// The n-th time it waits 2^(n-1) times as long.
void Consumer::hand_out(Sequence sequence, Sequence gap_from, BootTime now) {
  Pending& pending = pending_.try_emplace(sequence).first->second;
  pending.gap_from = gap_from;
  const int64_t wait_max = std::max(settings_.ack_wait.ns, settings_.backoff_max.ns);
  int64_t wait = settings_.ack_wait.ns;
  for (uint32_t time = 0; time < pending.deliveries && wait < wait_max; ++time) wait *= 2;
  if (pending.deliveries > 0) ++redelivered_;
  ++pending.deliveries;
  ++delivered_;
  set_due(sequence, pending, now + Duration{std::min(wait, wait_max)});
}

void Consumer::set_due(Sequence sequence, Pending& pending, BootTime due) {
  due_.erase({pending.due, sequence});
  pending.due = due;
  due_.emplace(due, sequence);
}

store::ConsumerRecord Consumer::record(std::span<const Sequence> settled) const {
  store::ConsumerRecord record;
  record.type_pattern = settings_.type_pattern;
  record.subject_pattern = settings_.subject_pattern;
  record.run = settings_.run;
  record.start = static_cast<uint8_t>(settings_.start);
  record.pace = static_cast<uint8_t>(settings_.pace);
  record.ack = static_cast<uint8_t>(settings_.ack);
  record.start_sequence = settings_.start_sequence;
  record.start_time = settings_.start_time;
  record.speed_percent = settings_.speed_percent;
  record.in_flight_max = settings_.in_flight_max;
  record.ack_wait_ms = static_cast<uint64_t>(to_ms(settings_.ack_wait));
  record.backoff_max_ms = static_cast<uint64_t>(to_ms(settings_.backoff_max));
  record.paused = paused_;
  record.next = next_;
  if (gap_) record.gaps.push_back(*gap_);
  for (const auto& [sequence, pending] : pending_) {
    if (std::ranges::binary_search(settled, sequence)) continue;
    if (pending.gap_from.none()) {
      record.outstanding.push_back(sequence);
    } else {
      record.gaps.push_back({pending.gap_from, sequence.next()});
    }
  }
  return record;
}

void Consumer::written() {
  written_cursor_ = cursor();
  moved_since_.reset();
  given_unwritten_ = 0;
}

std::optional<BootTime> Consumer::write_due(BootTime now) {
  if (cursor() == written_cursor_) return std::nullopt;
  if (!moved_since_) moved_since_ = now;
  if (given_unwritten_ >= given_write_events) return now;
  return *moved_since_ + (given_unwritten_ > 0 ? given_write_interval : passed_write_interval);
}

Result<ConsumerStats> Consumer::stats(store::Store& store, WallTime now) const {
  ConsumerStats stats;
  stats.name = settings_.name;
  stats.paused = paused_;
  stats.cursor = cursor();
  stats.pending = pending_.size();
  stats.delivered = delivered_;
  stats.redelivered = redelivered_;
  stats.acked = acked_;
  stats.skipped = skipped_;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  LIMPET_TRY(const Sequence first, snapshot.first_event());
  const Sequence end = store.durable_end();
  const Sequence from = std::max(next_, first);
  stats.lag = stats.pending + (from < end ? end.value() - from.value() : 0);
  LIMPET_TRY(const store::EventsRead read,
             snapshot.events(stats.cursor, 1, [&](const EventView& event) {
               if (event.sequence < end && event.time < now) stats.oldest_age = now - event.time;
               return false;
             }));
  static_cast<void>(read);
  return stats;
}

}  // namespace limpet::dispatch
