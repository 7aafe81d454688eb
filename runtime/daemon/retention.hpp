#pragma once

// Retention: decides when events leave the log, and tells what left too early. The trimmer of the
// store does the work, a bounded piece a round.
// Owner: the daemon. Thread: [main].
// What begins a trim: a class at trim_begin_percent of its max_bytes (it ends at trim_end_percent),
// events older than max_age, or the store above store_begin_percent of its max_bytes: then classes
// that drop their oldest give first, then the largest. Nothing leaves that is owned, see
// store/trim.hpp. Of a `reject` class nothing leaves that a consumer has not read; of a
// `drop_oldest` class it does, counted and told in one `limpet.drop` a class and drop_report_ms.
// Ages are wall-clock times: they wait until the wall clock is plausible.
// Limits: trims_in_flight_max changes on their way; one piece a call, so that main is not held up.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "daemon/house.hpp"
#include "store/classes.hpp"
#include "store/trim.hpp"

namespace limpet::daemon {

inline constexpr uint64_t trim_begin_percent = 98;
inline constexpr uint64_t trim_end_percent = 95;
inline constexpr uint64_t store_begin_percent = 90;
inline constexpr uint64_t store_end_percent = 87;
inline constexpr size_t trims_in_flight_max = 4;
inline constexpr store::StoreMs drop_report_ms = 60 * 1000;
inline constexpr store::StoreMs sweep_pause_ms = 250;  // between two pieces of what was let go of
inline constexpr store::StoreMs sweep_all_ms = 24 * 60 * 60 * 1000;  // and once after each start
inline constexpr store::StoreMs held_pause_ms =
    1000;  // before a class that can give nothing is asked
inline constexpr store::StoreMs age_pause_ms = 60 * 1000;  // before a class without old events is

struct ClassCounters {  // since the start
  uint64_t trimmed_events = 0;
  uint64_t trimmed_bytes = 0;
  uint64_t unread_events = 0;  // of them, those that some consumer had not read
  uint64_t unread_bytes = 0;
  uint64_t refused = 0;  // requests, because the class was full
};

class Retention {
 public:
  // The first event of a class that somebody still has to read; nullopt: nobody waits.
  using Floor = std::function<std::optional<Sequence>(uint8_t retention_class)>;
  // `classes` and `house` outlive it. `floor` may be empty.
  Retention(House& house, const store::Classes& classes, Floor floor);

  // One piece of work. Call it after commits and when `next_due` has come.
  void pump();
  [[nodiscard]] std::optional<store::StoreMs> next_due() const { return next_due_; }
  // Tells what was dropped and not yet told. Before a stop.
  void close();

  // May `bytes` more of this class come from outside? Tries to make room first.
  // Errors: full (what is left is owned, or held by a consumer), busy (room is being made; or
  // relaxed events have waited for the disk for too long).
  [[nodiscard]] Result<void> admit(uint8_t retention_class, size_t bytes);
  // The store has refused for want of room: is some being made?
  [[nodiscard]] bool making_room();

  [[nodiscard]] const store::Classes& classes() const { return classes_; }
  [[nodiscard]] const ClassCounters& counters(uint8_t retention_class) const {
    return counters_[retention_class];
  }
  [[nodiscard]] uint64_t damaged() const { return trimmer_.damaged(); }

 private:
  // Why a class gives.
  enum class Reason : uint8_t { class_full, store_full, age };
  struct Wanted {
    store::TrimGoal goal;
    Reason reason = Reason::class_full;
  };
  // Dropped and not yet told.
  struct Untold {
    store::Unread unread;
    Reason reason = Reason::class_full;
    store::StoreMs tell_at = 0;
  };

  [[nodiscard]] std::optional<Wanted> choose(store::StoreMs now);
  [[nodiscard]] std::optional<Wanted> choose_full_class(store::StoreMs now);
  [[nodiscard]] std::optional<Wanted> choose_for_store(store::StoreMs now);
  [[nodiscard]] std::optional<Wanted> choose_old(store::StoreMs now);
  [[nodiscard]] store::TrimGoal goal_of(uint8_t retention_class, uint64_t bytes) const;
  [[nodiscard]] bool can_give(uint8_t retention_class, store::StoreMs now) const;
  [[nodiscard]] store::TrimState trim(const Wanted& wanted, store::StoreMs now);
  void sweep(store::StoreMs now);
  void count(const store::TrimStep& step, Reason reason);
  void note_age(const Wanted& wanted, const store::TrimStep& step, store::StoreMs now);
  void tell_drops(store::StoreMs now);
  [[nodiscard]] Result<void> tell(uint8_t retention_class, const Untold& untold);
  void due(store::StoreMs at) { next_due_ = std::min(next_due_.value_or(at), at); }
  [[nodiscard]] static std::string_view to_string(Reason reason);

  House& house_;
  const store::Classes& classes_;
  const Floor floor_;
  store::Trimmer trimmer_;
  std::array<bool, store::classes_max> over_{};  // from the begin mark until the end mark
  bool store_over_ = false;
  std::array<store::StoreMs, store::classes_max> held_until_{};
  std::array<store::StoreMs, store::classes_max> age_due_{};
  std::array<Untold, store::classes_max> untold_{};
  std::array<ClassCounters, store::classes_max> counters_{};
  store::StoreMs sweep_at_ = 0;
  store::StoreMs sweep_all_at_ = 0;
  std::optional<store::StoreMs> next_due_;
};

}  // namespace limpet::daemon
