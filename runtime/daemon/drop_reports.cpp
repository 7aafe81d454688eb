#include "daemon/drop_reports.hpp"

#include "codec/cbor_value.hpp"
#include "daemon/commit.hpp"

namespace limpet::daemon {

std::vector<DropReports::Counter> DropReports::counters() const {
  std::vector<Counter> counters = {
      {"refused", {}, house_.drops.refused},
      {"trigger_depth", {}, house_.drops.trigger_depth},
      {"dedup_shortened", {}, house_.dedup.stats().shortened},
  };
  if (house_.queues == nullptr) return counters;
  house_.queues->each([&](const dispatch::QueueStats& stats) {
    counters.push_back({"queue_full", stats.name, stats.refused_full});
    counters.push_back({"overflow", stats.name, stats.dropped_oldest});
    counters.push_back({"dead_letters_full", stats.name, stats.dead_dropped});
  });
  return counters;
}

void DropReports::pump() {
  const store::StoreMs now = house_.store.now_ms();
  if (next_due_ && *next_due_ > now) return;
  next_due_ = now + drop_report_interval_ms;
  tell();
}

void DropReports::tell() {
  const std::vector<Counter> all = counters();
  std::vector<std::pair<std::string, uint64_t>> moved;
  Commit commit(house_);
  for (const Counter& counter : all) {
    const std::string name = std::string(counter.reason) + "/" + counter.subject;
    const auto before = told_.find(name);
    const uint64_t told = before == told_.end() ? 0 : before->second;
    if (counter.total <= told) continue;
    if (!append(commit, counter, counter.total - told).ok()) return;
    moved.emplace_back(name, counter.total);
  }
  if (moved.empty() || !commit.submit(nullptr).ok()) return;
  for (const auto& [name, total] : moved) told_[name] = total;
}

Result<void> DropReports::append(Commit& commit, const Counter& counter, uint64_t count) const {
  Event event;
  event.type = event_type::drop;
  event.source = house_.source;
  event.subject = counter.subject;
  event.time = house_.clock.wall();
  event.data = codec::cbor_map({{"reason", counter.reason},
                                {"count", count},
                                {"total", counter.total},
                                {"interval_ms", drop_report_interval_ms}});
  EventView shown = view(event);
  LIMPET_TRY(shown.sequence, commit.append(event));
  return commit.deliver_consequence(shown);
}

}  // namespace limpet::daemon
