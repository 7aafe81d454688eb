#include <algorithm>
#include <utility>

#include "codec/records.hpp"
#include "store/task_record.hpp"
#include "store/trim.hpp"

namespace limpet::store {

namespace {

Sequence end_of(const HotRecord& hot) {
  return std::ranges::max_element(hot.classes, {}, &ClassCount::first)->first;
}

}  // namespace

// What one walk along the log finds for a goal.
class Trimmer::Look {
 public:
  Look(const TrimGoal& goal, Sequence old_before) : goal_(goal), old_before_(old_before) {}

  // False: the walk is over. `next` is where the following one begins.
  [[nodiscard]] bool wants(const EventView& event) {
    next = event.sequence;
    if (event.retention_class != goal_.retention_class) return pass_over(event);
    if (!goal_.past_floor && event.sequence >= goal_.floor) return stop(TrimState::held);
    if (bytes < goal_.bytes) return true;
    if (goal_.older_than.ns == 0) return stop(TrimState::done);
    const bool known = plausible(event.time) && event.time <= goal_.now;
    if (known && event.time >= goal_.older_than) {
      next_old = event.time;
      return stop(TrimState::done);
    }
    if (known) old_before_ = std::max(old_before_, event.sequence.next());
    by_age_ = by_age_.none() ? event.sequence : by_age_;
    return true;
  }
  void take(Candidate candidate) {
    if (!candidate.owned) bytes += candidate.record.bytes;
    next = candidate.record.sequence.next();
    candidates.push_back(candidate);
  }
  // An event whose time nobody knows goes with the next one whose time is known to be old.
  void leave_unknown() {
    if (by_age_.none()) return;
    const Sequence end = std::max(by_age_, old_before_);
    const auto left = std::ranges::find_if(
        candidates, [end](const Candidate& one) { return one.record.sequence >= end; });
    if (left == candidates.end()) return;
    next = left->record.sequence;
    unknown_at_front = state == TrimState::more && left == candidates.begin();
    candidates.erase(left, candidates.end());
  }

  std::vector<Candidate> candidates;
  uint64_t bytes = 0;
  Sequence next;
  TrimState state = TrimState::more;
  WallTime next_old;
  bool unknown_at_front = false;
  bool skip = false;  // the event is of another class

 private:
  bool pass_over(const EventView& event) {
    skip = true;
    next = event.sequence.next();
    return true;
  }
  bool stop(TrimState why) {
    state = why;
    return false;
  }

