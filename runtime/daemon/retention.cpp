#include "daemon/retention.hpp"

#include <algorithm>

#include "codec/cbor_value.hpp"
#include "daemon/commit.hpp"

namespace limpet::daemon {

namespace {

using store::TrimState;

uint64_t share(uint64_t whole, uint64_t percent) { return whole / 100 * percent; }

// The log is read by age in wall-clock time; a duration in milliseconds of the store's.
store::StoreMs to_store_ms(Duration duration) {
  return static_cast<store::StoreMs>(std::max<int64_t>(to_ms(duration), 0));
}

}  // namespace

Retention::Retention(House& house, const store::Classes& classes, Floor floor)
    : house_(house),
      classes_(classes),
      floor_(std::move(floor)),
      trimmer_(house.store, [&house](RunId run) { return house.runs.holds(run); }) {}

void Retention::pump() {
  next_due_.reset();
  const store::StoreMs now = house_.store.now_ms();
  trimmer_.collect_released();
  if (now >= sweep_all_at_) {
    sweep_all_at_ = now + sweep_all_ms;
    trimmer_.begin_full_sweep();
  }
  tell_drops(now);
  // The commit that is on its way calls again.
  if (trimmer_.changes_in_flight() >= trims_in_flight_max) return;
  if (trimmer_.sweep_due() && now >= sweep_at_) return sweep(now);
  if (const std::optional<Wanted> wanted = choose(now)) {
    static_cast<void>(trim(*wanted, now));
    // There may be more, of this class or another.
    if (trimmer_.changes_in_flight() == 0) due(now);
    return;
  }
  if (trimmer_.sweep_due()) due(sweep_at_);
}

void Retention::sweep(store::StoreMs now) {
  if (trimmer_.changes_in_flight() > 0) return;
  sweep_at_ = now + sweep_pause_ms;
  due(sweep_at_);
  const Result<store::TrimStep> step = trimmer_.sweep();
  if (step.ok() || step.error().code == ErrorCode::busy) return;
  sweep_at_ = now + age_pause_ms;
  house_.logger.line(LogLevel::error, "retention", limpet::to_string(step.error()));
}

std::optional<Retention::Wanted> Retention::choose(store::StoreMs now) {
  if (auto wanted = choose_full_class(now)) return wanted;
  if (auto wanted = choose_for_store(now)) return wanted;
  return choose_old(now);
}

bool Retention::can_give(uint8_t retention_class, store::StoreMs now) const {
  return house_.store.newest().classes[retention_class].events > 0 &&
         now >= held_until_[retention_class];
}

store::TrimGoal Retention::goal_of(uint8_t retention_class, uint64_t bytes) const {
  store::TrimGoal goal;
  goal.retention_class = retention_class;
  goal.bytes = bytes;
  goal.now = house_.clock.wall();
  goal.floor = Sequence(UINT64_MAX);
  if (floor_) goal.floor = floor_(retention_class).value_or(goal.floor);
  goal.past_floor = classes_.at(retention_class).settings.on_full == store::OnFull::drop_oldest;
  return goal;
}

std::optional<Retention::Wanted> Retention::choose_full_class(store::StoreMs now) {
  for (uint8_t number = 0; number < store::classes_max; ++number) {
    const uint64_t max_bytes = classes_.at(number).settings.max_bytes;
    const uint64_t bytes = house_.store.newest().classes[number].bytes;
    if (max_bytes == 0) continue;
    const uint64_t end = share(max_bytes, trim_end_percent);
    over_[number] = bytes > (over_[number] ? end : share(max_bytes, trim_begin_percent));
    if (over_[number] && can_give(number, now)) return Wanted{goal_of(number, bytes - end)};
  }
  return std::nullopt;
}

std::optional<Retention::Wanted> Retention::choose_for_store(store::StoreMs now) {
  const store::StoreInfo info = house_.store.info();
  const uint64_t going = std::min(info.used_bytes, trimmer_.bytes_in_flight());
  const uint64_t used = info.used_bytes - going;
  const uint64_t end = share(info.max_bytes, store_end_percent);
  store_over_ = used > (store_over_ ? end : share(info.max_bytes, store_begin_percent));
  if (!store_over_) return std::nullopt;
  std::optional<uint8_t> best;
  const auto drops_oldest = [this](uint8_t number) {
    return classes_.at(number).settings.on_full == store::OnFull::drop_oldest;
  };
  for (uint8_t number = 0; number < store::classes_max; ++number) {
    if (!can_give(number, now)) continue;
    const auto rank = [&](uint8_t one) {
      return std::pair(drops_oldest(one), house_.store.newest().classes[one].bytes);
    };
    if (!best || rank(number) > rank(*best)) best = number;
  }
  if (!best) return std::nullopt;
  return Wanted{goal_of(*best, used - end), Reason::store_full};
}

std::optional<Retention::Wanted> Retention::choose_old(store::StoreMs now) {
  const WallTime wall = house_.clock.wall();
  for (uint8_t number = 0; number < store::classes_max; ++number) {
    const Duration max_age = classes_.at(number).settings.max_age;
    if (max_age.ns <= 0 || house_.store.newest().classes[number].events == 0) continue;
    if (!plausible(wall)) {
      due(now + age_pause_ms);  // for the clock
    } else if (now < age_due_[number]) {
      due(age_due_[number]);
    } else {
      Wanted wanted{goal_of(number, 0), Reason::age};
      wanted.goal.older_than.ns = wall.ns - std::min(wall.ns, static_cast<uint64_t>(max_age.ns));
      return wanted;
    }
  }
  return std::nullopt;
}

TrimState Retention::trim(const Wanted& wanted, store::StoreMs now) {
  const uint8_t number = wanted.goal.retention_class;
  const Result<store::TrimStep> step = trimmer_.trim(wanted.goal);
  if (!step.ok()) {
    held_until_[number] = age_due_[number] = now + held_pause_ms;
    due(held_until_[number]);
    if (step.error().code != ErrorCode::busy && step.error().code != ErrorCode::closed) {
      house_.logger.line(LogLevel::error, "retention", limpet::to_string(step.error()));
    }
    return TrimState::more;
  }
  if (step->retention_class < store::classes_max) count(*step, wanted.reason);
  if (step->retention_class != number) return TrimState::more;
  if (wanted.reason == Reason::age) {
    note_age(wanted, *step, now);
  } else if (step->state == TrimState::held) {
    held_until_[number] = now + held_pause_ms;
    due(held_until_[number]);
  }
  return step->state;
}

void Retention::note_age(const Wanted& wanted, const store::TrimStep& step, store::StoreMs now) {
  if (step.state == TrimState::more) return;
  const uint8_t number = wanted.goal.retention_class;
  const store::StoreMs max_age = to_store_ms(classes_.at(number).settings.max_age);
  store::StoreMs pause = std::min(max_age, age_pause_ms);
  if (step.next_old.ns != 0) {
    const uint64_t left_ns =
        step.next_old.ns - std::min(step.next_old.ns, wanted.goal.older_than.ns);
    pause = std::max<store::StoreMs>(left_ns / 1000000 + 1, 1);
  }
  age_due_[number] = now + pause;
  due(age_due_[number]);
}

void Retention::count(const store::TrimStep& step, Reason reason) {
  ClassCounters& counters = counters_[step.retention_class];
  counters.trimmed_events += step.events;
  counters.trimmed_bytes += step.bytes;
  if (step.unread.events == 0) return;
  counters.unread_events += step.unread.events;
  counters.unread_bytes += step.unread.bytes;
  house_.drops.unread += step.unread.events;
  Untold& untold = untold_[step.retention_class];
  if (untold.unread.events == 0) untold.unread.first = step.unread.first;
  untold.unread.last = step.unread.last;
  untold.unread.events += step.unread.events;
  untold.unread.bytes += step.unread.bytes;
  untold.reason = reason;
}

Result<void> Retention::admit(uint8_t retention_class, size_t bytes) {
  const store::ClassSettings& settings = classes_.at(retention_class).settings;
  if (settings.durability == store::Durability::relaxed &&
      house_.store.unsynced_age() > store::relaxed_window) {
    return Error{ErrorCode::busy, "the disk is behind: events have waited for a second"};
  }
  const store::ClassCount& held = house_.store.newest().classes[retention_class];
  if (settings.max_bytes == 0 || held.bytes + bytes <= settings.max_bytes) return {};
  const store::StoreMs now = house_.store.now_ms();
  TrimState state = now < held_until_[retention_class] ? TrimState::held : TrimState::more;
  if (state == TrimState::more && trimmer_.changes_in_flight() < trims_in_flight_max) {
    const uint64_t end = share(settings.max_bytes, trim_end_percent);
    const uint64_t wanted = held.bytes + bytes - settings.max_bytes;
    const uint64_t goal = std::max(wanted, held.bytes - std::min(held.bytes, end));
    state = trim({goal_of(retention_class, goal)}, now);
  }
  if (settings.on_full == store::OnFull::drop_oldest) return {};
  if (held.bytes + bytes <= settings.max_bytes) return {};
  ++counters_[retention_class].refused;
  if (state != TrimState::held) {
    return Error{ErrorCode::busy, "the class of these events is full; room is being made"};
  }
  ++house_.drops.class_full;
  return Error{ErrorCode::full, "the class of these events is full, and all of it is needed"};
}

bool Retention::making_room() {
  const store::StoreMs now = house_.store.now_ms();
  if (trimmer_.changes_in_flight() > 0) return true;
  const std::optional<Wanted> wanted = choose_for_store(now);
  return wanted && trim(*wanted, now) != TrimState::held;
}

void Retention::tell_drops(store::StoreMs now) {
  for (uint8_t number = 0; number < store::classes_max; ++number) {
    Untold& untold = untold_[number];
    if (untold.unread.events == 0) continue;
    if (now < untold.tell_at) {
      due(untold.tell_at);
    } else if (tell(number, untold).ok()) {
      untold.unread = {};
      untold.tell_at = now + drop_report_ms;
    } else {
      due(now + held_pause_ms);
    }
  }
}

void Retention::close() {
  for (Untold& untold : untold_) untold.tell_at = 0;
  tell_drops(house_.store.now_ms());
}

Result<void> Retention::tell(uint8_t retention_class, const Untold& untold) {
  const std::string& name = classes_.at(retention_class).name;
  Event drop;
  drop.type = event_type::drop;
  drop.source = house_.source;
  drop.time = house_.clock.wall();
  drop.subject = name;
  drop.data = codec::cbor_map({{"reason", to_string(untold.reason)},
                               {"class", name},
                               {"count", untold.unread.events},
                               {"bytes", untold.unread.bytes},
                               {"first", untold.unread.first.value()},
                               {"last", untold.unread.last.value()},
                               {"total", counters_[retention_class].unread_events}});
  Commit commit(house_);
  LIMPET_TRY(const Sequence sequence, commit.append(drop));
  EventView told = view(drop);
  told.sequence = sequence;
  LIMPET_CHECK(commit.deliver_triggered(told));
  return commit.submit(nullptr);
}

std::string_view Retention::to_string(Reason reason) {
  switch (reason) {
    case Reason::class_full: return "class_full";
    case Reason::store_full: return "store_full";
    case Reason::age: return "age";
  }
  return {};
}

Result<void> admit_new_work(House& house, size_t bytes) {
  return admit_new_events(house, event_type::task_queued, bytes);
}

Result<void> admit_new_events(House& house, std::string_view type, size_t bytes) {
  if (house.memory_pressed) return Error{ErrorCode::busy, "the process is above limits.memory"};
  if (house.retention != nullptr) {
    LIMPET_CHECK(house.retention->admit(house.retention->classes().class_of(type), bytes));
  }
  return admit_into_store(house, bytes);
}

Result<void> admit_into_store(House& house, size_t bytes) {
  const Result<void> admitted = house.store.admit(bytes, store::Urgency::ingest);
  const bool full = !admitted.ok() && admitted.error().code == ErrorCode::full;
  if (full && house.retention != nullptr && house.retention->making_room()) {
    return Error{ErrorCode::busy, "the store is full; room is being made"};
  }
  return admitted;
}

}  // namespace limpet::daemon
