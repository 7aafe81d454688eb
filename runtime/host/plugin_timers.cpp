#include "host/plugin_timers.hpp"

#include <limpet/ext/draft/timer.h>

#include <algorithm>

namespace limpet::host {

namespace {

// A century: what is longer would overflow when added to the clock.
constexpr uint64_t period_ns_max = 100ull * 365 * 24 * 3600 * 1000000000ull;

}  // namespace

limpet_status PluginTimers::start(uint64_t period_ns, uint32_t id) {
  if (period_ns < LIMPET_TIMER_PERIOD_NS_MIN || period_ns > period_ns_max) return LIMPET_INVALID;
  const BootTime now = mailbox_.now();
  const std::lock_guard lock(mutex_);
  if (!open_) return LIMPET_WRONG_STATE;
  const Timer timer{id, period_ns, BootTime{now.ns + period_ns}};
  const auto same = std::find_if(timers_.begin(), timers_.end(),
                                 [&](const Timer& running) { return running.id == id; });
  if (same != timers_.end()) {
    *same = timer;
  } else if (timers_.size() == LIMPET_TIMERS_MAX) {
    return LIMPET_FULL;
  } else {
    timers_.push_back(timer);
  }
  mailbox_.ring();  // main sets its alarm anew
  return LIMPET_OK;
}

void PluginTimers::stop(uint32_t id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(timers_, [&](const Timer& timer) { return timer.id == id; });
}

void PluginTimers::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

void PluginTimers::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  timers_.clear();
}

std::vector<uint32_t> PluginTimers::take_due(BootTime now) {
  std::vector<uint32_t> due;
  const std::lock_guard lock(mutex_);
  for (Timer& timer : timers_) {
    if (timer.due > now) continue;
    due.push_back(timer.id);
    const uint64_t periods = (now.ns - timer.due.ns) / timer.period_ns + 1;
    timer.due.ns += periods * timer.period_ns;
  }
  return due;
}

std::optional<BootTime> PluginTimers::next_due() const {
  const std::lock_guard lock(mutex_);
  const auto first = std::min_element(timers_.begin(), timers_.end(),
                                      [](const Timer& a, const Timer& b) { return a.due < b.due; });
  if (first == timers_.end()) return std::nullopt;
  return first->due;
}

}  // namespace limpet::host
