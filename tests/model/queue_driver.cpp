#include "tests/model/queue_driver.hpp"

#include <algorithm>
#include <array>

namespace limpet::testing {

using dispatch::LeasedTask;
using dispatch::LeaseOptions;
using dispatch::LeaseToken;
using dispatch::QueueStats;

namespace {

constexpr size_t old_leases_max = 64;
constexpr int incarnation_shift = 40;

std::string text(uint64_t number) { return std::to_string(number); }

bool is_change_act(Act act) { return act <= Act::set_state; }

StoreMs due_of(const ModelTask& task) { return std::max(task.ready_at, task.not_before); }

}  // namespace

QueueDriver::QueueDriver(const Options& options)
    : model_(options.mistake), saved_(model_), durable_(model_), options_(options) {
  const auto settings = settings_of(options.world, 0);
  model_.configure(settings);
  const std::string fault = real_.open(settings);
  fault_ = fault;
  if (fault_.empty()) come_to_rest();
}

std::string QueueDriver::run(const Operations& operations) {
  for (const Operation& operation : operations) {
    if (!fault_.empty()) return fault_;
    ++counts_.operations;
    step(operation);
  }
  if (fault_.empty()) end_change(Then::submit);
  if (fault_.empty()) come_to_rest();
  if (fault_.empty()) check_log();
  if (fault_.empty()) fault_ = real_.close_and_verify();
  counts_.deaths = model_.deaths;
  return fault_;
}

void QueueDriver::tell(const std::string& line) {
  if (options_.tells) story_ += line + "\n";
}

void QueueDriver::step(const Operation& operation) {
  if (!real_.held()) real_.woken.clear();
  if (is_change_act(operation.act)) return change_act(operation);
  end_change(Then::submit);
  if (!fault_.empty()) return;
  const bool moves = operation.act == Act::time || operation.act == Act::wall ||
                     operation.act == Act::late_lease || operation.act == Act::reload;
  if (moves && real_.held()) come_to_rest();
  if (!fault_.empty()) return;
  const Picks a(operation.a);
  const Picks b(operation.b);
  switch (operation.act) {
    case Act::lease: return lease(operation, true);
    case Act::extend: return extend(operation);
    case Act::time: return move_time(a, b);
    case Act::wall: return move_wall(a, b);
    case Act::late_lease: return late_lease(operation);
    case Act::list_dead: return list_dead(a);
    case Act::reload: return reload();
    case Act::hold:
      tell("the writer is held");
      if (!real_.held()) durable_ = model_;
      return real_.hold();
    case Act::release: return come_to_rest();
    case Act::crash: return crash(a);
    case Act::reopen: return reopen();
    default: return fail("an operation that nobody knows");
  }
}

void QueueDriver::lease(const Operation& operation, bool complete) {
  static constexpr std::array<size_t, 4> byte_limits{SIZE_MAX, SIZE_MAX, 100, 3000};
  Picks a(operation.a);
  Picks b(operation.b);
  const std::string name = pick_queue(a);
  LeaseOptions options;
  options.tasks_max = 1 + (a.one_in(2) ? a.take(32) : a.take(3));
  options.bytes_max = byte_limits[b.take(4)];
  const bool known = model_.queues.contains(name);
  // Without a config nobody knows the queue's own.
  const bool foreign = known && !model_.queues.at(name).configured;
  if (foreign || b.one_in(3)) options.lease = seconds(1 + b.take(90));
  LeaseCheck::Given given{{}, options.tasks_max, options.bytes_max, complete, rested_at_};
  std::vector<LeaseRef> leases;
  const StoreMs now_ms = now();
  const Result<size_t> done = real_.queues->lease(name, options, [&](const LeasedTask& leased) {
    given.tasks.push_back(leased.task.value());
    leases.push_back({leased.task, leased.token});
    check_leased(leased, name, now_ms);
  });
  std::string ids;
  for (const uint64_t id : given.tasks) ids += " " + text(id);
  tell("lease of " + text(options.tasks_max) + " from " + name + ":" + ids);
  if (!known) {
    if (done.ok() || done.error().code != ErrorCode::not_found) fail("a lease from nowhere");
    return;
  }
  if (!done.ok()) return fail("a lease fails: " + to_string(done.error()));
  if (*done != given.tasks.size()) fail("a lease gives another number than it says");
  const std::string fault = leases_.check(model_, name, given, now_ms);
  if (!fault.empty()) return fail(fault);
  const Duration length = options.lease.ns > 0 ? options.lease : model_.queues[name].settings.lease;
  for (const LeaseRef& one : leases) {
    model_.lease(one.task.value(), {one.token.value(), real_.clock.boot() + length});
    old_leases_.push_back(one);
    if (old_leases_.size() > old_leases_max) old_leases_.erase(old_leases_.begin());
  }
  counts_.leased += leases.size();
  if (given.tasks.size() < options.tasks_max) note_waiting(name, now_ms);
  if (!real_.held() && complete) check_rest();
}

void QueueDriver::check_leased(const LeasedTask& leased, const std::string& name, StoreMs now_ms) {
  const std::string what = "task " + text(leased.task.value()) + " is leased with ";
  const uint64_t token = leased.token.value();
  if (token >> incarnation_shift != real_.store->incarnation().value() || token <= token_last_) {
    fail(what + "a token that is not a new one");
  }
  token_last_ = token;
  const ModelQueue* const queue = model_.queue_of(leased.task.value());
  if (queue == nullptr || queue != &model_.queues[name]) return;  // the caller finds that too
  const ModelTask& task = queue->tasks.at(leased.task.value());
  if (task.adopts) return;
  const TaskSpec& spec = task.spec;
  if (leased.attempt != task.attempts + 1) fail(what + "attempt " + text(leased.attempt));
  if (leased.priority != spec.priority) fail(what + "another priority");
  if (!std::ranges::equal(leased.payload, spec.payload) &&
      model_.mistake() != Mistake::bytes_forgotten) {
    fail(what + "another payload");
  }
  if (leased.group != spec.group) fail(what + "another group");
  if (leased.tenant != spec.tenant) fail(what + "another tenant");
  if (leased.run != spec.run || leased.step != spec.step) fail(what + "another run");
  if (leased.expires_at != task.expires_at && task.deaths == 0) fail(what + "another expiry");
  if (leased.lease.ns <= 0) fail(what + "no length");
  if (leased.enqueued.ns / 1000000 > now_ms) fail(what + "a time to come");
}

void QueueDriver::extend(const Operation& operation) {
  Picks a(operation.a);
  Picks b(operation.b);
  const LeaseRef lease = pick_lease(a);
  const Duration length = seconds(1 + b.take(120));
  const Judgement judgement = model_.judge_lease(lease);
  const Result<Duration> done = real_.queues->extend(lease, length);
  tell("extend of " + text(lease.task.value()) + " by " + std::to_string(length.ns / 1000000000) +
       " s: " + (done.ok() ? "ok" : to_string(done.error())));
  const auto queue = real_.queues->queue_of(lease.task);
  const ModelQueue* const holder = model_.queue_of(lease.task.value());
  const bool leased = holder != nullptr && holder->tasks.at(lease.task.value()).lease;
  if (queue.has_value() != leased) fail("queue_of does not know what is leased");
  if (queue && leased && *queue != holder->settings.name) fail("queue_of names another queue");
  if (!done.ok()) {
    if (std::ranges::find(judgement.refusals, done.error().code) == judgement.refusals.end()) {
      fail("extend is refused: " + to_string(done.error()));
    }
    return;
  }
  if (!judgement.may_succeed) return fail("extend of a lease that has ended succeeds");
  if (done->ns <= 0 || *done > length) fail("extend gives another length");
  model_.queue_of(lease.task.value())->tasks[lease.task.value()].lease->ends =
      real_.clock.boot() + *done;
  if (!real_.held()) check_rest();
}

// The next moment at which the model has something to do.
std::optional<StoreMs> QueueDriver::next_event() {
  const StoreMs now_ms = now();
  std::optional<StoreMs> next;
  const auto offer = [&](StoreMs at) {
    if (at > now_ms) next = std::min(next.value_or(at), at);
  };
  for (const auto& [name, queue] : model_.queues) {
    for (const auto& [id, task] : queue.tasks) {
      offer(due_of(task));
      offer(task.expires_at);
      if (!task.lease) continue;
      offer(now_ms + static_cast<StoreMs>(to_ms(task.lease->ends - real_.clock.boot())));
    }
  }
  return next;
}

// What fails in a queue without a config depends on defaults that no contract tells.
void QueueDriver::release_foreign_leases() {
  for (auto& [name, queue] : model_.queues) {
    if (queue.configured) continue;
    for (const auto& [id, task] : std::map(queue.tasks)) {
      if (!task.lease) continue;
      const LeaseRef lease{Sequence(id), LeaseToken(task.lease->token)};
      open_change();
      const auto done = real_.queues->ack(*change_, lease, {});
      if (!done.ok()) return fail("ack is refused: " + to_string(done.error()));
      model_.ack(id, false);
    }
  }
  end_change(Then::submit);
}

void QueueDriver::move_time(Picks a, Picks b) {
  release_foreign_leases();
  if (!fault_.empty()) return;
  Duration by = milliseconds(1 + b.take(999));
  const uint32_t kind = a.take(10);
  if (kind == 1 || kind == 2) by = seconds(1 + b.take(60));
  if (kind == 3) by = seconds(60 + b.take(3600));
  if (kind == 4 && a.one_in(3)) by = seconds(86400 + b.take(2 * 86400));
  if (kind >= 5 && kind < 8) {
    if (const auto next = next_event()) by = milliseconds(static_cast<int64_t>(*next - now()));
  }
  if (kind == 8) {
    const auto alarm = real_.queues->next_alarm();
    if (alarm && *alarm > now()) by = milliseconds(static_cast<int64_t>(*alarm - now()));
  }
  tell("time goes on by " + std::to_string(to_ms(by)) + " ms");
  real_.clock.advance(by);
  if (a.one_in(4)) {
    tell("what is due is built and dropped");
    real_.build_due_in_vain();
  }
  come_to_rest();
}

// Only the wall clock; store time never goes back, and leases do not notice.
void QueueDriver::move_wall(Picks a, Picks b) {
  release_foreign_leases();
  if (!fault_.empty()) return;
  const uint64_t by = (a.one_in(2) ? 1 + b.take(5000) : 1 + b.take(3600000)) * uint64_t{1000000};
  const uint64_t wall = real_.clock.wall().ns;
  const bool back = a.one_in(2);
  tell(std::string("the wall clock jumps ") + (back ? "back " : "on ") + text(by / 1000000));
  real_.clock.set_wall(WallTime{back ? wall - by : wall + by});
  come_to_rest();
}

void QueueDriver::late_lease(const Operation& operation) {
  release_foreign_leases();
  if (!fault_.empty()) return;
  Picks b(operation.b);
  const Duration by = b.one_in(2) ? milliseconds(1 + b.take(2000)) : seconds(1 + b.take(100));
  tell("time goes on by " + std::to_string(to_ms(by)) + " ms, without a pump");
  real_.clock.advance(by);
  lease(operation, false);
  if (fault_.empty()) come_to_rest();
}

void QueueDriver::list_dead(Picks a) {
  const std::string name = a.one_in(3) ? "" : pick_queue(a);
  const uint64_t from = a.one_in(2) ? 0 : a.take(100);
  if (real_.held()) come_to_rest();
  tell("list of the dead of '" + name + "' from " + text(from));
  std::vector<uint64_t> shown;
  const Result<void> done =
      real_.queues->list_dead(name, Sequence(from), [&](const dispatch::DeadTask& dead) {
        shown.push_back(dead.task.value());
        check_letter(dead);
        return true;
      });
  if (!name.empty() && !model_.queues.contains(name)) {
    if (done.ok()) fail("the dead of no queue are listed");
    return;
  }
  if (!done.ok()) return fail("the dead cannot be listed: " + to_string(done.error()));
  std::vector<uint64_t> wanted;
  for (const auto& [queue_name, queue] : model_.queues) {
    if (!name.empty() && queue_name != name) continue;
    for (const auto& [id, letter] : queue.dead) {
      if (id >= from) wanted.push_back(id);
    }
  }
  std::ranges::sort(wanted);
  if (name.empty()) std::ranges::sort(shown);  // the contract leaves the queues' order open
  if (shown != wanted) fail("the list of the dead is not right");
}

void QueueDriver::check_letter(const dispatch::DeadTask& shown) {
  const uint64_t id = shown.task.value();
  const ModelQueue* const queue = model_.queue_of_dead(id);
  if (queue == nullptr) return;
  const ModelDead& dead = queue->dead.at(id);
  const TaskSpec& spec = dead.task.spec;
  if (shown.queue != queue->settings.name || shown.group != spec.group ||
      shown.tenant != spec.tenant || !std::ranges::equal(shown.payload, spec.payload)) {
    fail("dead " + text(id) + " is shown as it never was");
  }
}

void QueueDriver::reload() {
  release_foreign_leases();
  const auto settings = settings_of(options_.world, ++variant_);
  tell("reload");
  const Result<void> done = real_.queues->reload(settings);
  if (!done.ok()) return fail("the config is refused: " + to_string(done.error()));
  model_.configure(settings);
  // Those without a config give what they hold, but nobody knows how often it may fail.
  for (const auto& [name, queue] : model_.queues) {
    if (!queue.configured) release_foreign_leases();
  }
  if (fault_.empty()) come_to_rest();
}

void QueueDriver::crash(Picks a) {
  ++counts_.crashes;
  const bool held = real_.held();
  const bool told = held && a.one_in(3);
  if (told) real_.commit_untold();
  if (held && !told) {
    ++counts_.lost_changes;
    model_ = durable_;
  }
  tell(std::string("crash") + (told ? ", all is on disk" : ""));
  const std::string fault = real_.crash(settings_of(options_.world, variant_));
  if (!fault.empty()) return fail(fault);
  model_.restart();
  model_.settled.clear();
  leases_.forget();
  waited_for_.clear();
  token_last_ = 0;
  come_to_rest();
}

void QueueDriver::reopen() {
  tell("close and open");
  if (real_.held()) come_to_rest();
  const std::string problem = real_.close_and_verify();
  if (!problem.empty()) return fail(problem);
  const std::string fault = real_.open(settings_of(options_.world, variant_));
  if (!fault.empty()) return fail(fault);
  model_.restart();
  leases_.forget();
  waited_for_.clear();
  token_last_ = 0;
  come_to_rest();
}

void QueueDriver::come_to_rest() {
  real_.release();
  const std::string fault = real_.settle();
  if (!fault.empty()) return fail(fault);
  model_.pump({now(), real_.clock.boot()});
  for (const uint64_t id : real_.buried) {
    if (model_.queue_of_dead(id) == nullptr) return fail("dead " + text(id) + " leaves unborn");
    model_.bury(id);
  }
  real_.buried.clear();
  model_.durable();
  check_rest();
}

// REQUIRES: nothing is on its way.
void QueueDriver::check_rest() {
  if (!fault_.empty()) return;
  const RowAudit audit = check_rows(*real_.store);
  if (!audit.fault.empty()) return fail(audit.fault);
  adopt(audit);
  check_rows_against_model(audit);
  check_stats();
  check_settled();
  check_alarms();
  check_wakes();
  rested_at_ = now();
}

// A redrive with another payload leaves some things open; from now on they are as they were found.
void QueueDriver::adopt(const RowAudit& audit) {
  for (auto& [name, queue] : model_.queues) {
    for (auto& [id, task] : queue.tasks) {
      const auto row = audit.live.find(id);
      if (!task.adopts || row == audit.live.end()) continue;
      task.adopts = false;
      task.expires_at = row->second.expires_at;
      task.deaths = row->second.state.deaths;
      task.first_death = row->second.state.first_death;
    }
  }
}

void QueueDriver::check_rows_against_model(const RowAudit& audit) {
  size_t live = 0;
  size_t dead = 0;
  for (const auto& [name, queue] : model_.queues) {
    for (const auto& [id, task] : queue.tasks) {
      const auto row = audit.live.find(id);
      if (row == audit.live.end()) return fail("task " + text(id) + " is lost");
      if (row->second.queue != name) return fail("task " + text(id) + " is in another queue");
      check_task(task, id, row->second);
      ++live;
    }
    for (const auto& [id, letter] : queue.dead) {
      const auto found = audit.letters.find(id);
      if (found == audit.letters.end()) return fail("dead " + text(id) + " is lost");
      const store::DeadLetter& stored = found->second;
      const std::string what = "dead " + text(id) + " has another ";
      if (stored.reason != letter.reason) {
        fail(what + "reason: " + std::string(to_string(stored.reason)) + ", not " +
             std::string(to_string(letter.reason)));
      }
      if (stored.attempts != letter.task.attempts) {
        fail(what + "count of attempts: " + text(stored.attempts) + ", not " +
             text(letter.task.attempts));
      }
      if (stored.deaths != letter.task.deaths) fail(what + "count of deaths");
      if (stored.first_death != letter.task.first_death) fail(what + "first death");
      if (stored.last_death != letter.last_death) fail(what + "last death");
      if (!letter.error.empty() && stored.error != letter.error) fail(what + "error");
      ++dead;
    }
  }
  for (const auto& [id, row] : audit.live) {
    if (model_.queue_of(id) == nullptr) fail("task " + text(id) + " is still there");
  }
  for (const auto& [id, letter] : audit.letters) {
    if (model_.queue_of_dead(id) == nullptr) fail("dead " + text(id) + " is still there");
  }
}

void QueueDriver::check_task(const ModelTask& task, uint64_t id, const AuditedTask& row) {
  const std::string what = "task " + text(id) + " has another ";
  if (row.group != task.spec.group) fail(what + "group");
  if (row.tenant != task.spec.tenant) fail(what + "tenant");
  if (row.priority != task.spec.priority) fail(what + "priority");
  if (row.ready_at != task.ready_at) fail(what + "place");
  if (row.expires_at != task.expires_at) fail(what + "expiry");
  if (row.payload_bytes != task.spec.payload.size()) fail(what + "size");
  const ModelQueue& queue = *model_.queue_of(id);
  if (row.ready_row != (task.spec.group.empty() || queue.is_head(id))) {
    fail("task " + text(id) + (row.ready_row ? " is" : " is not") + " its group's next");
  }
  if (row.state.attempts != task.attempts) {
    fail(what + "count of attempts: " + text(row.state.attempts) + ", not " + text(task.attempts));
  }
  if (row.state.deaths != task.deaths) fail(what + "count of deaths");
  if (row.state.first_death != task.first_death) fail(what + "first death");
  const StoreMs now_ms = now();
  if (std::max(row.state.not_before, now_ms) != std::max(task.not_before, now_ms)) {
    fail(what + "wait: until " + text(row.state.not_before) + ", not " + text(task.not_before));
  }
}

void QueueDriver::check_stats() {
  for (const auto& [name, queue] : model_.queues) {
    const std::optional<QueueStats> stats = real_.queues->stats(name);
    if (!stats) {
      if (queue.configured || !queue.tasks.empty()) fail("no stats of " + name);
      continue;
    }
    const std::string what = "stats of " + name + ": ";
    if (stats->name != name || stats->configured != queue.configured) fail(what + "who it is");
    if (stats->state != queue.state) fail(what + "state");
    if (stats->tasks != queue.tasks.size()) fail(what + text(stats->tasks) + " tasks");
    if (stats->bytes != queue.bytes()) fail(what + text(stats->bytes) + " bytes");
    if (stats->leased != queue.leased()) fail(what + text(stats->leased) + " leased");
    if (stats->dead != queue.dead.size()) fail(what + text(stats->dead) + " dead");
    uint64_t delayed = 0;
    const StoreMs now_ms = now();
    for (const auto& [id, task] : queue.tasks) {
      if (!task.lease && due_of(task) > now_ms) ++delayed;
    }
    if (stats->delayed != delayed) {
      fail(what + text(stats->delayed) + " delayed, not " + text(delayed));
    }
    check_counts(*stats, queue);
  }
}

void QueueDriver::check_counts(const QueueStats& stats, const ModelQueue& queue) {
  struct Pair {
    const char* name;
    uint64_t found;
    uint64_t wanted;
  };
  const ModelCounts& counts = queue.counts;
  const std::array<Pair, 9> pairs{{{"leases", stats.leases, counts.leases},
                                   {"acked", stats.acked, counts.acked},
                                   {"released", stats.released, counts.released},
                                   {"retried", stats.retried, counts.retried},
                                   {"lease_expired", stats.lease_expired, counts.lease_expired},
                                   {"died", stats.died, counts.died},
                                   {"redriven", stats.redriven, counts.redriven},
                                   {"dropped_oldest", stats.dropped_oldest, counts.dropped_oldest},
                                   {"dead_dropped", stats.dead_dropped, counts.dead_dropped}}};
  for (const Pair& pair : pairs) {
    if (pair.found == pair.wanted) continue;
    fail("stats of " + stats.name + ": " + text(pair.found) + " " + pair.name + ", not " +
         text(pair.wanted));
  }
}

// pump() shows each death on behalf of a run, once.
void QueueDriver::check_settled() {
  const auto key = [](const Settled& one) {
    return std::tuple(one.task, one.dead, one.reason, one.run, one.step);
  };
  const auto sorted = [&key](const std::vector<Settled>& all) {
    std::vector<decltype(key(all.front()))> keys;
    for (const Settled& one : all) keys.push_back(key(one));
    std::ranges::sort(keys);
    return keys;
  };
  if (sorted(real_.settled) != sorted(model_.settled)) {
    std::string found;
    for (const Settled& one : real_.settled) found += " " + text(one.task.value());
    std::string wanted;
    for (const Settled& one : model_.settled) wanted += " " + text(one.task.value());
    fail("pump shows as dead for a run:" + found + "; not:" + wanted);
  }
  real_.settled.clear();
  model_.settled.clear();
}

// Whoever sleeps until the time that was named does not oversleep.
void QueueDriver::check_alarms() {
  const StoreMs now_ms = now();
  const StoreMs alarm = real_.queues->next_alarm().value_or(UINT64_MAX);
  for (const auto& [name, queue] : model_.queues) {
    const StoreMs due = real_.queues->next_due(name).value_or(UINT64_MAX);
    const bool limited = queue.settings.rate.count != 0 || queue.settings.tenant_rate.count != 0;
    const bool gives = !limited && queue.state != QueueState::paused &&
                       queue.leased() < queue.settings.in_flight_max;
    for (const auto& [id, task] : queue.tasks) {
      const std::string what = "task " + text(id) + " is overslept: ";
      if (task.lease) {
        const auto left = static_cast<StoreMs>(to_ms(task.lease->ends - real_.clock.boot()));
        if (alarm > now_ms + left + 1) fail(what + "its lease ends");
        continue;
      }
      if (task.expires_at > now_ms && task.deaths == 0 && alarm > task.expires_at) {
        fail(what + "it expires");
      }
      if (task.not_before > now_ms && std::min(alarm, due) > task.not_before) {
        fail(what + "it has waited after a failure");
      }
      if (gives && task.ready_at > now_ms && std::min(alarm, due) > task.ready_at) {
        fail(what + "its delay is over");
      }
    }
  }
}

// Somebody got less than he asked for and waits, because there is no more or no room in flight.
void QueueDriver::note_waiting(const std::string& name, StoreMs now_ms) {
  const ModelQueue& queue = model_.queues[name];
  const bool full = queue.leased() >= queue.settings.in_flight_max;
  if (full || model_.leasable(queue, now_ms).empty()) waited_for_.insert(name);
}

// He is called when there is something, except that he looks again by himself when next_due() says
// so: then he waits no more.
void QueueDriver::check_wakes() {
  for (const std::string& name : real_.woken) waited_for_.erase(name);
  const StoreMs now_ms = now();
  std::set<std::string> looks_again;
  for (const std::string& name : waited_for_) {
    const ModelQueue& queue = model_.queues[name];
    if (queue.leased() >= queue.settings.in_flight_max) continue;
    for (const uint64_t id : model_.leasable(queue, now_ms)) {
      const ModelTask& task = queue.tasks.at(id);
      const bool fits = queue.leased() == 0 || queue.leased_bytes() + task.spec.payload.size() <=
                                                   queue.settings.in_flight_bytes_max;
      if (!fits) continue;
      if (task.ready_at <= rested_at_) {
        return fail("nobody is called although task " + text(id) + " of " + name + " is ready");
      }
      looks_again.insert(name);
    }
  }
  for (const std::string& name : looks_again) waited_for_.erase(name);
}

// All that was written is told by events.
void QueueDriver::check_log() {
  uint64_t done = 0;
  uint64_t dead = 0;
  const auto snapshot = real_.store->reader().snapshot();
  if (!snapshot.ok()) return fail("no snapshot");
  const auto read = snapshot->events(Sequence(1), UINT32_MAX, [&](const EventView& event) {
    done += event.type == event_type::task_done ? 1 : 0;
    dead += event.type == event_type::task_dead ? 1 : 0;
    return true;
  });
  if (!read.ok() || read->corrupt != 0) return fail("the log cannot be read");
  if (done != model_.results) {
    fail("the log tells of " + text(done) + " results, not " + text(model_.results));
  }
  if (dead != model_.deaths) {
    fail("the log tells of " + text(dead) + " deaths, not " + text(model_.deaths));
  }
}

std::string run_operations(uint32_t world, const Operations& operations, Mistake mistake) {
  QueueDriver driver({world, mistake, false});
  return driver.run(operations);
}

}  // namespace limpet::testing
