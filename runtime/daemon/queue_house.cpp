#include "daemon/queue_house.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "codec/cbor_value.hpp"
#include "daemon/answers.hpp"
#include "run/engine.hpp"

namespace limpet::daemon {

namespace {

dispatch::NewTask to_task(const api::TaskRequest& request, const std::string& principal) {
  dispatch::NewTask task;
  task.payload = request.payload;
  task.priority = request.priority;
  task.delay = milliseconds(request.delay_ms);
  if (request.ttl_ms) task.ttl = milliseconds(*request.ttl_ms);
  task.group = request.group;
  task.key = request.key;
  task.tenant = request.tenant;
  task.correlation = request.correlation;
  task.principal = principal;
  return task;
}

api::TaskView to_view(const dispatch::LeasedTask& task, WallTime now) {
  api::TaskView view;
  view.task = task.task;
  view.token = task.token.value();
  view.attempt = task.attempt;
  view.priority = task.priority;
  view.payload.assign(task.payload.begin(), task.payload.end());
  view.group = task.group;
  view.tenant = task.tenant;
  view.principal = task.principal;
  view.correlation = task.correlation;
  view.enqueued = task.enqueued;
  view.expires_ms = task.expires_at;
  view.lease_until_ms = (now + task.lease).ns / 1000000;
  return view;
}

size_t bytes_of(const std::vector<api::TaskRequest>& tasks) {
  size_t bytes = 0;
  for (const api::TaskRequest& task : tasks) bytes += task.payload.size() + 512;
  return bytes;
}

}  // namespace

QueueHouse::QueueHouse(House& house, std::function<void()> stir)
    : house_(house), queues_(*house.queues), stir_(std::move(stir)) {
  queues_.on_ready([this](std::string_view queue) {
    if (!stirred_.contains(queue)) stirred_.emplace(queue);
  });
}

api::Refusal QueueHouse::refusal(const std::string& queue, const Error& error) const {
  api::Refusal refusal = refusal_of(error);
  if (error.code == ErrorCode::not_found) {
    refusal.detail = "There is no queue `" + queue + "`; the config says which there are.";
  } else if (error.code == ErrorCode::full) {
    const Duration wait = queues_.retry_after(queue);
    refusal.retry_after_ms = static_cast<uint32_t>(std::max<int64_t>(to_ms(wait), 1));
  }
  return refusal;
}

// --- Producers -----------------------------------------------------------------------------------

Result<std::vector<Sequence>> QueueHouse::add_all(QueueCommit& commit, const std::string& queue,
                                                  const std::vector<api::TaskRequest>& tasks,
                                                  const std::string& principal,
                                                  std::vector<Sequence>& repeated_out) {
  std::vector<Sequence> ids;
  for (const api::TaskRequest& request : tasks) {
    LIMPET_TRY(const dispatch::Enqueued added,
               queues_.enqueue(commit.change(), queue, to_task(request, principal)));
    ids.push_back(added.task);
    if (added.duplicate) repeated_out.push_back(added.task);
  }
  return ids;
}

void QueueHouse::enqueue(std::string queue, std::vector<api::TaskRequest> tasks,
                         std::string principal, api::Done<api::TasksTaken> done) {
  const auto refuse = [&](const Error& error) {
    ++house_.drops.refused;
    done(refusal(queue, error));
  };
  if (const Result<void> room = admit_new_work(house_, bytes_of(tasks)); !room.ok()) {
    return refuse(room.error());
  }
  QueueCommit commit(house_);
  api::TasksTaken taken;
  Result<std::vector<Sequence>> added = add_all(commit, queue, tasks, principal, taken.repeated);
  if (!added.ok()) return refuse(added.error());
  taken.tasks = std::move(added).value();
  // Repeats wait for the disk too: the first may still be on its way.
  const Result<void> submitted = commit.submit(answer_with(done, std::move(taken)));
  if (!submitted.ok()) refuse(submitted.error());
}

Result<void> QueueHouse::delegate(QueueCommit& commit, const Delegation& delegation) {
  const Run& run = delegation.run;
  const Step& step = delegation.step;
  const std::string key = call_key(run.epoch, run.id, step.name, step.ordinal);
  const ByteVector payload = codec::cbor_map({{"tool", step.tool},
                                              {"arguments", codec::CborRaw{step.arguments}},
                                              {"key", key},
                                              {"attempt", step.attempt},
                                              {"agent", run.agent}});
  const std::string principal = "agent:" + run.agent;
  dispatch::NewTask task;
  task.payload = payload;
  task.priority = run.priority;
  task.tenant = run.tenant;
  task.principal = principal;
  task.correlation = run.correlation;
  task.run = run.id;
  task.step = step.ordinal;
  task.once = !delegation.repeatable;
  LIMPET_TRY(const dispatch::Enqueued added,
             queues_.enqueue(commit.change(), delegation.queue, task));
  static_cast<void>(added);
  ++counters_.delegated;
  return {};
}

// --- Workers -------------------------------------------------------------------------------------

Result<QueueHouse::Leased> QueueHouse::try_lease(const api::LeaseRequest& request) {
  Leased leased;
  dispatch::LeaseOptions options;
  options.tasks_max = request.tasks_max;
  options.bytes_max = request.bytes_max;
  options.lease = milliseconds(request.lease_ms);
  const WallTime now = house_.clock.wall();
  LIMPET_TRY(const size_t count,
             queues_.lease(request.queue, options, [&](const dispatch::LeasedTask& task) {
               leased.tasks.push_back(to_view(task, now));
               if (task.once) leased.once.push_back({task.task, task.token});
               const Duration waited = now - task.enqueued;
               house_.measures.queue_wait.record(request.queue, waited);
               if (!task.tenant.empty()) {
                 house_.measures.tenant_wait.record(task.tenant, waited);
               }
             }));
  LIMPET_ASSERT(count == leased.tasks.size());
  if (count > 0) stir_();  // the lease may end with nobody else stirring
  return leased;
}

void QueueHouse::answer(Leased leased, const api::Done<Views>& done) {
  if (leased.once.empty()) return done(std::move(leased.tasks));
  const Result<void> recorded = record_begin(leased, done);
  if (recorded.ok()) return;
  give_back(leased.tasks);
  done(refusal_of(recorded.error()));
}

Result<void> QueueHouse::record_begin(const Leased& leased, const api::Done<Views>& done) {
  QueueCommit commit(house_);
  for (const dispatch::LeaseRef& lease : leased.once) {
    LIMPET_CHECK(queues_.begin_once(commit.change(), lease));
  }
  return commit.submit(answer_with(done, leased.tasks));
}

// Unharmed: their worker has not heard of them.
void QueueHouse::give_back(const std::vector<api::TaskView>& tasks) {
  std::vector<api::SettleRequest> requests;
  for (const api::TaskView& task : tasks) {
    api::SettleRequest request;
    request.verdict = api::Verdict::nack;
    request.task = task.task;
    request.token = task.token;
    request.release = true;
    requests.push_back(std::move(request));
  }
  settle(std::move(requests), [](const api::Answer<api::SettleAnswers>&) {});
}

uint64_t QueueHouse::lease(api::LeaseRequest request, api::Done<std::vector<api::TaskView>> done) {
  // Whoever came first is served first.
  const bool others_wait = std::ranges::any_of(
      waits_, [&](const Wait& wait) { return wait.request.queue == request.queue; });
  if (!others_wait || request.wait_ms == 0) {
    Result<Leased> leased = try_lease(request);
    if (!leased.ok()) return done(refusal(request.queue, leased.error())), 0;
    if (!leased->tasks.empty() || request.wait_ms == 0 || closed_) {
      return answer(std::move(leased).value(), done), 0;
    }
  }
  if (waits_.size() >= waits_max) {
    ++counters_.waits_refused;
    return done(api::Refusal{Error{ErrorCode::busy, "queue: too many workers wait"}, {}, 1000}), 0;
  }
  Wait wait;
  wait.id = next_wait_++;
  wait.until = house_.clock.boot() + milliseconds(request.wait_ms);
  wait.request = std::move(request);
  wait.done = std::move(done);
  waits_.push_back(std::move(wait));
  stir_();
  return waits_.back().id;
}

void QueueHouse::cancel_lease(uint64_t id) {
  std::erase_if(waits_, [id](const Wait& wait) { return wait.id == id; });
}

void QueueHouse::serve_waits() {
  const BootTime now = house_.clock.boot();
  const store::StoreMs now_ms = house_.store.now_ms();
  std::set<std::string, std::less<>> empty;  // queues that have nothing more just now
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const std::string& queue = wait->request.queue;
    const auto due = queues_.next_due(queue);
    const bool ask =
        (stirred_.contains(queue) || (due && *due <= now_ms)) && !empty.contains(queue);
    Leased leased;
    std::optional<Error> error;
    if (ask) {
      Result<Leased> tried = try_lease(wait->request);
      if (!tried.ok()) error = tried.error();
      if (tried.ok()) leased = std::move(tried).value();
      if (leased.tasks.empty()) empty.insert(queue);
    }
    if (leased.tasks.empty() && !error && now < wait->until) {
      ++wait;
      continue;
    }
    // Taken out first: the answer may bring the next request.
    const Wait answered = std::move(*wait);
    wait = waits_.erase(wait);
    if (error) {
      answered.done(refusal(answered.request.queue, *error));
    } else {
      answer(std::move(leased), answered.done);
    }
  }
  stirred_.clear();
}

