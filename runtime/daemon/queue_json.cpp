#include "daemon/queue_json.hpp"

#include "api/json_writer.hpp"

namespace limpet::daemon {

void append_queue(std::string& out, const dispatch::QueueStats& stats) {
  api::JsonObject object(out);
  object.text("name", stats.name);
  object.text("state", dispatch::to_string(stats.state));
  object.boolean("configured", stats.configured);
  const uint64_t busy = stats.leased + stats.delayed;
  object.number("ready", stats.tasks > busy ? stats.tasks - busy : 0);
  object.number("leased", stats.leased);
  object.number("delayed", stats.delayed);
  object.number("dead", stats.dead);
  object.number("tasks", stats.tasks);
  object.number("tasks_max", stats.tasks_max);
  object.number("bytes", stats.bytes);
  object.number("bytes_max", stats.bytes_max);
  object.number("oldest_age_ms", static_cast<uint64_t>(to_ms(stats.oldest_age)));
  object.number("enqueued", stats.enqueued);
  object.number("duplicates", stats.duplicates);
  object.number("leases", stats.leases);
  object.number("acked", stats.acked);
  object.number("retried", stats.retried);
  object.number("released", stats.released);
  object.number("lease_expired", stats.lease_expired);
  object.number("died", stats.died);
  object.number("redriven", stats.redriven);
  object.number("refused_full", stats.refused_full);
  object.number("dropped_oldest", stats.dropped_oldest);
  object.number("dead_dropped", stats.dead_dropped);
  object.number("stale", stats.stale);
  object.number("limited", stats.limited);
  object.end();
}

}  // namespace limpet::daemon
