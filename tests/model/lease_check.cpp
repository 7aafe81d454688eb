#include "tests/model/lease_check.hpp"

#include <algorithm>

namespace limpet::testing {

namespace {

std::pair<StoreMs, uint64_t> place_of(const ModelQueue& queue, uint64_t id) {
  return {queue.tasks.at(id).ready_at, id};
}

// Smaller goes first.
int64_t rank_of(const ModelQueue& queue, uint64_t id) {
  const ModelTask& task = queue.tasks.at(id);
  const int64_t ageing_ms = to_ms(queue.settings.ageing);
  if (ageing_ms == 0) return -int64_t{task.spec.priority};
  return static_cast<int64_t>(task.ready_at) - int64_t{task.spec.priority} * ageing_ms;
}

bool same_lane(const ModelTask& a, const ModelTask& b) {
  return a.spec.tenant == b.spec.tenant && a.spec.priority == b.spec.priority;
}

std::string name_of(uint64_t id) { return "task " + std::to_string(id); }

std::string why_not(const QueueModel& model, const ModelQueue& queue, uint64_t id, StoreMs now) {
  const auto found = queue.tasks.find(id);
  if (found == queue.tasks.end()) {
    if (queue.dead.contains(id)) return "is dead";
    return model.queue_of(id) != nullptr ? "is in another queue" : "is not there";
  }
  const ModelTask& task = found->second;
  if (queue.state == QueueState::paused) return "is in a paused queue";
  if (task.lease) return "is leased";
  if (task.on_its_way) return "is in a change that is not on disk";
  if (task.ready_at > now) return "is delayed";
  if (task.not_before > now) return "waits after a failure";
  if (task.expires_at != 0 && task.expires_at <= now) return "has expired";
  return "is not its group's turn";
}

}  // namespace

std::string LeaseCheck::check_one(const QueueModel& model, const ModelQueue& queue, uint64_t id,
                                  const Moment& moment) const {
  const StoreMs now = moment.now;
  const std::vector<uint64_t> ready = model.leasable(queue, now);
  if (std::ranges::find(ready, id) == ready.end()) {
    return "a lease gives what it may not: " + name_of(id) + " " + why_not(model, queue, id, now);
  }
  const ModelTask& task = queue.tasks.at(id);
  if (queue.leased() >= queue.settings.in_flight_max) return "more in flight than the limit";
  const size_t bytes = queue.leased_bytes();
  if (bytes > 0 && bytes + task.spec.payload.size() > queue.settings.in_flight_bytes_max) {
    return "more bytes in flight than the limit";
  }
  for (const uint64_t other : ready) {
    const ModelTask& waiting = queue.tasks.at(other);
    if (waiting.not_before > moment.pumped_at) continue;
    if (same_lane(waiting, task) && place_of(queue, other) < place_of(queue, id)) {
      return name_of(id) + " goes before the older " + name_of(other) + " of its lane";
    }
    const bool wrong = model.mistake() == Mistake::priority_ignored
                           ? other < id
                           : rank_of(queue, other) < rank_of(queue, id);
    if (waiting.spec.tenant == task.spec.tenant && wrong) {
      return name_of(id) + " goes before " + name_of(other) + " of a higher rank";
    }
  }
  return {};
}

std::string LeaseCheck::check_tenants(const QueueModel& model, const std::string& name, uint64_t id,
                                      StoreMs now) {
  const ModelQueue& queue = model.queues.at(name);
  if (queue.settings.tenant_rate.count != 0) return {};
  auto& leads = leads_[name];
  const std::string& served = queue.tasks.at(id).spec.tenant;
  std::set<std::string> waiting;
  for (const uint64_t other : model.leasable(queue, now)) {
    waiting.insert(queue.tasks.at(other).spec.tenant);
  }
  std::erase_if(leads, [&](const auto& lead) { return !waiting.contains(lead.first); });
  leads.erase(served);
  for (const std::string& tenant : waiting) {
    if (tenant == served) continue;
    uint64_t& lead = leads[tenant][served];
    lead += std::max<uint64_t>(queue.tasks.at(id).spec.payload.size(), tenant_task_bytes_min);
    if (lead > tenant_lead_bytes_max) {
      return "tenant '" + tenant + "' waits while '" + served + "' is served on and on";
    }
  }
  return {};
}

std::string LeaseCheck::check(QueueModel& model, const std::string& name, const Given& given,
                              StoreMs now) {
  ModelQueue& queue = model.queues.at(name);
  size_t bytes = 0;
  for (const uint64_t id : given.tasks) {
    std::string fault = check_one(model, queue, id, {now, given.complete ? now : given.pumped_at});
    if (fault.empty()) fault = check_tenants(model, name, id, now);
    if (!fault.empty()) return fault;
    bytes += queue.tasks[id].spec.payload.size();
    queue.tasks[id].lease = ModelLease{0, BootTime{UINT64_MAX}};
  }
  if (given.tasks.size() > given.tasks_max) return "a lease gives more tasks than were asked for";
  if (given.tasks.size() > 1 && bytes > given.bytes_max) return "a lease gives too many bytes";
  const bool limited = queue.settings.rate.count != 0 || queue.settings.tenant_rate.count != 0;
  if (!given.complete || limited || given.tasks.size() == given.tasks_max) return {};
  if (queue.leased() >= queue.settings.in_flight_max) return {};
  // Too little was given: only bytes can be the reason.
  const size_t in_flight = queue.leased_bytes();
  const std::vector<uint64_t> left = model.leasable(queue, now);
  for (const uint64_t id : left) {
    const size_t size = queue.tasks[id].spec.payload.size();
    const bool fits = given.tasks.empty() || bytes + size <= given.bytes_max;
    const bool room = in_flight == 0 || in_flight + size <= queue.settings.in_flight_bytes_max;
    if (!fits || !room) return {};
  }
  if (left.empty()) return {};
  return "a lease gives " + std::to_string(given.tasks.size()) + " of " +
         std::to_string(given.tasks_max) + " although " + name_of(left.front()) + " is ready";
}

}  // namespace limpet::testing
