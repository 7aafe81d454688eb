#include "store/trim.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "codec/records.hpp"

namespace limpet::store {

namespace {

// Pages that are touched are written anew, and a commit may take several pieces: each takes little
// of the room that is left.
constexpr uint64_t room_shares = 32;
constexpr size_t piece_bytes_least = 8 * 1024;
constexpr size_t bytes_a_row = 512;  // of a run: half of a page at most, often far less

// The key may have been used again since, for another run.
Result<void> erase_idempotency(const Reader::Snapshot& snapshot, Change& change, RunId run,
                               std::string_view text) {
  const Key key = idempotency_key(text);
  LIMPET_TRY(const std::optional<ByteSpan> names, snapshot.get(key));
  if (names && names->size() >= 8 && RunId(read_u64(*names)) == run) change.erase(key);
  return {};
}

}  // namespace

Trimmer::Trimmer(Store& store, std::function<bool(RunId)> in_use)
    : store_(store), in_use_(std::move(in_use)) {}

size_t Trimmer::piece_bytes() const {
  const StoreInfo info = store_.info();
  const uint64_t map_bytes = info.max_bytes + reserve_bytes(info.max_bytes);
  const uint64_t room = map_bytes - std::min(map_bytes, info.used_bytes);
  return static_cast<size_t>(
      std::clamp<uint64_t>(room / room_shares, piece_bytes_least, trim_bytes_max));
}

Sequence Trimmer::place_of(uint8_t retention_class) const {
  return std::max(store_.newest().classes[retention_class].first, looked_[retention_class]);
}

Result<TrimStep> Trimmer::trim(const TrimGoal& goal) {
  if (in_flight_ == 0) alone_ = false;
  if (alone_) return TrimStep{TrimState::more};
  if (!pass_) {
    const Sequence from = place_of(goal.retention_class);
    if (from >= store_.durable_end() || (!goal.past_floor && from >= goal.floor)) {
      return TrimStep{TrimState::held, goal.retention_class};
    }
    const Sequence probed = probed_[goal.retention_class];
    if (goal.bytes == 0 && probed > from && old_before_[goal.retention_class] <= from) {
      LIMPET_CHECK(probe(goal, probed));
    } else {
      LIMPET_CHECK(look_trim(goal, from));
    }
  }
  return advance();
}

Result<TrimStep> Trimmer::sweep() {
  if (in_flight_ > 0) return TrimStep{TrimState::more};
  alone_ = false;
  if (!pass_) {
    if (!released_.empty()) {
      LIMPET_CHECK(look_released());
    } else if (sweeping_) {
      LIMPET_CHECK(look_full());
    } else {
      return TrimStep{};
    }
  }
  return advance();
}

void Trimmer::begin_full_sweep() {
  sweeping_ = true;
  sweep_next_ = Sequence(1);
}

void Trimmer::collect_released() {
  Store::Released noted = store_.take_released();
  if (noted.missed || released_.size() + noted.events.size() > released_max) {
    begin_full_sweep();
    if (noted.missed) return;
  }
  released_.insert(released_.end(), noted.events.begin(), noted.events.end());
}

// The pass, as far as one piece gets.
Result<TrimStep> Trimmer::advance() {
  const Result<bool> scanned = scan_inboxes();
  if (!scanned.ok()) {
    put_back(*pass_);
    pass_.reset();
    return scanned.error();
  }
  if (!*scanned) return TrimStep{TrimState::more};
  return finish();
}

// Puts the deletions into the change. False: not all of them, because a run has too many rows.
Result<bool> Trimmer::fill(Change& change, Pass& pass, TrimStep& step) {
  LIMPET_TRY(const Reader::Snapshot snapshot, store_.reader().snapshot());
  size_t rows_left = std::clamp<size_t>(piece_bytes() / bytes_a_row, 1, trim_run_rows_max);
  for (const Candidate& one : pass.candidates) {
    if (one.owned) continue;
    if (one.run_created) {
      const RunId run(one.record.sequence.value());
      LIMPET_TRY(const bool gone, erase_run(snapshot, change, run, rows_left));
      if (!gone) {
        pass.next = one.record.sequence;
        return false;
      }
    }
    change.trim(one.record);
    ++step.events;
    step.bytes += one.record.bytes;
    if (!one.unread) continue;
    if (step.unread.events++ == 0) step.unread.first = one.record.sequence;
    step.unread.last = one.record.sequence;
    step.unread.bytes += one.record.bytes;
  }
  return true;
}

Result<TrimStep> Trimmer::finish() {
  Pass pass = std::move(*pass_);
  pass_.reset();
  TrimStep step{pass.state};
  step.next_old = pass.next_old;
  if (pass.kind == Pass::Kind::trim) step.retention_class = pass.retention_class;
  Change change = store_.begin();
  LIMPET_TRY(const bool all, fill(change, pass, step));
  if (!all) {
    // The rest of the run's rows goes with the next piece, and its event last.
    step.state = pass.state = TrimState::more;
    if (pass.kind == Pass::Kind::released) released_.push_back(pass.next);
    alone_ = true;
  }
  const bool trims = pass.kind == Pass::Kind::trim;
  if (change.empty() && !(trims && pass.kept)) {
    pass_done(pass);
    return step;
  }
  if (trims) {
    Sequence& first = change.hot().classes[pass.retention_class].first;
    first = std::max(first, pass.next);
  }
  if (const Result<void> given = hand_over(std::move(change), step.bytes); !given.ok()) {
    put_back(pass);
    return given.error();
  }
  step.submitted = true;
  pass_done(pass);
  return step;
}

// What was let go of must not be forgotten because the writer was busy.
void Trimmer::put_back(const Pass& pass) {
  if (pass.kind != Pass::Kind::released) return;
  for (const Candidate& one : pass.candidates) released_.push_back(one.record.sequence);
}

Result<void> Trimmer::hand_over(Change change, uint64_t bytes) {
  change.on_done([this, bytes](const Result<void>&) {
    --in_flight_;
    bytes_in_flight_ -= bytes;
  });
  LIMPET_CHECK(store_.submit(std::move(change)));
  ++in_flight_;
  bytes_in_flight_ += bytes;
  return {};
}

// False: it has more steps than fit. The header goes last, so that the rest is always somebody's.
Result<bool> Trimmer::erase_run(const Reader::Snapshot& snapshot, Change& change, RunId run,
                                size_t& rows_left) const {
  bool gone = true;
  Result<void> result;
  const Key prefix = Key('n').u64(run.value());
  LIMPET_CHECK(snapshot.scan(run_key(run, Ordinal(1)), prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<RunRow> row = parse_run_key(key);
    if (!row) return true;
    const bool step = row->ordinal.value() < state_ordinal_first;
    gone = !step || rows_left > 0;
    if (!gone) return false;
    if (step) --rows_left;
    change.erase(run_key(run, row->ordinal));
    if (row->ordinal.value() == idempotency_ordinal) {
      result = erase_idempotency(snapshot, change, run, as_text(value));
    }
    return result.ok();
  }));
  LIMPET_CHECK(result);
  if (!gone) return false;
  LIMPET_TRY(const std::optional<ByteSpan> header, snapshot.get(run_key(run, Ordinal(0))));
  if (!header) return true;
  LIMPET_TRY(const Run decoded, codec::decode_run(*header));
  uint64_t& count = change.hot().runs[static_cast<size_t>(decoded.state)];
  LIMPET_EXPECT(count > 0);
  count -= std::min<uint64_t>(count, 1);
  change.erase(run_key(run, Ordinal(0)));
  return true;
}

void Trimmer::pass_done(const Pass& pass) {
  if (pass.kind == Pass::Kind::trim) {
    Sequence& looked = looked_[pass.retention_class];
    looked = std::max(looked, pass.next);
  } else if (pass.kind == Pass::Kind::full) {
    sweep_next_ = pass.next;
    sweeping_ = pass.state == TrimState::more;
  }
}

}  // namespace limpet::store
