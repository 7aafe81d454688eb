#pragma once

// Consumer: one durable reader of the log: where it is, what it was given and has not acknowledged.
// Owner: Consumers. Thread: [main]. Fails with: io, corrupt (the store), conflict and invalid
// (acknowledgements that cannot be true).
// Limits: in_flight_max events without an acknowledgement; a fetch looks at fetch_records_max
// records of the log and keeps none of them, so memory does not grow with the lag.
//
// What is stored of it is `next` and the events before it that are outstanding (consumer_record.hpp
// in store). Giving an event writes nothing: a crash gives it again, as the end of ack_wait would.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "dispatch/consumer_types.hpp"
#include "dispatch/pace.hpp"
#include "store/consumer_record.hpp"
#include "store/store.hpp"

namespace limpet::dispatch {

// A retention class: its number in the store and its types; no types: whatever no other one has.
struct ClassTypes {
  uint8_t number = 0;
  std::vector<std::string> patterns;
};

struct FetchLimits {
  uint32_t events_max = 1;
  BootTime now;
};
struct FetchEnd {
  uint32_t given = 0;
  bool more = false;                 // it stopped before the end of the log without being told to
  std::optional<BootTime> next_due;  // when time makes something ready that is not
};
// Sees one event and how often it was given, this time included; the views live for the call.
// False: it was not taken, stop before it. A gap of the log is an event of type limpet.log.gap with
// the sequence by which it is acknowledged: the last one that is missing.
using GivenVisitor = std::function<bool(const EventView& event, uint32_t delivery)>;

class Consumer {
 public:
  static constexpr size_t fetch_records_max = 4 * limits::read_records_max;
  static_assert(consumer_in_flight_limit < store::consumer_outstanding_max);  // and one open gap

  // Begins at `next`. `classes` outlives it; empty: every missing sequence is told as a gap.
  Consumer(ConsumerSettings settings, Sequence next, const std::vector<ClassTypes>& classes);
  // Goes on as `record` says.
  Consumer(ConsumerSettings settings, const store::ConsumerRecord& record,
           const std::vector<ClassTypes>& classes);

  [[nodiscard]] const ConsumerSettings& settings() const { return settings_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] size_t pending() const { return pending_.size(); }
  // Everything before it is acknowledged, or was not wanted.
  [[nodiscard]] Sequence cursor() const;

  // What is due again first, then what is new. Nothing while it is paused.
  [[nodiscard]] Result<FetchEnd> fetch(store::Store& store, const FetchLimits& wanted,
                                       const GivenVisitor& visit);
  // When time alone makes something ready; as of the last fetch.
  [[nodiscard]] std::optional<BootTime> next_due() const;

  // Which of the outstanding these acknowledge: `events`, and everything to `upto` inclusive. An
  // event that was given by an earlier process and not stored as such counts too. Errors: invalid
  // (it takes none), conflict (never given).
  [[nodiscard]] Result<std::vector<Sequence>> settled_by(store::Store& store,
                                                         std::span<const Sequence> events,
                                                         Sequence upto);
  void forget(std::span<const Sequence> settled);
  // These come again at `due`; those that are not outstanding are passed over.
  void give_again(std::span<const Sequence> events, BootTime due);
  void set_paused(bool paused);
  void seek(Sequence next);

  // As it is, without `settled`.
  [[nodiscard]] store::ConsumerRecord record(std::span<const Sequence> settled) const;
  // Its record was written.
  void written();
  [[nodiscard]] Sequence written_cursor() const { return written_cursor_; }
  // When the position is worth writing though nothing was acknowledged; nullopt: it has not moved.
  [[nodiscard]] std::optional<BootTime> write_due(BootTime now);

  [[nodiscard]] Result<ConsumerStats> stats(store::Store& store, WallTime now) const;

 private:
  struct Pending {
    BootTime due;
    uint32_t deliveries = 0;
    Sequence gap_from;  // not none: [gap_from, its sequence] is a gap
  };
  struct Fetching;
  struct Pass;

  [[nodiscard]] bool room(const Fetching& fetching) const;
  [[nodiscard]] Result<bool> repeat(Fetching& fetching);
  [[nodiscard]] Result<bool> repeat_one(Fetching& fetching, Sequence sequence);
  [[nodiscard]] Result<bool> read_on(Fetching& fetching);
  [[nodiscard]] bool see(Fetching& fetching, Pass& pass, const EventView& event);
  [[nodiscard]] bool give_gap(Fetching& fetching);
  void pass_hole(const store::HotRecord& hot, Pass& pass, Sequence to);
  void add_gap(store::LogGap gap);
  [[nodiscard]] Result<void> catch_up(store::Store& store, Sequence sequence);
  void hand_out(Sequence sequence, Sequence gap_from, BootTime now);
  void set_due(Sequence sequence, Pending& pending, BootTime due);

  // Constant after construction.
  const ConsumerSettings settings_;
  const std::vector<ClassTypes>& classes_;
  std::vector<uint8_t> class_numbers_;  // of those it may want

  Sequence next_;                     // not yet looked at
  std::optional<store::LogGap> gap_;  // before next_, not yet given
  std::map<Sequence, Pending> pending_;
  std::set<std::pair<BootTime, Sequence>> due_;  // of pending_
  bool paused_ = false;
  Pacer pacer_;
  std::optional<BootTime> paced_due_;  // of the event at next_
  Sequence written_cursor_;
  std::optional<BootTime> moved_since_;  // the cursor is not where it was written
  uint64_t given_unwritten_ = 0;         // without acknowledgement
  uint64_t delivered_ = 0;
  uint64_t redelivered_ = 0;
  uint64_t acked_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace limpet::dispatch