void QueueHouse::settle(std::vector<api::SettleRequest> requests,
                        api::Done<api::SettleAnswers> done) {
  QueueCommit commit(house_);
  api::SettleAnswers answers;
  bool any = false;
  for (const api::SettleRequest& request : requests) {
    const Result<void> settled = settle_one(commit, request);
    answers.push_back(settled.ok() ? std::optional<api::Refusal>() : refusal_of(settled.error()));
    any = any || settled.ok();
    if (settled.ok()) continue;
    const ErrorCode code = settled.error().code;
    if (code == ErrorCode::io || code == ErrorCode::corrupt) {
      return done(refusal_of(settled.error()));
    }
  }
  if (!any) return done(std::move(answers));
  const Result<void> submitted = commit.submit(answer_with(done, std::move(answers)));
  if (!submitted.ok()) done(refusal_of(submitted.error()));
}

Result<void> QueueHouse::settle_one(QueueCommit& commit, const api::SettleRequest& request) {
  const dispatch::LeaseRef lease{request.task, dispatch::LeaseToken(request.token)};
  if (request.verdict == api::Verdict::ack) {
    LIMPET_TRY(const dispatch::Settled settled,
               queues_.ack(commit.change(), lease, request.result));
    house_.measures.queue_hold.record(settled.queue, settled.held);
    return finish_step(commit.commit(), settled, &request);
  }
  dispatch::Nack nack;
  nack.failure = request.permanent ? dispatch::Failure::permanent
                 : request.release ? dispatch::Failure::release
                                   : dispatch::Failure::transient;
  if (request.delay_ms) nack.delay = milliseconds(*request.delay_ms);
  nack.error = request.reason;
  LIMPET_TRY(const dispatch::Settled settled, queues_.nack(commit.change(), lease, nack));
  return settled.dead ? finish_step(commit.commit(), settled, &request) : Result<void>();
}

