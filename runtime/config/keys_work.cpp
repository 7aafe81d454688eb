#include <array>

#include "base/limits.hpp"
#include "config/key_checks.hpp"
#include "config/keys.hpp"

// The keys of what is kept and worked on: classes, queues, tools, schedules, principals.

namespace limpet::config {

namespace {

constexpr uint64_t gibi = uint64_t{1} << 30;
constexpr uint64_t day_ms = 86400000;
constexpr uint64_t dedup_window_ms_max = 300000;  // what the table of recent keys remembers

bool choose_on_full(ClassSettings& entry, std::string_view choice) {
  if (choice != "reject" && choice != "drop_oldest") return false;
  entry.on_full = choice == "reject" ? OnFull::reject : OnFull::drop_oldest;
  return true;
}

bool choose_durability(ClassSettings& entry, std::string_view choice) {
  if (choice != "durable" && choice != "relaxed") return false;
  entry.durability = choice == "durable" ? Durability::durable : Durability::relaxed;
  return true;
}

bool choose_overflow(QueueSettings& queue, std::string_view choice) {
  if (choice != "reject" && choice != "drop_oldest") return false;
  queue.drop_oldest = choice == "drop_oldest";
  return true;
}

bool choose_group_on_dead(QueueSettings& queue, std::string_view choice) {
  if (choice != "continue" && choice != "park") return false;
  queue.park_group = choice == "park";
  return true;
}

bool choose_catch_up(ScheduleSettings& schedule, std::string_view choice) {
  if (choice == "skip") {
    schedule.catch_up = CatchUp::skip;
  } else if (choice == "once") {
    schedule.catch_up = CatchUp::once;
  } else if (choice == "all") {
    schedule.catch_up = CatchUp::all;
  } else {
    return false;
  }
  return true;
}

const std::array<Key<ClassSettings>, 6> class_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"telemetry\"",
      .max = limits::name_bytes_max,
      .required = true,
      .reason =
          "The class's name. `work` is always there; a section of that name sets its limits."},
     &ClassSettings::name,
     check_queue_name},
    {{.name = "types",
      .type = KeyType::list,
      .fallback = "[]",
      .max = limits::event_type_bytes_max,
      .reason = "Patterns of the event types that belong to it; the first class that matches has "
                "the event."},
     &ClassSettings::types,
     check_pattern},
    {{.name = "max_bytes",
      .type = KeyType::size,
      .fallback = "\"0B\"",
      .max = 1024 * gibi,
      .reason = "What its events may fill. 0B: only the limit of the store."},
     &ClassSettings::max_bytes,
     nullptr},
    {{.name = "max_age",
      .type = KeyType::duration,
      .fallback = "\"0s\"",
      .max = 3650 * day_ms,
      .reason = "Older events leave. 0s: none does for its age."},
     &ClassSettings::max_age,
     nullptr},
    {{.name = "on_full",
      .type = KeyType::choice,
      .fallback = "\"reject\"",
      .choices = "reject, drop_oldest",
      .reason = "At the limit: reject refuses new events when nothing can leave that nobody needs "
                "any more; drop_oldest lets the oldest leave, read or not, and counts them."},
     &choose_on_full,
     nullptr},
    {{.name = "durability",
      .type = KeyType::choice,
      .fallback = "\"durable\"",
      .choices = "durable, relaxed",
      .reason = "durable: acknowledged when it is on the disk. relaxed: at once, and the events of "
                "about the last second are lost with the power; far fewer writes to the flash."},
     &choose_durability,
     nullptr},
}};

