#include "daemon/metrics.hpp"

#include "api/metrics_text.hpp"
#include "platform/memory.hpp"

namespace limpet::daemon {

namespace {

using api::MetricKind;
using api::MetricsText;

void one(MetricsText& text, const api::Metric& metric, uint64_t value) {
  text.family(metric);
  text.value({}, static_cast<double>(value));
}

void store_metrics(MetricsText& text, const StatusParts& parts) {
  const store::StoreInfo info = parts.house.store.info();
  const store::HotRecord& hot = parts.house.store.newest();
  one(text, {"limpet_store_bytes", MetricKind::gauge, "What the store's tree fills."},
      info.used_bytes);
  one(text, {"limpet_store_bytes_max", MetricKind::gauge, "store.max_bytes."}, info.max_bytes);
  one(text, {"limpet_store_commits_total", MetricKind::counter, "Commits since the start."},
      info.writer.commits);
  one(text, {"limpet_store_changes_total", MetricKind::counter, "Changes in these commits."},
      info.writer.changes);
  one(text, {"limpet_store_pending", MetricKind::gauge, "Changes that wait for the disk."},
      info.writer.pending_changes);
  one(text, {"limpet_store_refused_full_total", MetricKind::counter, "Refused for want of room."},
      info.refused_full);
  one(text, {"limpet_store_refused_busy_total", MetricKind::counter, "Refused by a full writer."},
      info.writer.busy);
  text.family({"limpet_log_events", MetricKind::gauge, "Events that the log holds."});
  text.value({}, static_cast<double>(hot.events));
  one(text, {"limpet_log_last_sequence", MetricKind::gauge, "The newest durable sequence."},
      info.durable_end.value() - 1);
}

using QueueNumber = uint64_t dispatch::QueueStats::*;

void queue_family(MetricsText& text, const StatusParts& parts, const api::Metric& metric,
                  QueueNumber number) {
  text.family(metric);
  parts.house.queues->each([&](const dispatch::QueueStats& stats) {
    text.value({{"queue", stats.name}}, static_cast<double>(stats.*number));
  });
}

void queue_metrics(MetricsText& text, const StatusParts& parts) {
  using Stats = dispatch::QueueStats;
  struct Family {
    std::string_view name;
    MetricKind kind;
    std::string_view help;
    QueueNumber number;
  };
  constexpr Family families[] = {
      {"limpet_queue_tasks", MetricKind::gauge, "Tasks that are not dead.", &Stats::tasks},
      {"limpet_queue_bytes", MetricKind::gauge, "Their payloads.", &Stats::bytes},
      {"limpet_queue_leased", MetricKind::gauge, "Tasks in the hands of workers.", &Stats::leased},
      {"limpet_queue_delayed", MetricKind::gauge, "Tasks that wait for their time.",
       &Stats::delayed},
      {"limpet_queue_dead", MetricKind::gauge, "Dead letters.", &Stats::dead},
      {"limpet_queue_enqueued_total", MetricKind::counter, "Tasks taken.", &Stats::enqueued},
      {"limpet_queue_duplicates_total", MetricKind::counter, "Tasks known by their key.",
       &Stats::duplicates},
      {"limpet_queue_leases_total", MetricKind::counter, "Leases given.", &Stats::leases},
      {"limpet_queue_acked_total", MetricKind::counter, "Tasks done.", &Stats::acked},
      {"limpet_queue_retried_total", MetricKind::counter, "Failed attempts that come again.",
       &Stats::retried},
      {"limpet_queue_lease_expired_total", MetricKind::counter, "Leases that ran out.",
       &Stats::lease_expired},
      {"limpet_queue_died_total", MetricKind::counter, "Tasks that became dead letters.",
       &Stats::died},
      {"limpet_queue_redriven_total", MetricKind::counter, "Dead letters made ready again.",
       &Stats::redriven},
      {"limpet_queue_refused_full_total", MetricKind::counter, "Tasks refused at a limit.",
       &Stats::refused_full},
      {"limpet_queue_dropped_oldest_total", MetricKind::counter, "Tasks that made room.",
       &Stats::dropped_oldest},
      {"limpet_queue_stale_total", MetricKind::counter, "Answers with an old token.",
       &Stats::stale},
      {"limpet_queue_limited_total", MetricKind::counter, "Leases cut short by a limit.",
       &Stats::limited},
  };
  for (const Family& family : families) {
    queue_family(text, parts, {family.name, family.kind, family.help}, family.number);
  }
  text.family({"limpet_queue_oldest_age_seconds", MetricKind::gauge, "Age of the oldest ready."});
  parts.house.queues->each([&](const Stats& stats) {
    text.value({{"queue", stats.name}}, static_cast<double>(stats.oldest_age.ns) / 1e9);
  });
}

void consumer_metrics(MetricsText& text, const StatusParts& parts) {
  const auto stats = parts.log_consumers->stats(parts.house.clock.wall());
  if (!stats.ok()) return;
  const auto family = [&](const api::Metric& metric, auto number) {
    text.family(metric);
    for (const dispatch::ConsumerStats& one : *stats) {
      text.value({{"consumer", one.name}}, static_cast<double>(number(one)));
    }
  };
  using Stats = dispatch::ConsumerStats;
  family({"limpet_consumer_lag", MetricKind::gauge, "Events of the log behind it."},
         [](const Stats& one) { return one.lag; });
  family({"limpet_consumer_pending", MetricKind::gauge, "Events given and not acknowledged."},
         [](const Stats& one) { return one.pending; });
  family({"limpet_consumer_oldest_age_seconds", MetricKind::gauge,
          "Age of the oldest event that is not acknowledged."},
         [](const Stats& one) { return static_cast<double>(one.oldest_age.ns) / 1e9; });
  family({"limpet_consumer_delivered_total", MetricKind::counter, "Events given."},
         [](const Stats& one) { return one.delivered; });
  family({"limpet_consumer_redelivered_total", MetricKind::counter, "Of them, once more."},
         [](const Stats& one) { return one.redelivered; });
  family({"limpet_consumer_skipped_total", MetricKind::counter, "Events that left unread."},
         [](const Stats& one) { return one.skipped; });
}

void times(MetricsText& text, const api::Metric& metric, std::string_view label,
           const TimesByName& times) {
  text.family(metric);
  for (const auto& [name, histogram] : times.all()) {
    text.histogram({{label, name}}, histogram.view());
  }
}

void time_metrics(MetricsText& text, const Measures& measures) {
  times(text, {"limpet_queue_wait_seconds", MetricKind::histogram, "From enqueuing to the lease."},
        "queue", measures.queue_wait);
  times(text, {"limpet_queue_hold_seconds", MetricKind::histogram, "From the lease to the ack."},
        "queue", measures.queue_hold);
  times(text, {"limpet_tenant_wait_seconds", MetricKind::histogram, "From enqueuing to the lease."},
        "tenant", measures.tenant_wait);
  times(text, {"limpet_tool_seconds", MetricKind::histogram, "From a call to its result."}, "tool",
        measures.tool);
  times(text, {"limpet_step_seconds", MetricKind::histogram, "From a step's call to its result."},
        "step", measures.step);
  text.family({"limpet_round_seconds", MetricKind::histogram, "Rounds of the main loop."});
  text.histogram({}, measures.round.view());
}

void tool_metrics(MetricsText& text, const ToolRules& tools) {
  text.family({"limpet_tool_breaker_open", MetricKind::gauge, "1: its breaker lets nothing go."});
  tools.each([&](const ToolRules::View& view) {
    const bool open = view.breaker != dispatch::Breaker::State::closed;
    text.value({{"tool", view.tool}}, open ? 1 : 0);
  });
  text.family({"limpet_tool_limited_total", MetricKind::counter, "Calls that had to wait."});
  tools.each([&](const ToolRules::View& view) {
    text.value({{"tool", view.tool}}, static_cast<double>(view.limited));
  });
}

void run_metrics(MetricsText& text, const StatusParts& parts) {
  constexpr RunState states[] = {RunState::queued,   RunState::running,   RunState::waiting,
                                 RunState::paused,   RunState::completed, RunState::failed,
                                 RunState::cancelled};
  text.family({"limpet_runs", MetricKind::gauge, "Runs by state."});
  for (size_t index = 0; index < std::size(states); ++index) {
    text.value({{"state", to_string(states[index])}},
               static_cast<double>(parts.house.store.newest().runs[index]));
  }
  const TurnCounters& turns = parts.turns.counters();
  one(text, {"limpet_turns_total", MetricKind::counter, "Turns taken."}, turns.turns);
  one(text, {"limpet_turns_failed_total", MetricKind::counter, "Turns that failed."}, turns.failed);
  const CallCounters& calls = parts.calls.counters();
  one(text, {"limpet_calls_total", MetricKind::counter, "Tool calls begun."}, calls.begun);
  one(text, {"limpet_calls_failed_total", MetricKind::counter, "Tool calls that failed."},
      calls.failed);
  one(text, {"limpet_calls_parked_total", MetricKind::counter, "Calls whose fate is unknown."},
      calls.parked);
}

void schedule_metrics(MetricsText& text, const Schedules& schedules) {
  one(text, {"limpet_schedule_ticks_total", MetricKind::counter, "Ticks that came."},
      schedules.ticks());
  one(text, {"limpet_schedule_skipped_total", MetricKind::counter, "Ticks missed and left out."},
      schedules.skipped());
}

void drop_metrics(MetricsText& text, const StatusParts& parts) {
  const DropCounters& drops = parts.house.drops;
  text.family(
      {"limpet_drops_total", MetricKind::counter, "What was refused or dropped, by reason."});
  text.value({{"reason", "refused"}}, static_cast<double>(drops.refused));
  text.value({{"reason", "inbox_full"}}, static_cast<double>(drops.inbox_full));
  text.value({{"reason", "trigger_depth"}}, static_cast<double>(drops.trigger_depth));
  text.value({{"reason", "dedup_shortened"}},
             static_cast<double>(parts.house.dedup.stats().shortened));
}

void process_metrics(MetricsText& text, const StatusParts& parts) {
  const Result<platform::MemoryUse> use = platform::memory_use();
  if (use.ok()) {
    one(text, {"limpet_memory_pss_bytes", MetricKind::gauge, "Memory with its share of libraries."},
        use->pss_bytes);
    one(text, {"limpet_memory_anonymous_bytes", MetricKind::gauge, "Memory of its own."},
        use->anonymous_bytes);
  }
  one(text, {"limpet_memory_limit_bytes", MetricKind::gauge, "limits.memory."},
      parts.settings.limits.memory_bytes);
}

}  // namespace

std::string metrics_text(const StatusParts& parts) {
  std::string out;
  MetricsText text(out);
  process_metrics(text, parts);
  store_metrics(text, parts);
  run_metrics(text, parts);
  if (parts.house.queues != nullptr) queue_metrics(text, parts);
  if (parts.house.tools != nullptr) tool_metrics(text, *parts.house.tools);
  if (parts.log_consumers != nullptr) consumer_metrics(text, parts);
  time_metrics(text, parts.house.measures);
  if (parts.schedules != nullptr) schedule_metrics(text, *parts.schedules);
  drop_metrics(text, parts);
  text.finish();
  return out;
}

}  // namespace limpet::daemon
