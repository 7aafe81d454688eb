#include "daemon/schedules.hpp"

#include <algorithm>

#include "daemon/rows.hpp"

namespace limpet::daemon {

namespace {

constexpr store::StoreMs unset_clock_ms = 60000;  // until the clock is looked at again
constexpr store::StoreMs retry_ms = 1000;

store::StoreMs read_ms(ByteSpan value) {
  store::StoreMs ms = 0;
  for (size_t index = 0; index < 6; ++index) ms = (ms << 8) | value[index];
  return ms;
}

}  // namespace

Schedules::Schedules(House& house, std::vector<Schedule> schedules) : house_(house) {
  for (Schedule& schedule : schedules) entries_.push_back({std::move(schedule), 0, 0});
}

Result<void> Schedules::load() {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
  for (Entry& entry : entries_) {
    LIMPET_TRY(const std::optional<ByteSpan> row,
               snapshot.get(store::schedule_key(entry.schedule.name)));
    if (row && row->size() == 6) entry.last = read_ms(*row);
  }
  return {};
}

std::optional<store::StoreMs> Schedules::next_tick(const Schedule& schedule, store::StoreMs after) {
  if (!schedule.cron) return after + static_cast<uint64_t>(to_ms(schedule.every));
  const auto next = next_time(*schedule.cron, WallTime{after * 1000000});
  if (!next) return std::nullopt;
  return next->ns / 1000000;
}

void Schedules::pump() {
  next_due_.reset();
  if (entries_.empty()) return;
  const store::StoreMs now = house_.store.now_ms();
  if (!plausible(WallTime{now * 1000000})) {
    next_due_ = now + unset_clock_ms;
    return;
  }
  for (Entry& entry : entries_) pump_one(entry, now);
}

void Schedules::pump_one(Entry& entry, store::StoreMs now) {
  const auto sooner = [this](store::StoreMs at) {
    next_due_ = std::min(next_due_.value_or(at), at);
  };
  if (entry.retry_at > now) return sooner(entry.retry_at);
  // A schedule that is new begins now: it has missed nothing. What is stored says so, else a
  // restart before the first tick would begin it anew.
  std::vector<store::StoreMs> ticks;
  const bool is_new = entry.last == 0;
  if (!is_new) ticks = due_ticks(entry, now);
  if (is_new || !ticks.empty()) {
    const store::StoreMs before = entry.last;
    if (is_new) entry.last = now;
    const Result<void> fired = fire(entry, ticks);
    if (!fired.ok()) {
      entry.last = before;
      entry.retry_at = now + retry_ms;
      house_.logger.line(LogLevel::warning, "schedules",
                         entry.schedule.name + ": " + to_string(fired.error()));
      return sooner(entry.retry_at);
    }
  }
  if (const auto next = next_tick(entry.schedule, entry.last)) sooner(*next);
}

std::vector<store::StoreMs> Schedules::due_ticks(const Entry& entry, store::StoreMs now) {
  std::vector<store::StoreMs> ticks;
  const Schedule& schedule = entry.schedule;
  store::StoreMs after = entry.last;
  if (!schedule.cron && now > after) {
    // Years of a short interval are not walked through one by one.
    const auto every = static_cast<uint64_t>(to_ms(schedule.every));
    const uint64_t missed = (now - after) / every;
    if (missed > catch_up_max) {
      skipped_ += missed - catch_up_max;
      after += (missed - catch_up_max) * every;
    }
  }
  for (auto next = next_tick(schedule, after); next && *next <= now;
       next = next_tick(schedule, *next)) {
    ticks.push_back(*next);
    if (ticks.size() <= catch_up_max) continue;
    ticks.erase(ticks.begin());
    ++skipped_;
  }
  return ticks;
}

Result<void> Schedules::fire(Entry& entry, const std::vector<store::StoreMs>& ticks) {
  const Schedule& schedule = entry.schedule;
  // One tick is on time, more were missed.
  size_t first = 0;
  if (schedule.catch_up != CatchUp::all && !ticks.empty()) first = ticks.size() - 1;
  const bool late = ticks.size() > 1;
  if (schedule.catch_up == CatchUp::skip && late) first = ticks.size();
  QueueCommit commit(house_);
  for (size_t index = first; index < ticks.size(); ++index) {
    LIMPET_CHECK(fire_one(commit, schedule, ticks[index]));
  }
  const store::StoreMs last = ticks.empty() ? entry.last : ticks.back();
  commit.change().put(store::schedule_key(schedule.name), SmallValue().put(last, 6).bytes());
  LIMPET_CHECK(commit.submit(nullptr));
  entry.last = last;
  ticks_ += ticks.size() - first;
  skipped_ += first;
  return {};
}

Result<void> Schedules::fire_one(QueueCommit& commit, const Schedule& schedule,
                                 store::StoreMs tick) {
  if (!schedule.queue.empty()) {
    dispatch::NewTask task;
    task.payload = schedule.payload;
    const std::string key = schedule.name + "@" + std::to_string(tick);
    const std::string principal = "schedule:" + schedule.name;
    task.key = key;
    task.principal = principal;
    LIMPET_TRY(const dispatch::Enqueued added,
               house_.queues->enqueue(commit.change(), schedule.queue, task));
    static_cast<void>(added);
    return {};
  }
  Event event;
  event.type = schedule.event;
  event.source = house_.source;
  event.subject = schedule.name;
  event.time = WallTime{tick * 1000000};
  event.principal = "schedule:" + schedule.name;
  event.data = schedule.payload;
  EventView shown = view(event);
  LIMPET_TRY(shown.sequence, commit.commit().append(event));
  return commit.commit().deliver_triggered(shown);
}

}  // namespace limpet::daemon
