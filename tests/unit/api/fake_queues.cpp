#include "tests/unit/api/fake_queues.hpp"

#include <algorithm>

#include "codec/cbor_value.hpp"

namespace limpet::testing {

namespace {

api::Refusal no_queue(const std::string& queue) {
  return {{ErrorCode::not_found, "test: queue"}, "There is no queue `" + queue + "`."};
}

}  // namespace

api::TaskView make_task(uint64_t number, size_t payload_bytes) {
  api::TaskView task;
  task.task = Sequence(number);
  task.payload = codec::cbor_item(std::string(payload_bytes, 'p'));
  task.enqueued = WallTime{1'700'000'000'000'000'000U};
  return task;
}

std::vector<api::TaskView> FakeQueues::take(size_t tasks_max) {
  std::vector<api::TaskView> taken;
  while (taken.size() < tasks_max && !ready.empty()) {
    api::TaskView task = std::move(ready.front());
    ready.erase(ready.begin());
    task.token = next_token_++;
    task.lease_until_ms = 1'700'000'030'000;
    leased[task.task.value()] = task;
    taken.push_back(std::move(task));
  }
  return taken;
}

void FakeQueues::add(api::TaskView task) {
  ready.push_back(std::move(task));
  if (waits_.empty()) return;
  const Wait wait = std::move(waits_.begin()->second);
  waits_.erase(waits_.begin());
  wait.done(take(wait.request.tasks_max));
}

void FakeQueues::enqueue(std::string queue, std::vector<api::TaskRequest> tasks,
                         std::string principal, api::Done<api::TasksTaken> done) {
  if (refuse_next) return done(*std::exchange(refuse_next, std::nullopt));
  if (queue != "jobs") return done(no_queue(queue));
  api::TasksTaken taken;
  for (api::TaskRequest& task : tasks) {
    const auto same = std::find_if(enqueued.begin(), enqueued.end(), [&](const auto& other) {
      return !task.key.empty() && other.key == task.key;
    });
    if (same != enqueued.end()) {
      const Sequence first(static_cast<uint64_t>(same - enqueued.begin()) + 1);
      taken.tasks.push_back(first);
      taken.repeated.push_back(first);
      continue;
    }
    enqueued.push_back(std::move(task));
    principals.push_back(principal);
    taken.tasks.emplace_back(enqueued.size());
  }
  done(std::move(taken));
}

uint64_t FakeQueues::lease(api::LeaseRequest request, api::Done<std::vector<api::TaskView>> done) {
  lease_requests.push_back(request);
  if (request.queue != "jobs") {
    done(no_queue(request.queue));
    return 0;
  }
  if (!ready.empty() || request.wait_ms == 0) {
    done(take(request.tasks_max));
    return 0;
  }
  const uint64_t number = next_wait_++;
  waits_.emplace(number, Wait{std::move(request), std::move(done)});
  return number;
}

void FakeQueues::cancel_lease(uint64_t wait) {
  cancelled.push_back(wait);
  const auto found = waits_.find(wait);
  if (found == waits_.end()) return;
  const Wait ended = std::move(found->second);
  waits_.erase(found);
  if (!late_answers) return;
  ready.push_back(make_task(77));
  ended.done(take(1));
}

void FakeQueues::settle(std::vector<api::SettleRequest> requests,
                        api::Done<api::SettleAnswers> done) {
  if (refuse_next) return done(*std::exchange(refuse_next, std::nullopt));
  api::SettleAnswers answers;
  for (api::SettleRequest& request : requests) {
    const auto found = leased.find(request.task.value());
    const bool good = found != leased.end() && found->second.token == request.token;
    if (good && request.release) ready.push_back(found->second);
    if (good) leased.erase(found);
    answers.push_back(
        good ? std::optional<api::Refusal>()
             : api::Refusal{{ErrorCode::conflict, "test: settle"}, "The lease has ended."});
    settled.push_back(std::move(request));
  }
  done(std::move(answers));
}

api::Answer<uint64_t> FakeQueues::extend(Sequence task, uint64_t token, int64_t lease_ms) {
  const auto found = leased.find(task.value());
  if (found == leased.end() || found->second.token != token) {
    return api::Refusal{{ErrorCode::conflict, "test: extend"}, "The lease has ended."};
  }
  return uint64_t{1'700'000'000'000} + static_cast<uint64_t>(lease_ms);
}

void FakeQueues::set_queue_state(std::string queue, dispatch::QueueState new_state,
                                 api::Done<std::monostate> done) {
  if (queue != "jobs") return done(no_queue(queue));
  state = new_state;
  done(std::monostate{});
}

Result<std::vector<api::DeadView>> FakeQueues::list_dead(const api::DeadFilter& filter) {
  std::vector<api::DeadView> found;
  for (const api::DeadView& letter : dead) {
    if (letter.task < filter.from || found.size() == filter.count_max) continue;
    if (filter.queue.empty() || filter.queue == letter.queue) found.push_back(letter);
  }
  return found;
}

void FakeQueues::redrive(api::RedriveRequest request, api::Done<uint64_t> done) {
  const bool one = !request.task.none();
  const uint64_t number = request.task.value() + (request.payload.empty() ? 0 : 1000);
  redrives.push_back(std::move(request));
  done(one ? number : uint64_t{dead.size()});
}

void FakeQueues::drop_dead(Sequence task, std::string queue, api::Done<uint64_t> done) {
  const size_t before = dead.size();
  dead.erase(std::remove_if(dead.begin(), dead.end(),
                            [&](const api::DeadView& letter) {
                              return task.none() ? letter.queue == queue : letter.task == task;
                            }),
             dead.end());
  const uint64_t count = before - dead.size();
  if (count == 0 && !task.none()) {
    return done(api::Refusal{{ErrorCode::not_found, "test: dead"}, "There is no such letter."});
  }
  done(count);
}

}  // namespace limpet::testing