Result<void> QueueHouse::finish_step(Commit& commit, const dispatch::Settled& settled,
                                     const api::SettleRequest* request) {
  if (settled.run.none() || settled.step.none()) return {};
  LIMPET_TRY(const ActiveRun* active, house_.runs.find(settled.run));
  if (active == nullptr) return {};
  const Result<Step> step = load_step(house_.store, settled.run, settled.step);
  if (!step.ok() || step->state != StepState::started) return {};
  run::Effects effects;
  const bool unknown = settled.dead && settled.reason == store::DeathReason::unknown_outcome;
  if (unknown) {
    ++counters_.unknown;
    effects = run::park_step(active->run, *step, "the worker's lease ended without an answer",
                             commit.moment());
  } else {
    ++counters_.answered;
    run::StepResult result;
    if (settled.dead) {
      result.outcome = Outcome::failed;
      result.error = "task died: " + std::string(store::to_string(settled.reason));
      if (request != nullptr && !request->reason.empty()) result.error = request->reason;
    } else if (request != nullptr) {
      result.value = request->result;
    }
    effects = run::finish_step(active->run, *step, result, commit.moment());
  }
  if (house_.tools != nullptr) {
    static_cast<void>(house_.tools->report(step->tool, !settled.dead, house_.clock.boot()));
  }
  return commit.apply(effects);
}

api::Answer<uint64_t> QueueHouse::extend(Sequence task, uint64_t token, int64_t lease_ms) {
  const Result<Duration> extended =
      queues_.extend({task, dispatch::LeaseToken(token)}, milliseconds(lease_ms));
  if (!extended.ok()) return refusal_of(extended.error());
  stir_();
  return (house_.clock.wall() + *extended).ns / 1000000;
}

// --- Time ----------------------------------------------------------------------------------------

void QueueHouse::pump() {
  queues_.deliver();
  run_due();
  if (!closed_) go_on_redriving();
  serve_waits();
}

void QueueHouse::run_due() {
  while (true) {
    const auto alarm = queues_.next_alarm();
    if (!alarm || *alarm > house_.store.now_ms()) return;
    QueueCommit commit(house_);
    const Result<size_t> built =
        queues_.run_due(commit.change(), [&](const dispatch::Settled& settled) {
          return finish_step(commit.commit(), settled, nullptr);
        });
    if (!built.ok()) {
      house_.logger.line(LogLevel::error, "queues", to_string(built.error()));
      return;
    }
    if (*built == 0) return;
    const Result<void> submitted = commit.submit(nullptr);
    if (!submitted.ok()) {  // busy: with the next round; closed: for the next start
      if (submitted.error().code != ErrorCode::busy) {
        house_.logger.line(LogLevel::error, "queues", to_string(submitted.error()));
      }
      return;
    }
  }
}

std::optional<store::StoreMs> QueueHouse::next_due() const {
  std::optional<store::StoreMs> due = queues_.next_alarm();
  const auto sooner = [&due](store::StoreMs at) { due = std::min(due.value_or(at), at); };
  const store::StoreMs now_ms = house_.store.now_ms();
  const BootTime now = house_.clock.boot();
  for (const Wait& wait : waits_) {
    const Duration left = wait.until - now;
    sooner(now_ms + static_cast<uint64_t>(std::max<int64_t>(to_ms(left), 0)));
    if (const auto ready = queues_.next_due(wait.request.queue)) sooner(*ready);
  }
  for (const Redrive& redrive : redrives_) {
    const auto wait_ms = static_cast<uint64_t>(to_ms(redrive.bucket.wait(now)));
    sooner(std::max(redrive.not_before, now_ms + wait_ms));
  }
  return due;
}

void QueueHouse::close() {
  closed_ = true;
  std::list<Wait> waits = std::move(waits_);
  waits_.clear();
  for (const Wait& wait : waits) wait.done(std::vector<api::TaskView>());
}

}  // namespace limpet::daemon
