// How a Consumer reads the log: what is due again, what is new, and what is missing.

#include <algorithm>

#include "dispatch/consumer.hpp"
#include "dispatch/consumer_filter.hpp"

namespace limpet::dispatch {

// One fetch.
struct Consumer::Fetching {
  const store::Reader::Snapshot& snapshot;
  const store::HotRecord& hot;
  const Sequence log_end;  // what the reader sees may be ahead of what main has been told
  const FetchLimits& wanted;
  const GivenVisitor& visit;
  FetchEnd end;
};

// One reading of up to read_records_max records.
struct Consumer::Pass {
  bool stopped = false;                   // by the visitor, the limits or the pace
  bool at_end = false;                    // of what is told to be durable
  std::optional<store::LogGap> unwanted;  // missing, and of classes that it does not want
};

bool Consumer::room(const Fetching& fetching) const {
  if (fetching.end.given >= fetching.wanted.events_max) return false;
  return settings_.ack == AckMode::none || pending_.size() < settings_.in_flight_max;
}

Result<FetchEnd> Consumer::fetch(store::Store& store, const FetchLimits& wanted,
                                 const GivenVisitor& visit) {
  if (paused_) return FetchEnd{};
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  Fetching fetching{snapshot, store.newest(), store.durable_end(), wanted, visit, {}};
  LIMPET_TRY(bool going, repeat(fetching));
  size_t records = 0;
  for (; going && next_ < fetching.log_end && records < fetch_records_max;
       records += limits::read_records_max) {
    LIMPET_TRY(going, read_on(fetching));
  }
  if (going && next_ >= fetching.log_end && gap_ && room(fetching)) {
    static_cast<void>(give_gap(fetching));
  }
  fetching.end.more = going && next_ < fetching.log_end;
  fetching.end.next_due = next_due();
  return fetching.end;
}

// What was not acknowledged in time, oldest first. False: no more in this fetch.
Result<bool> Consumer::repeat(Fetching& fetching) {
  while (!due_.empty() && due_.begin()->first <= fetching.wanted.now) {
    if (fetching.end.given >= fetching.wanted.events_max) return false;
    LIMPET_TRY(const bool taken, repeat_one(fetching, due_.begin()->second));
    if (!taken) return false;
  }
  return true;
}

Result<bool> Consumer::repeat_one(Fetching& fetching, Sequence sequence) {
  const Pending& pending = pending_.find(sequence)->second;
  const uint32_t delivery = pending.deliveries + 1;
  Sequence gap_from = pending.gap_from;
  bool taken = false;
  if (gap_from.none()) {
    bool found = false;
    const auto see_it = [&](const EventView& event) {
      found = event.sequence == sequence;
      taken = found && fetching.visit(event, delivery);
      return false;
    };
    LIMPET_TRY(const store::EventsRead read, fetching.snapshot.events(sequence, 1, see_it));
    static_cast<void>(read);
    // Trimmed while it was outstanding.
    if (!found) gap_from = sequence;
  }
  if (!gap_from.none()) {
    const store::GapEvent gap({gap_from, sequence.next()}, sequence);
    taken = fetching.visit(gap.view(), delivery);
  }
  if (!taken) return false;
  if (gap_from != pending.gap_from) ++skipped_;
  hand_out(sequence, gap_from, fetching.wanted.now);
  ++fetching.end.given;
  return true;
}

// New events. False: no more in this fetch.
Result<bool> Consumer::read_on(Fetching& fetching) {
  paced_due_.reset();
  if (!room(fetching)) return false;
  Pass pass;
  const auto see_it = [&](const EventView& event) { return see(fetching, pass, event); };
  const auto count_max = static_cast<uint32_t>(limits::read_records_max);
  LIMPET_TRY(const store::EventsRead read, fetching.snapshot.events(next_, count_max, see_it));
  // One of what seemed unwanted was damaged, and nobody knows what it was: say it.
  if (read.corrupt > 0 && pass.unwanted) add_gap(*pass.unwanted);
  if (pass.stopped) return false;
  const bool all_read = pass.at_end || read.visited + read.corrupt < count_max;
  const Sequence to = all_read ? fetching.log_end : std::min(read.next, fetching.log_end);
  if (next_ >= to) return true;
  if (read.corrupt > 0) {
    add_gap({next_, to});
    next_ = to;
  } else {
    pass_hole(fetching.hot, pass, to);
  }
  return true;
}

// One stored event at or after next_. False: stop reading.
bool Consumer::see(Fetching& fetching, Pass& pass, const EventView& event) {
  if (event.sequence >= fetching.log_end) {
    pass.at_end = true;
    return false;
  }
  if (event.sequence > next_) pass_hole(fetching.hot, pass, event.sequence);
  if (!wants(settings_, event)) {
    next_ = event.sequence.next();
    return true;
  }
  const BootTime now = fetching.wanted.now;
  pass.stopped = true;  // unless it is taken
  if (gap_ && !give_gap(fetching)) return false;
  if (!room(fetching)) return false;
  if (settings_.pace == Pace::original && pacer_.due(event.time, now) > now) {
    paced_due_ = pacer_.due(event.time, now);
    return false;
  }
  if (!fetching.visit(event, 1)) return false;
  pass.stopped = false;
  next_ = event.sequence.next();
  pacer_.given(event.time, now);
  ++fetching.end.given;
  if (settings_.ack == AckMode::explicit_each) {
    hand_out(event.sequence, Sequence(), now);
  } else {
    ++delivered_;
    ++given_unwritten_;
  }
  return true;
}

bool Consumer::give_gap(Fetching& fetching) {
  const store::LogGap gap = *gap_;
  const Sequence last(gap.to.value() - 1);
  const store::GapEvent event(gap, last);
  if (!fetching.visit(event.view(), 1)) return false;
  gap_.reset();
  ++fetching.end.given;
  if (settings_.ack == AckMode::explicit_each) {
    hand_out(last, gap.from, fetching.wanted.now);
  } else {
    ++delivered_;
    ++given_unwritten_;
  }
  return true;
}

// [next_, to) is not stored. Of classes that it does not want, as far as the classes tell, that is
// nothing to it.
void Consumer::pass_hole(const store::HotRecord& hot, Pass& pass, Sequence to) {
  const store::LogGap hole{next_, to};
  next_ = to;
  const auto trimmed = [&](uint8_t number) {
    return number >= hot.classes.size() || hot.classes[number].first > hole.from;
  };
  if (classes_.empty() || std::ranges::any_of(class_numbers_, trimmed)) return add_gap(hole);
  pass.unwanted = store::LogGap{pass.unwanted ? pass.unwanted->from : hole.from, hole.to};
}

void Consumer::add_gap(store::LogGap gap) {
  skipped_ += gap.to.value() - gap.from.value();
  gap_ = gap_ ? store::LogGap{std::min(gap_->from, gap.from), std::max(gap_->to, gap.to)} : gap;
}

// Who acknowledges what this process has not given was given it by an earlier one, which died
// before it could say so. What stands before it becomes outstanding.
Result<void> Consumer::catch_up(store::Store& store, Sequence sequence) {
  const Error never{ErrorCode::conflict, "consumer: this event was never given"};
  const Sequence log_end = store.durable_end();
  if (sequence >= log_end) return never;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  const GivenVisitor nobody = [](const EventView&, uint32_t) { return true; };
  // At a time when everything is due; then what came in is due at once.
  const FetchLimits everything{UINT32_MAX, BootTime{UINT64_MAX / 2}};
  Fetching fetching{snapshot, store.newest(), sequence.next(), everything, nobody, {}};
  const Sequence from = next_;
  Result<bool> going = true;
  for (size_t records = 0; going.ok() && *going && next_ <= sequence && records < fetch_records_max;
       records += limits::read_records_max) {
    going = read_on(fetching);
  }
  for (auto one = pending_.lower_bound(from); one != pending_.end(); ++one) {
    set_due(one->first, one->second, BootTime{});
  }
  pacer_.restart();
  if (!going.ok()) return going.error();
  return next_ > sequence ? Result<void>() : never;
}

}  // namespace limpet::dispatch