const std::array<Key<QueueSettings>, 21> queue_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"jobs\"",
      .max = limits::name_bytes_max,
      .required = true,
      .reason = "The queue's name."},
     &QueueSettings::name,
     check_queue_name},
    {{.name = "max_tasks",
      .type = KeyType::count,
      .fallback = "100000",
      .min = 1,
      .max = 100000000,
      .reason = "Tasks it holds at most, leased and delayed ones included."},
     &QueueSettings::max_tasks,
     nullptr},
    {{.name = "max_bytes",
      .type = KeyType::size,
      .fallback = "\"64MiB\"",
      .min = 65536,
      .max = 1024 * gibi,
      .reason = "Payloads it holds at most."},
     &QueueSettings::max_bytes,
     nullptr},
    {{.name = "overflow",
      .type = KeyType::choice,
      .fallback = "\"reject\"",
      .choices = "reject, drop_oldest",
      .reason = "At a limit: reject answers the producer 429 and when to come back; drop_oldest "
                "makes the oldest task that nobody works on a dead letter."},
     &choose_overflow,
     nullptr},
    {{.name = "max_attempts",
      .type = KeyType::count,
      .fallback = "5",
      .min = 1,
      .max = 1000,
      .reason = "Failed attempts after which a task is a dead letter. A task given back or a "
                "restart is no attempt."},
     &QueueSettings::max_attempts,
     nullptr},
    {{.name = "lease",
      .type = KeyType::duration,
      .fallback = "\"30s\"",
      .min = 1000,
      .max = day_ms,
      .reason = "How long a worker has a task before it goes to another, unless it extends."},
     &QueueSettings::lease,
     nullptr},
    {{.name = "max_in_flight",
      .type = KeyType::count,
      .fallback = "1000",
      .min = 1,
      .max = 16384,
      .reason = "Tasks that are leased at once, of all workers."},
     &QueueSettings::max_in_flight,
     nullptr},
    {{.name = "max_in_flight_bytes",
      .type = KeyType::size,
      .fallback = "\"16MiB\"",
      .min = 65536,
      .max = gibi,
      .reason = "Payloads that are leased at once."},
     &QueueSettings::max_in_flight_bytes,
     nullptr},
    {{.name = "ageing",
      .type = KeyType::duration,
      .fallback = "\"30s\"",
      .max = day_ms,
      .choices = "off",
      .reason =
          "How much earlier one step of priority is served: with 30s a task of priority 5 goes "
          "before one of priority 6 that came half a minute later. off: strict priority."},
     &QueueSettings::ageing,
     nullptr},
    {{.name = "ttl",
      .type = KeyType::duration,
      .fallback = "\"0s\"",
      .max = 3650 * day_ms,
      .reason = "Tasks that are not begun after this time are dead letters, unless they say "
                "otherwise. 0s: never."},
     &QueueSettings::ttl,
     nullptr},
    {{.name = "dedup_window",
      .type = KeyType::duration,
      .fallback = "\"5m\"",
      .max = dedup_window_ms_max,
      .reason = "A task with the same key within this time is answered with the first one."},
     &QueueSettings::dedup_window,
     nullptr},
    {{.name = "backoff",
      .type = KeyType::list,
      .fallback = "[]",
      .max = 32,
      .reason = "The waits after the first, second ... failure as durations; the last one for all "
                "further ones. Empty: the four keys below."},
     &QueueSettings::backoff,
     check_backoff},
    {{.name = "backoff_min",
      .type = KeyType::duration,
      .fallback = "\"1s\"",
      .max = day_ms,
      .reason = "The wait after the first failure."},
     &QueueSettings::backoff_min,
     nullptr},
    {{.name = "backoff_factor",
      .type = KeyType::count,
      .fallback = "2",
      .min = 1,
      .max = 10,
      .reason = "Each further wait is so many times the one before."},
     &QueueSettings::backoff_factor,
     nullptr},
    {{.name = "backoff_max",
      .type = KeyType::duration,
      .fallback = "\"5m\"",
      .max = 30 * day_ms,
      .reason = "The longest wait."},
     &QueueSettings::backoff_max,
     nullptr},
    {{.name = "backoff_jitter",
      .type = KeyType::count,
      .fallback = "20",
      .max = 50,
      .reason = "Percent that are added or taken off at random, so that what failed together does "
                "not come back together."},
     &QueueSettings::backoff_jitter,
     nullptr},
    {{.name = "group_on_dead",
      .type = KeyType::choice,
      .fallback = "\"continue\"",
      .choices = "continue, park",
      .reason = "When a task of a group dies: continue with the next, or park the group until the "
                "dead letter is redriven or dropped."},
     &choose_group_on_dead,
     nullptr},
    {{.name = "max_tenant_tasks",
      .type = KeyType::count,
      .fallback = "0",
      .max = 100000000,
      .reason = "Tasks of one tenant at most. 0: only the limit of the queue."},
     &QueueSettings::max_tenant_tasks,
     nullptr},
    {{.name = "rate",
      .type = KeyType::rate,
      .fallback = "\"off\"",
      .max = 1000000,
      .reason = "Leases, of all workers together."},
     &QueueSettings::rate,
     nullptr},
    {{.name = "tenant_rate",
      .type = KeyType::rate,
      .fallback = "\"off\"",
      .max = 1000000,
      .reason = "Leases of one tenant's tasks."},
     &QueueSettings::tenant_rate,
     nullptr},
    {{.name = "max_dead",
      .type = KeyType::count,
      .fallback = "10000",
      .min = 1,
      .max = 10000000,
      .reason = "Dead letters that are kept; beyond them the oldest leave, and are counted."},
     &QueueSettings::max_dead,
     nullptr},
}};

