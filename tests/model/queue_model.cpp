#include "tests/model/queue_model.hpp"

#include <algorithm>

namespace limpet::testing {

using dispatch::Failure;
using dispatch::GroupOnDead;
using dispatch::Nack;
using dispatch::Overflow;
using store::DeathReason;

namespace {

constexpr uint8_t priority_max = 9;

template <class Map>
auto find_holder(Map& queues, uint64_t task) -> decltype(&queues.begin()->second) {
  for (auto& [name, queue] : queues) {
    if (queue.tasks.contains(task)) return &queue;
  }
  return nullptr;
}

template <class Map>
auto find_grave(Map& queues, uint64_t task) -> decltype(&queues.begin()->second) {
  for (auto& [name, queue] : queues) {
    if (queue.dead.contains(task)) return &queue;
  }
  return nullptr;
}

bool over_limits(const ModelQueue& queue, size_t bytes) {
  return queue.tasks.size() + 1 > queue.settings.tasks_max ||
         queue.bytes() + bytes > queue.settings.bytes_max;
}

bool over_quota(const ModelQueue& queue, const std::string& tenant) {
  const uint64_t quota = queue.settings.tenant_tasks_max;
  return quota != 0 && queue.tasks_of(tenant) + 1 > quota;
}

bool takes_none(const ModelQueue& queue) {
  return !queue.configured || queue.state == QueueState::draining;
}

const std::vector<ErrorCode> closed_codes{ErrorCode::closed, ErrorCode::busy, ErrorCode::conflict,
                                          ErrorCode::full, ErrorCode::not_found};

void allow(Judgement& judgement, const std::vector<ErrorCode>& codes) {
  judgement.refusals.insert(judgement.refusals.end(), codes.begin(), codes.end());
}

}  // namespace

Duration backoff_after(const dispatch::Backoff& backoff, uint16_t failures) {
  if (!backoff.list.empty()) {
    return backoff.list[std::min<size_t>(failures, backoff.list.size()) - 1];
  }
  Duration wait = backoff.min;
  for (uint16_t failure = 1; failure < failures && wait < backoff.max; ++failure) {
    wait.ns = wait.ns / 100 * static_cast<int64_t>(backoff.factor_percent);
  }
  return std::min(wait, backoff.max);
}

uint64_t ModelQueue::bytes() const {
  uint64_t sum = 0;
  for (const auto& [id, task] : tasks) sum += task.spec.payload.size();
  return sum;
}

size_t ModelQueue::leased() const {
  size_t count = 0;
  for (const auto& [id, task] : tasks) count += task.lease ? 1 : 0;
  return count;
}

size_t ModelQueue::leased_bytes() const {
  size_t sum = 0;
  for (const auto& [id, task] : tasks) sum += task.lease ? task.spec.payload.size() : 0;
  return sum;
}

size_t ModelQueue::tasks_of(const std::string& tenant) const {
  size_t count = 0;
  for (const auto& [id, task] : tasks) count += task.spec.tenant == tenant ? 1 : 0;
  return count;
}

bool ModelQueue::is_head(uint64_t task) const {
  const auto head = heads.find(tasks.at(task).spec.group);
  return head != heads.end() && head->second == task;
}

bool ModelQueue::group_busy(const std::string& group) const {
  if (unsettled_groups.contains(group)) return true;
  return std::ranges::any_of(
      tasks, [&](const auto& one) { return one.second.spec.group == group && one.second.lease; });
}

bool ModelQueue::group_parked(const std::string& group) const {
  return std::ranges::any_of(dead, [&](const auto& one) {
    return one.second.parks && one.second.task.spec.group == group;
  });
}

ModelQueue* QueueModel::queue_of(uint64_t task) { return find_holder(queues, task); }
const ModelQueue* QueueModel::queue_of(uint64_t task) const { return find_holder(queues, task); }
ModelQueue* QueueModel::queue_of_dead(uint64_t task) { return find_grave(queues, task); }
const ModelQueue* QueueModel::queue_of_dead(uint64_t task) const {
  return find_grave(queues, task);
}

void QueueModel::configure(const std::vector<QueueSettings>& settings) {
  for (auto& [name, queue] : queues) queue.configured = false;
  for (const QueueSettings& one : settings) {
    ModelQueue& queue = queues[one.name];
    queue.settings = one;
    queue.configured = true;
  }
}

Judgement QueueModel::judge_enqueue(const std::string& name, const TaskSpec& spec,
                                    StoreMs now) const {
  Judgement judgement;
  const auto found = queues.find(name);
  if (found == queues.end()) return {false, {ErrorCode::not_found}, {}, false};
  const ModelQueue& queue = found->second;
  if (spec.priority > priority_max || (!spec.group.empty() && spec.delay_ms > 0)) {
    allow(judgement, {ErrorCode::invalid});
  }
  if (takes_none(queue)) allow(judgement, closed_codes);
  const auto key = queue.keys.find(spec.key);
  const bool known =
      !spec.key.empty() && mistake_ != Mistake::key_forgotten && key != queue.keys.end() &&
      now < key->second.at + static_cast<StoreMs>(to_ms(queue.settings.dedup_window));
  if (known) {
    judgement.repeat_of = key->second.task;
    return judgement;
  }
  judgement.may_succeed = judgement.refusals.empty();
  if (over_quota(queue, spec.tenant)) {
    judgement.may_succeed = false;
    allow(judgement, {ErrorCode::full});
  }
  if (!over_limits(queue, spec.payload.size())) return judgement;
  if (queue.settings.overflow == Overflow::reject || !judgement.may_succeed) {
    judgement.may_succeed = false;
    allow(judgement, {ErrorCode::full});
    return judgement;
  }
  judgement.may_overflow = true;
  // Only what is on disk, in no worker's hands, and not behind another one of its group can go.
  const bool all_can = std::ranges::all_of(queue.tasks, [](const auto& one) {
    return !one.second.lease && !one.second.on_its_way && one.second.spec.group.empty();
  });
  if (spec.payload.size() > queue.settings.bytes_max || !all_can) {
    allow(judgement, {ErrorCode::full, ErrorCode::too_large});
  }
  return judgement;
}

void QueueModel::enqueue(const std::string& name, const TaskSpec& spec, uint64_t task,
                         StoreMs now) {
  ModelQueue& queue = queues[name];
  ModelTask& added = queue.tasks[task];
  added.spec = spec;
  if (mistake_ == Mistake::bytes_forgotten) added.spec.payload.resize(1);
  added.ready_at = now + static_cast<StoreMs>(spec.delay_ms);
  const int64_t ttl_ms = spec.ttl_ms.value_or(to_ms(queue.settings.ttl));
  if (ttl_ms > 0) added.expires_at = added.ready_at + static_cast<StoreMs>(ttl_ms);
  added.on_its_way = true;
  join(queue, spec.group, task);
  if (!spec.key.empty()) queue.keys[spec.key] = {task, now};
}

std::string QueueModel::overflow(const std::string& name, uint64_t victim, StoreMs now) {
  ModelQueue& queue = queues[name];
  const auto found = queue.tasks.find(victim);
  if (found == queue.tasks.end()) return "what was dropped for room is not there";
  if (found->second.lease) return "a leased task was dropped for room";
  // Younger ones go only when the older ones cannot.
  for (const auto& [id, task] : queue.tasks) {
    if (id >= victim) break;
    const bool plain = !task.lease && task.spec.group.empty() && !task.on_its_way &&
                       task.ready_at <= found->second.ready_at;
    if (plain) return "an older task stays and a younger one is dropped for room";
  }
  ++queue.counts.dropped_oldest;
  const Settled gone = die(queue, victim, {DeathReason::overflow, now, {}});
  if (!gone.run.none()) overflowed.push_back(gone);
  return {};
}

Judgement QueueModel::judge_lease(const LeaseRef& lease) const {
  const ModelQueue* const queue = queue_of(lease.task.value());
  if (queue == nullptr) return {false, {ErrorCode::conflict, ErrorCode::not_found}, {}, false};
  const ModelTask& task = queue->tasks.at(lease.task.value());
  if (!task.lease) return {false, {ErrorCode::conflict, ErrorCode::not_found}, {}, false};
  if (task.lease->token != lease.token.value()) return {false, {ErrorCode::conflict}, {}, false};
  return {};
}

void QueueModel::lease(uint64_t task, const ModelLease& lease) {
  ModelQueue& queue = *queue_of(task);
  queue.tasks[task].lease = lease;
  ++queue.counts.leases;
}

void QueueModel::unsettle(ModelQueue& queue, const std::string& group) {
  if (!group.empty()) queue.unsettled_groups.insert(group);
}

// One that comes into a group waits for those that are there, also for a dead one that parks it.
void QueueModel::join(ModelQueue& queue, const std::string& group, uint64_t task) {
  if (!group.empty() && !queue.group_parked(group)) queue.heads.try_emplace(group, task);
}

// The group's turn goes to the oldest that is left.
void QueueModel::promote(ModelQueue& queue, const std::string& group) {
  queue.heads.erase(group);
  for (const auto& [id, task] : queue.tasks) {
    if (!group.empty() && task.spec.group == group) return join(queue, group, id);
  }
}

void QueueModel::ack(uint64_t task, bool with_result) {
  ModelQueue& queue = *queue_of(task);
  const std::string group = queue.tasks[task].spec.group;
  unsettle(queue, group);
  queue.tasks.erase(task);
  promote(queue, group);
  ++queue.counts.acked;
  results += with_result ? 1 : 0;
}

Settled QueueModel::nack(uint64_t id, const Nack& nack, StoreMs now) {
  ModelQueue& queue = *queue_of(id);
  ModelTask& task = queue.tasks[id];
  task.on_its_way = true;
  unsettle(queue, task.spec.group);
  Failure failure = nack.failure;
  if (mistake_ == Mistake::permanent_tried_again && failure == Failure::permanent) {
    failure = Failure::transient;
  }
  if (failure != Failure::release || mistake_ == Mistake::release_counts) ++task.attempts;
  if (failure == Failure::permanent) {
    return die(queue, id, {DeathReason::rejected, now, std::string(nack.error)});
  }
  if (failure == Failure::transient && task.attempts >= queue.settings.attempts_max) {
    return die(queue, id, {DeathReason::attempts, now, std::string(nack.error)});
  }
  if (task.expires_at != 0 && task.expires_at <= now && task.deaths == 0) {
    return die(queue, id, {DeathReason::expired, now, std::string(nack.error)});
  }
  ++(failure == Failure::release ? queue.counts.released : queue.counts.retried);
  task.lease.reset();
  Duration wait = nack.delay.value_or(Duration{});
  if (!nack.delay && failure == Failure::transient) {
    wait = backoff_after(queue.settings.backoff, task.attempts);
  }
  task.not_before = wait.ns > 0 ? now + static_cast<StoreMs>(to_ms(wait)) : 0;
  return {Sequence(id), false, DeathReason::rejected, task.spec.run, task.spec.step};
}

Settled QueueModel::die(ModelQueue& queue, uint64_t id, const Death& death) {
  ModelTask task = queue.tasks[id];
  const bool head = queue.is_head(id);
  const Settled gone{Sequence(id), true, death.reason, task.spec.run, task.spec.step};
  queue.tasks.erase(id);
  unsettle(queue, task.spec.group);
  task.lease.reset();
  task.not_before = 0;
  ++task.deaths;
  if (task.first_death == 0) task.first_death = death.at;
  ModelDead letter{task, death.reason, death.at, death.error, true, false};
  letter.parks = head && queue.settings.group_on_dead == GroupOnDead::park;
  queue.dead[id] = letter;
  ++queue.counts.died;
  ++deaths;
  if (letter.parks) queue.heads.erase(task.spec.group);
  if (head && !letter.parks) promote(queue, task.spec.group);
  return gone;
}

Judgement QueueModel::judge_redrive(uint64_t id, size_t payload_bytes) const {
  const ModelQueue* const queue = queue_of_dead(id);
  if (queue == nullptr) return {false, {ErrorCode::not_found, ErrorCode::conflict}, {}, false};
  const ModelDead& letter = queue->dead.at(id);
  Judgement judgement;
  if (letter.on_its_way) {
    allow(judgement, {ErrorCode::not_found, ErrorCode::conflict, ErrorCode::busy});
  }
  if (takes_none(*queue)) allow(judgement, closed_codes);
  const size_t bytes = payload_bytes == 0 ? letter.task.spec.payload.size() : payload_bytes;
  if (over_quota(*queue, letter.task.spec.tenant) || over_limits(*queue, bytes)) {
    judgement.may_overflow = queue->settings.overflow == Overflow::drop_oldest;
    judgement.may_succeed = judgement.may_overflow;
    allow(judgement, {ErrorCode::full});
  }
  return judgement;
}

void QueueModel::redrive(uint64_t id, const ByteVector& payload, uint64_t as, StoreMs now) {
  ModelQueue& queue = *queue_of_dead(id);
  ModelTask task = queue.dead[id].task;
  const std::string group = task.spec.group;
  const bool parked = queue.dead[id].parks;
  ++queue.counts.redriven;
  if (parked) queue.unsettled_groups.insert(group);
  task.attempts = 0;
  task.not_before = 0;
  task.on_its_way = true;
  if (!payload.empty()) {
    task.spec.payload = payload;
    task.ready_at = now;
    task.adopts = true;
  }
  queue.tasks[as] = task;
  // Where it was, it is again: at the head of the group that waits for it.
  queue.dead.erase(id);
  if (parked && payload.empty()) {
    queue.heads[group] = as;
  } else if (parked) {
    promote(queue, group);
  } else {
    join(queue, group, as);
  }
}

Judgement QueueModel::judge_drop_dead(uint64_t id) const {
  const ModelQueue* const queue = queue_of_dead(id);
  if (queue == nullptr) return {false, {ErrorCode::not_found, ErrorCode::conflict}, {}, false};
  Judgement judgement;
  if (queue->dead.at(id).on_its_way) {
    allow(judgement, {ErrorCode::not_found, ErrorCode::conflict, ErrorCode::busy});
  }
  return judgement;
}

void QueueModel::drop_dead(uint64_t id) {
  ModelQueue& queue = *queue_of_dead(id);
  const ModelDead letter = queue.dead[id];
  queue.dead.erase(id);
  if (!letter.parks) return;
  unsettle(queue, letter.task.spec.group);
  promote(queue, letter.task.spec.group);
}

void QueueModel::bury(uint64_t id) {
  ++queue_of_dead(id)->counts.dead_dropped;
  drop_dead(id);
}

// A worker that says nothing has failed; but nobody has begun what must not happen twice, because
// that would have been recorded first, which this walk does not do.
void QueueModel::end_lease(ModelQueue& queue, uint64_t id, StoreMs now) {
  ModelTask& task = queue.tasks[id];
  ++queue.counts.lease_expired;
  task.lease.reset();
  const bool untouched = task.spec.once;
  if (mistake_ != Mistake::lease_end_is_free && !untouched) ++task.attempts;
  std::optional<DeathReason> reason;
  if (task.expires_at != 0 && task.expires_at <= now && task.deaths == 0) {
    reason = DeathReason::expired;
  }
  if (task.attempts >= queue.settings.attempts_max) reason = DeathReason::attempts;
  if (reason) {
    const Settled gone = die(queue, id, {*reason, now, {}});
    if (!gone.run.none()) settled.push_back(gone);
    return;
  }
  ++queue.counts.retried;
  if (untouched) return;
  const Duration wait = backoff_after(queue.settings.backoff, task.attempts);
  task.not_before = wait.ns > 0 ? now + static_cast<StoreMs>(to_ms(wait)) : 0;
}

void QueueModel::pump(ModelNow now) {
  for (auto& [name, queue] : queues) {
    std::vector<uint64_t> ended;
    for (const auto& [id, task] : queue.tasks) {
      if (task.lease && task.lease->ends <= now.boot) ended.push_back(id);
    }
    for (const uint64_t id : ended) end_lease(queue, id, now.ms);
    std::vector<uint64_t> expired;
    for (const auto& [id, task] : queue.tasks) {
      const bool over = task.expires_at != 0 && task.expires_at <= now.ms && task.deaths == 0;
      if (!task.lease && over && mistake_ != Mistake::expiry_forgotten) expired.push_back(id);
    }
    for (const uint64_t id : expired) {
      const Settled gone = die(queue, id, {DeathReason::expired, now.ms, {}});
      if (!gone.run.none()) settled.push_back(gone);
    }
  }
}

void QueueModel::durable() {
  for (auto& [name, queue] : queues) {
    queue.unsettled_groups.clear();
    for (auto& [id, task] : queue.tasks) task.on_its_way = false;
    for (auto& [id, letter] : queue.dead) letter.on_its_way = false;
  }
}

void QueueModel::restart() {
  durable();
  for (auto& [name, queue] : queues) {
    queue.counts = {};
    if (!queue.configured) {  // nothing of its config is stored
      const std::string known = queue.settings.name;
      queue.settings = {};
      queue.settings.name = known;
    }
    for (auto& [id, task] : queue.tasks) {
      if (task.lease && mistake_ == Mistake::crash_counts) ++task.attempts;
      task.lease.reset();
    }
  }
}

bool QueueModel::leasable(const ModelQueue& queue, uint64_t id, StoreMs now) const {
  const ModelTask& task = queue.tasks.at(id);
  if (task.lease || task.on_its_way) return false;
  if (std::max(task.ready_at, task.not_before) > now) return false;
  if (task.expires_at != 0 && task.expires_at <= now && task.deaths == 0) return false;
  if (task.spec.group.empty() || mistake_ == Mistake::group_side_by_side) return true;
  return queue.is_head(id) && !queue.group_busy(task.spec.group);
}

std::vector<uint64_t> QueueModel::leasable(const ModelQueue& queue, StoreMs now) const {
  std::vector<uint64_t> ids;
  if (queue.state == QueueState::paused && mistake_ != Mistake::pause_forgotten) return ids;
  for (const auto& [id, task] : queue.tasks) {
    if (leasable(queue, id, now)) ids.push_back(id);
  }
  return ids;
}

}  // namespace limpet::testing
