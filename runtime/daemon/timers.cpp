#include "daemon/timers.hpp"

#include <algorithm>

namespace limpet::daemon {

namespace {

constexpr store::StoreMs retry_delay_ms = 1000;  // of a timer that cannot fire

bool same(const store::TimerPlace& a, const store::TimerPlace& b) {
  return a.at == b.at && a.kind == b.kind && a.run == b.run && a.ordinal == b.ordinal;
}

}  // namespace

void Timers::pump() {
  next_due_.reset();
  std::vector<store::TimerPlace> due;
  const store::StoreMs now = house_.store.now_ms();
  {
    const auto snapshot = house_.store.reader().snapshot();
    if (!snapshot.ok()) return;
    const store::Key prefix = store::timer_prefix();
    const Result<void> scanned = snapshot->scan(prefix, prefix, [&](ByteSpan key, ByteSpan) {
      const std::optional<store::TimerPlace> place = store::parse_timer_key(key);
      if (!place || firing(*place)) return true;
      if (place->at > now || due.size() + firing_.size() >= timers_fired_max) {
        next_due_ = place->at;
        return false;
      }
      due.push_back(*place);
      return true;
    });
    if (!scanned.ok()) house_.logger.line(LogLevel::error, "timers", to_string(scanned.error()));
  }
  for (const store::TimerPlace& place : due) {
    const Result<void> fired = fire(place);
    if (fired.ok()) continue;
    if (fired.error().code == ErrorCode::busy) {
      next_due_ = now;  // with the next round
      return;
    }
    // It must not hold up the others.
    house_.logger.line(LogLevel::error, "timers", to_string(fired.error()));
    next_due_ = std::min(next_due_.value_or(now + retry_delay_ms), now + retry_delay_ms);
  }
}

bool Timers::firing(const store::TimerPlace& place) const {
  return std::ranges::any_of(firing_,
                             [&](const store::TimerPlace& one) { return same(one, place); });
}

Result<void> Timers::fire(const store::TimerPlace& place) {
  Result<ActiveRun*> found = house_.runs.find(place.run);
  if (!found.ok() && found.error().code == ErrorCode::corrupt) {
    // Nothing can be told to a run that cannot be read; its timer would be due for ever.
    house_.logger.line(LogLevel::error, "timers", to_string(found.error()));
    found = static_cast<ActiveRun*>(nullptr);
  }
  LIMPET_TRY(ActiveRun * active, found);
  Commit commit(house_);
  commit.change().erase(store::timer_key(place));
  if (active != nullptr && !is_final(active->run.state)) {
    if (place.kind == store::TimerKind::run_deadline) {
      const run::Ending ending{RunState::failed, std::string(run_reason::deadline), {}, {}};
      run::Effects effects = run::end_run(active->run, ending, commit.moment());
      LIMPET_CHECK(commit.apply(effects));
    } else {
      LIMPET_CHECK(fire_step(commit, place, active->run));
    }
  }
  LIMPET_CHECK(commit.submit([this, place](const Result<void>&) {
    std::erase_if(firing_, [&](const store::TimerPlace& one) { return same(one, place); });
  }));
  firing_.push_back(place);
  ++fired_;
  return {};
}

Result<void> Timers::fire_step(Commit& commit, const store::TimerPlace& place, const Run& run) {
  const Result<Step> step = load_step(house_.store, place.run, place.ordinal);
  // A timer without its step has nothing to wake: its row goes, that is all.
  if (!step.ok() || step->state != StepState::scheduled) return {};
  run::Effects effects = run::finish_step(run, *step, {}, commit.moment());
  return commit.apply(effects);
}

}  // namespace limpet::daemon