const std::array<Key<ToolSettings>, 6> tool_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"ocr.page\"",
      .max = limits::tool_name_bytes_max,
      .required = true,
      .reason = "The tool, or a pattern of tools."},
     &ToolSettings::name,
     check_pattern},
    {{.name = "queue",
      .type = KeyType::text,
      .example = "\"ocr\"",
      .max = limits::name_bytes_max,
      .reason = "A [[queue]] whose workers carry out the calls of this one tool: each call is a "
                "task, its ack brings the result."},
     &ToolSettings::queue,
     check_queue_name},
    {{.name = "hints",
      .type = KeyType::list,
      .fallback = "[]",
      .max = 32,
      .reason = "What the workers' tool is: read_only, idempotent, destructive. Without a hint its "
                "calls are never repeated when their fate is unknown."},
     &ToolSettings::hints,
     check_tool_hint},
    {{.name = "rate",
      .type = KeyType::rate,
      .fallback = "\"off\"",
      .max = 1000000,
      .reason = "Calls of it, of all agents together; more of them wait."},
     &ToolSettings::rate,
     nullptr},
    {{.name = "breaker_failures",
      .type = KeyType::count,
      .fallback = "0",
      .max = 1000,
      .reason = "After so many failures in a row its calls wait; one at a time tries whether it "
                "works again. 0: never."},
     &ToolSettings::breaker_failures,
     nullptr},
    {{.name = "breaker_open",
      .type = KeyType::duration,
      .fallback = "\"30s\"",
      .min = 1000,
      .max = day_ms,
      .reason = "How long they wait before the next try."},
     &ToolSettings::breaker_open,
     nullptr},
}};

const std::array<Key<ScheduleSettings>, 7> schedule_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"nightly\"",
      .max = limits::name_bytes_max,
      .required = true,
      .reason = "Its name, under which the last tick is stored."},
     &ScheduleSettings::name,
     check_queue_name},
    {{.name = "cron",
      .type = KeyType::text,
      .example = "\"0 2 * * *\"",
      .max = 128,
      .reason = "Minute, hour, day, month and weekday in UTC. Either this or `every`."},
     &ScheduleSettings::cron,
     check_cron},
    {{.name = "every",
      .type = KeyType::duration,
      .example = "\"10m\"",
      .min = 1000,
      .max = 366 * day_ms,
      .reason = "An interval. Either this or `cron`."},
     &ScheduleSettings::every,
     nullptr},
    {{.name = "queue",
      .type = KeyType::text,
      .example = "\"jobs\"",
      .max = limits::name_bytes_max,
      .reason = "A [[queue]] into which each tick puts a task. Either this or `event`."},
     &ScheduleSettings::queue,
     check_queue_name},
    {{.name = "event",
      .type = KeyType::text,
      .example = "\"schedule.nightly\"",
      .max = limits::event_type_bytes_max,
      .reason = "The type of the event that each tick is. Either this or `queue`."},
     &ScheduleSettings::event,
     check_event_type},
    {{.name = "payload",
      .type = KeyType::table,
      .fallback = "{}",
      .max = section_config_bytes_max,
      .reason = "What the task or the event carries."},
     &ScheduleSettings::payload,
     nullptr},
    {{.name = "catch_up",
      .type = KeyType::choice,
      .fallback = "\"once\"",
      .choices = "skip, once, all",
      .reason = "Ticks that were missed while Limpet was down: none, one for all, or all of them "
                "(the last 100)."},
     &choose_catch_up,
     nullptr},
}};

const std::array<Key<PrincipalSettings>, 2> principal_keys = {{
    {{.name = "name",
      .type = KeyType::text,
      .example = "\"uid:1000\"",
      .max = limits::event_attribute_bytes_max,
      .required = true,
      .reason = "uid:NUMBER for who comes over the socket, token:NAME for who comes over TCP; * as "
                "the number or name: all others."},
     &PrincipalSettings::name,
     check_principal},
    {{.name = "rights",
      .type = KeyType::list,
      .fallback = "[]",
      .max = 16,
      .reason = "What it may do: read, submit (events, runs, tasks), work (lease and acknowledge), "
                "operate, answer (asks)."},
     &PrincipalSettings::rights,
     check_right},
}};

}  // namespace

template <>
std::span<const Key<ClassSettings>> keys<ClassSettings>() {
  return class_keys;
}
template <>
std::span<const Key<QueueSettings>> keys<QueueSettings>() {
  return queue_keys;
}
template <>
std::span<const Key<ToolSettings>> keys<ToolSettings>() {
  return tool_keys;
}
template <>
std::span<const Key<ScheduleSettings>> keys<ScheduleSettings>() {
  return schedule_keys;
}
template <>
std::span<const Key<PrincipalSettings>> keys<PrincipalSettings>() {
  return principal_keys;
}

}  // namespace limpet::config
