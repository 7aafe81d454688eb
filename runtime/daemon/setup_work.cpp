#include "daemon/setup_work.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "config/units.hpp"

namespace limpet::daemon {

namespace {

dispatch::Rate to_rate(const config::RateSettings& rate) {
  return {static_cast<uint32_t>(rate.count), rate.per, 0};
}

dispatch::Backoff to_backoff(const config::QueueSettings& queue) {
  dispatch::Backoff backoff;
  for (const std::string& text : queue.backoff) {
    const std::optional<Duration> wait = config::parse_duration(text);
    LIMPET_ASSERT(wait.has_value());  // checked when it was read
    backoff.list.push_back(*wait);
  }
  backoff.min = queue.backoff_min;
  backoff.factor_percent = static_cast<uint32_t>(queue.backoff_factor * 100);
  backoff.max = queue.backoff_max;
  backoff.jitter_percent = static_cast<uint32_t>(queue.backoff_jitter);
  return backoff;
}

dispatch::QueueSettings to_queue(const config::QueueSettings& from) {
  dispatch::QueueSettings queue;
  queue.name = from.name;
  queue.tasks_max = from.max_tasks;
  queue.bytes_max = from.max_bytes;
  queue.overflow = from.drop_oldest ? dispatch::Overflow::drop_oldest : dispatch::Overflow::reject;
  queue.attempts_max = static_cast<uint32_t>(from.max_attempts);
  queue.lease = from.lease;
  queue.in_flight_max = static_cast<uint32_t>(from.max_in_flight);
  queue.in_flight_bytes_max = from.max_in_flight_bytes;
  queue.ageing = from.ageing;
  queue.ttl = from.ttl;
  queue.dedup_window = from.dedup_window;
  queue.backoff = to_backoff(from);
  queue.group_on_dead =
      from.park_group ? dispatch::GroupOnDead::park : dispatch::GroupOnDead::go_on;
  queue.tenant_tasks_max = from.max_tenant_tasks;
  queue.rate = to_rate(from.rate);
  queue.tenant_rate = to_rate(from.tenant_rate);
  queue.dead_max = from.max_dead;
  return queue;
}

bool has(const std::vector<std::string>& hints, std::string_view hint) {
  return std::ranges::find(hints, hint) != hints.end();
}

}  // namespace

std::vector<store::ClassSettings> make_classes(const config::Settings& settings) {
  std::vector<store::ClassSettings> classes;
  for (const config::ClassSettings& from : settings.classes) {
    store::ClassSettings entry;
    entry.name = from.name;
    entry.types = from.types;
    entry.max_bytes = from.max_bytes;
    entry.max_age = from.max_age;
    entry.on_full =
        from.on_full == config::OnFull::reject ? store::OnFull::reject : store::OnFull::drop_oldest;
    entry.durability = from.durability == config::Durability::relaxed ? store::Durability::relaxed
                                                                      : store::Durability::durable;
    classes.push_back(std::move(entry));
  }
  return classes;
}

std::vector<dispatch::QueueSettings> make_queues(const config::Settings& settings) {
  std::vector<dispatch::QueueSettings> queues;
  for (const config::QueueSettings& queue : settings.queues) queues.push_back(to_queue(queue));
  return queues;
}

std::vector<dispatch::ClassTypes> class_types(const store::Classes& classes) {
  std::vector<dispatch::ClassTypes> types;
  for (uint8_t number = 0; number < store::classes_max; ++number) {
    const store::Classes::Class& entry = classes.at(number);
    // `work` has what no other class has, and one that the config names no more has what it had:
    // any type.
    const bool by_type = entry.configured && number != store::work_class;
    if (by_type) types.push_back({number, entry.settings.types});
    if (!by_type && !entry.name.empty()) types.push_back({number, {}});
  }
  return types;
}

ToolRules make_tool_rules(const config::Settings& settings) {
  std::vector<ToolRule> rules;
  for (const config::ToolSettings& from : settings.tools) {
    ToolRule rule;
    rule.pattern = from.name;
    rule.queue = from.queue;
    rule.hints.read_only = has(from.hints, "read_only");
    rule.hints.idempotent = has(from.hints, "idempotent");
    // Whoever says something of it would say that too; without a word the worst is assumed.
    rule.hints.destructive = has(from.hints, "destructive") || from.hints.empty();
    rule.rate = to_rate(from.rate);
    rule.breaker = {static_cast<uint32_t>(from.breaker_failures), from.breaker_open};
    rules.push_back(std::move(rule));
  }
  std::vector<AgentRate> agents;
  for (const config::AgentSettings& agent : settings.agents) {
    if (agent.rate.count > 0) agents.push_back({agent.name, to_rate(agent.rate)});
  }
  return ToolRules(std::move(rules), std::move(agents));
}

api::RightsTable make_rights(const config::Settings& settings) {
  std::vector<api::PrincipalRights> entries;
  for (const config::PrincipalSettings& from : settings.principals) {
    api::PrincipalRights entry;
    entry.principal = from.name;
    for (const std::string& name : from.rights) {
      const std::optional<api::Right> right = api::parse_right(name);
      LIMPET_ASSERT(right.has_value());  // checked when it was read
      entry.rights.push_back(*right);
    }
    entries.push_back(std::move(entry));
  }
  return api::RightsTable(std::move(entries));
}

std::vector<Schedule> make_schedules(const config::Settings& settings) {
  std::vector<Schedule> schedules;
  for (const config::ScheduleSettings& from : settings.schedules) {
    Schedule schedule;
    schedule.name = from.name;
    if (!from.cron.empty()) schedule.cron = parse_cron(from.cron);
    schedule.every = from.every;
    schedule.queue = from.queue;
    schedule.event = from.event;
    schedule.payload = from.payload;
    schedule.catch_up = from.catch_up == config::CatchUp::skip   ? CatchUp::skip
                        : from.catch_up == config::CatchUp::once ? CatchUp::once
                                                                 : CatchUp::all;
    schedules.push_back(std::move(schedule));
  }
  return schedules;
}

}  // namespace limpet::daemon