  const TrimGoal& goal_;
  Sequence old_before_;
  Sequence by_age_;  // from this one on they go for their age
};

Result<void> Trimmer::look_trim(const TrimGoal& goal, Sequence from) {
  LIMPET_TRY(const Reader::Snapshot snapshot, store_.reader().snapshot());
  Look look(goal, old_before_[goal.retention_class]);
  look.next = from;
  const size_t bytes_max = piece_bytes();
  size_t looked_bytes = 0;
  Result<void> result;
  LIMPET_TRY(
      const EventsRead read,
      snapshot.records(from, trim_records_max, [&](const EventView& event, size_t record_bytes) {
        look.skip = false;
        if (!look.wants(event)) return false;
        looked_bytes += record_bytes;
        if (look.skip) return looked_bytes < bytes_max;
        const Result<bool> is_owned = owned(snapshot, event);
        if (!is_owned.ok()) {
          result = is_owned.error();
          return false;
        }
        Candidate candidate;
        candidate.record = {event.sequence, record_bytes, event.retention_class};
        candidate.run_created = event.type == event_type::run_created;
        candidate.unread = event.sequence >= goal.floor;
        candidate.owned = *is_owned;
        look.take(candidate);
        return looked_bytes < bytes_max;
      }));
  LIMPET_CHECK(result);
  damaged_ += read.corrupt;
  const bool at_end = look.state == TrimState::more && looked_bytes < bytes_max &&
                      read.visited + read.corrupt < trim_records_max;
  if (look.state == TrimState::more) look.next = std::max(look.next, read.next);
  look.leave_unknown();
  if (look.unknown_at_front) probed_[goal.retention_class] = read.next;

  pass_ = Pass();
  pass_->retention_class = goal.retention_class;
  pass_->next = look.next;
  pass_->state = at_end ? TrimState::held : look.state;
  pass_->next_old = look.next_old;
  for (const Candidate& one : look.candidates) pass_->kept = pass_->kept || one.owned;
  pass_->candidates = std::move(look.candidates);
  return {};
}

// Looks for the first event of the class whose time is known, behind many without.
Result<void> Trimmer::probe(const TrimGoal& goal, Sequence from) {
  const uint8_t retention_class = goal.retention_class;
  pass_ = Pass();
  pass_->retention_class = retention_class;
  pass_->next = place_of(retention_class);
  LIMPET_TRY(const Reader::Snapshot snapshot, store_.reader().snapshot());
  const size_t bytes_max = piece_bytes();
  size_t looked_bytes = 0;
  bool found = false;
  LIMPET_TRY(
      const EventsRead read,
      snapshot.records(from, trim_records_max, [&](const EventView& event, size_t record_bytes) {
        looked_bytes += record_bytes;
        const bool known = plausible(event.time) && event.time <= goal.now;
        if (event.retention_class != retention_class || !known) return looked_bytes < bytes_max;
        found = true;
        probed_[retention_class] = event.sequence;
        if (event.time < goal.older_than) {
          old_before_[retention_class] = event.sequence.next();
        } else {
          pass_->state = TrimState::done;
          pass_->next_old = event.time;
        }
        return false;
      }));
  if (found) return {};
  probed_[retention_class] = read.next;
  const bool at_end = looked_bytes < bytes_max && read.visited + read.corrupt < trim_records_max;
  if (at_end) pass_->state = TrimState::held;
  return {};
}

// Does anything that is on disk, or a run in memory, still need this event?
Result<bool> Trimmer::owned(const Reader::Snapshot& snapshot, const EventView& event) const {
  if (event.type == event_type::run_created) {
    const RunId run(event.sequence.value());
    if (in_use_ && in_use_(run)) return true;
    LIMPET_TRY(const std::optional<ByteSpan> header, snapshot.get(run_key(run, Ordinal(0))));
    if (!header) return false;
    const Result<Run> decoded = codec::decode_run(*header);
    // What cannot be read is not judged.
    return !decoded.ok() || !is_final(decoded->state) || decoded->steps_open > 0;
  }
  if (event.type != event_type::task_queued) return false;
  const std::optional<TaskFacts> facts = parse_task_facts(event.extensions);
  if (!facts) return false;
  const uint16_t queue = facts->lane.queue;
  const std::array<Key, 3> rows = {ready_key(store::place_of(*facts, event.sequence)),
                                   dead_key(queue, event.sequence),
                                   group_key({queue, facts->group, event.sequence})};
  for (const Key& row : rows) {
    LIMPET_TRY(const std::optional<ByteSpan> value, snapshot.get(row));
    if (value) return true;
  }
  return false;
}

Result<void> Trimmer::look_released() {
  std::ranges::sort(released_);
  released_.erase(std::unique(released_.begin(), released_.end()), released_.end());
  LIMPET_TRY(const Reader::Snapshot snapshot, store_.reader().snapshot());
  Pass pass;
  pass.kind = Pass::Kind::released;
  const size_t bytes_max = piece_bytes();
  size_t looked_bytes = 0;
  Result<void> result;
  size_t looked = 0;
  while (looked < std::min<size_t>(released_.size(), trim_records_max) &&
         looked_bytes < bytes_max) {
    const Sequence sequence = released_[looked++];
    LIMPET_TRY(const EventsRead read,
               snapshot.records(sequence, 1, [&](const EventView& event, size_t record_bytes) {
                 looked_bytes += record_bytes;
                 const HotRecord& hot = store_.newest();
                 if (event.sequence != sequence) return false;
                 if (sequence >= hot.classes[event.retention_class].first) return false;
                 const Result<bool> is_owned = owned(snapshot, event);
                 if (!is_owned.ok()) result = is_owned.error();
                 if (!is_owned.ok() || *is_owned) return false;
                 pass.candidates.push_back({{sequence, record_bytes, event.retention_class},
                                            event.type == event_type::run_created});
                 return false;
               }));
    static_cast<void>(read);
    LIMPET_CHECK(result);
  }
  released_.erase(released_.begin(), released_.begin() + static_cast<std::ptrdiff_t>(looked));
  pass.state = sweep_due() ? TrimState::more : TrimState::done;
  pass_ = std::move(pass);
  return {};
}

Result<void> Trimmer::look_full() {
  const HotRecord& hot = store_.newest();
  const Sequence end = std::min(end_of(hot), store_.durable_end());
  LIMPET_TRY(const Reader::Snapshot snapshot, store_.reader().snapshot());
  Pass pass;
  pass.kind = Pass::Kind::full;
  const size_t bytes_max = piece_bytes();
  size_t looked_bytes = 0;
  Result<void> result;
  LIMPET_TRY(
      const EventsRead read,
      snapshot.records(
          sweep_next_, trim_records_max, [&](const EventView& event, size_t record_bytes) {
            if (event.sequence >= end) return false;
            looked_bytes += record_bytes;
            if (event.sequence >= hot.classes[event.retention_class].first) {
              return looked_bytes < bytes_max;
            }
            const Result<bool> is_owned = owned(snapshot, event);
            if (!is_owned.ok()) result = is_owned.error();
            if (is_owned.ok() && !*is_owned) {
              pass.candidates.push_back({{event.sequence, record_bytes, event.retention_class},
                                         event.type == event_type::run_created});
            }
            return is_owned.ok() && looked_bytes < bytes_max;
          }));
  LIMPET_CHECK(result);
  pass.next = read.visited + read.corrupt == 0 ? end : read.next;
  pass.state = pass.next < end ? TrimState::more : TrimState::done;
  pass_ = std::move(pass);
  return {};
}

// Marks the candidates that are in an inbox. False: there are more inboxes than one piece looks at.
Result<bool> Trimmer::scan_inboxes() {
  Pass& pass = *pass_;
  if (pass.candidates.empty()) return true;
  const Sequence first = pass.candidates.front().record.sequence;
  const Sequence last = pass.candidates.back().record.sequence;
  LIMPET_TRY(const Reader::Snapshot snapshot, store_.reader().snapshot());
  const Key all = inboxes_prefix();
  for (size_t rows = 0; rows < trim_inbox_rows_max; ++rows) {
    std::optional<RunId> next;
    LIMPET_CHECK(snapshot.scan(inbox_key(pass.inbox_run, first), all, [&](ByteSpan key, ByteSpan) {
      const std::optional<InboxPlace> place = parse_inbox_key(key);
      if (!place) return true;
      ++rows;
      if (place->run != pass.inbox_run) {
        next = place->run;
        return false;
      }
      if (place->event > last) {
        next = place->run.next();
        return false;
      }
      const auto found =
          std::ranges::lower_bound(pass.candidates, place->event, {},
                                   [](const Candidate& one) { return one.record.sequence; });
      if (found != pass.candidates.end() && found->record.sequence == place->event) {
        found->owned = true;
        pass.kept = true;
      }
      return true;
    }));
    if (!next) return true;
    pass.inbox_run = *next;
  }
  return false;
}

}  // namespace limpet::store
