// What operators ask of the queues: states, dead letters, redriving.

#include <algorithm>

#include "api/json_writer.hpp"
#include "daemon/answers.hpp"
#include "daemon/queue_house.hpp"
#include "daemon/queue_json.hpp"

namespace limpet::daemon {

namespace {

constexpr size_t redrive_batch_max = 32;
constexpr store::StoreMs redrive_pause_ms = 1000;  // when the queue has no room

}  // namespace

void QueueHouse::set_queue_state(std::string queue, dispatch::QueueState state,
                                 api::Done<std::monostate> done) {
  // The queues of the house itself: in memory only, a restart opens them.
  if (queue == "turns" || queue == "calls") {
    const bool paused = state == dispatch::QueueState::paused;
    (queue == "turns" ? house_.turns_paused : house_.calls_paused) = paused;
    return done(std::monostate());
  }
  QueueCommit commit(house_);
  const Result<void> set = queues_.set_state(commit.change(), queue, state);
  if (!set.ok()) return done(refusal(queue, set.error()));
  const Result<void> submitted = commit.submit(answer_with(done, std::monostate()));
  if (!submitted.ok()) done(refusal(queue, submitted.error()));
}

Result<std::vector<api::DeadView>> QueueHouse::list_dead(const api::DeadFilter& filter) {
  std::vector<api::DeadView> letters;
  size_t bytes = 0;
  LIMPET_CHECK(queues_.list_dead(filter.queue, filter.from, [&](const dispatch::DeadTask& dead) {
    api::DeadView view;
    view.task = dead.task;
    view.queue = dead.queue;
    view.reason = store::to_string(dead.letter.reason);
    view.error = dead.letter.error;
    view.group = dead.group;
    view.tenant = dead.tenant;
    view.attempts = dead.letter.attempts;
    view.deaths = dead.letter.deaths;
    view.first_death_ms = dead.letter.first_death;
    view.last_death_ms = dead.letter.last_death;
    view.enqueued = dead.enqueued;
    view.payload.assign(dead.payload.begin(), dead.payload.end());
    bytes += view.payload.size();
    letters.push_back(std::move(view));
    return letters.size() < filter.count_max && bytes < limits::batch_bytes_max;
  }));
  return letters;
}

void QueueHouse::redrive(api::RedriveRequest request, api::Done<uint64_t> done) {
  if (!request.task.none()) {
    QueueCommit commit(house_);
    const Result<dispatch::Enqueued> redriven =
        queues_.redrive(commit.change(), request.task, request.payload);
    if (!redriven.ok()) return done(refusal_of(redriven.error()));
    const uint64_t id = redriven->task.value();
    const Result<void> submitted = commit.submit(answer_with(done, id));
    if (!submitted.ok()) done(refusal_of(submitted.error()));
    return;
  }
  const std::optional<dispatch::QueueStats> stats = queues_.stats(request.queue);
  if (!stats) return done(refusal(request.queue, Error{ErrorCode::not_found, "queue: redrive"}));
  const bool under_way = std::ranges::any_of(
      redrives_, [&](const Redrive& one) { return one.queue == request.queue; });
  if (under_way || redrives_.size() >= redrives_max) {
    return done(api::Refusal{Error{ErrorCode::busy, "queue: redrive"},
                             "A redrive is under way; wait until it has come to its end.", 1000});
  }
  Redrive redrive;
  redrive.queue = request.queue;
  redrive.left =
      request.count_max == 0 ? stats->dead : std::min<uint64_t>(request.count_max, stats->dead);
  const uint32_t rate = request.per_second == 0 ? redrive_per_second_default : request.per_second;
  // A tenth of a second's worth at once: a commit each would be mostly commits.
  redrive.bucket = dispatch::TokenBucket(dispatch::Rate{rate, seconds(1), rate / 10 + 1});
  const uint64_t count = redrive.left;
  if (count > 0) redrives_.push_back(std::move(redrive));
  done(count);
}

// What dies again while it is redriven is left for the next time: only so many go as were there.
Result<size_t> QueueHouse::redrive_some(Redrive& redrive) {
  std::vector<Sequence> tasks;
  const BootTime now = house_.clock.boot();
  LIMPET_CHECK(queues_.list_dead(redrive.queue, redrive.next, [&](const dispatch::DeadTask& dead) {
    if (tasks.size() >= std::min<uint64_t>(redrive.left, redrive_batch_max) ||
        redrive.bucket.wait(now).ns > 0) {
      return false;
    }
    redrive.bucket.take(now);
    tasks.push_back(dead.task);
    return true;
  }));
  if (tasks.empty()) return size_t{0};
  QueueCommit commit(house_);
  for (const Sequence task : tasks) {
    LIMPET_TRY(const dispatch::Enqueued redriven, queues_.redrive(commit.change(), task, {}));
    static_cast<void>(redriven);
  }
  LIMPET_CHECK(commit.submit(nullptr));
  redrive.next = tasks.back().next();
  redrive.left -= tasks.size();
  return tasks.size();
}

void QueueHouse::go_on_redriving() {
  const store::StoreMs now_ms = house_.store.now_ms();
  for (Redrive& redrive : redrives_) {
    if (redrive.not_before > now_ms) continue;
    const bool may = redrive.bucket.wait(house_.clock.boot()).ns == 0;
    const Result<size_t> count = redrive_some(redrive);
    if (count.ok() && (*count > 0 || !may)) continue;
    if (count.ok()) {
      redrive.left = 0;  // fewer were there than when it began
    } else if (count.error().code == ErrorCode::full || count.error().code == ErrorCode::busy) {
      redrive.not_before = now_ms + redrive_pause_ms;
    } else {
      house_.logger.line(LogLevel::error, "queues", "redrive: " + to_string(count.error()));
      redrive.left = 0;
    }
  }
  std::erase_if(redrives_, [](const Redrive& redrive) { return redrive.left == 0; });
}

void QueueHouse::drop_dead(Sequence task, std::string queue, api::Done<uint64_t> done) {
  const Result<uint64_t> dropped = task.none() ? drop_all_dead(queue) : drop_batch({task});
  if (!dropped.ok()) return done(refusal(queue, dropped.error()));
  // What was dropped before is on disk when this is: changes are committed in their order.
  QueueCommit last(house_);
  const Result<void> submitted = last.submit(answer_with(done, *dropped));
  if (!submitted.ok()) done(refusal_of(submitted.error()));
}

Result<uint64_t> QueueHouse::drop_batch(const std::vector<Sequence>& tasks) {
  QueueCommit commit(house_);
  for (const Sequence one : tasks) LIMPET_CHECK(queues_.drop_dead(commit.change(), one));
  LIMPET_CHECK(commit.submit(nullptr));
  return uint64_t{tasks.size()};
}

Result<uint64_t> QueueHouse::drop_all_dead(const std::string& queue) {
  uint64_t count = 0;
  std::vector<Sequence> tasks;
  Sequence next;
  do {
    tasks.clear();
    LIMPET_CHECK(queues_.list_dead(queue, next, [&](const dispatch::DeadTask& dead) {
      tasks.push_back(dead.task);
      return tasks.size() < limits::batch_events_max;
    }));
    if (tasks.empty()) break;
    LIMPET_TRY(const uint64_t dropped, drop_batch(tasks));
    count += dropped;
    next = tasks.back().next();
  } while (tasks.size() == limits::batch_events_max);
  return count;
}

std::string QueueHouse::queues_json() {
  std::string out;
  api::JsonArray list(out);
  queues_.each([&](const dispatch::QueueStats& stats) {
    list.item();
    append_queue(out, stats);
  });
  list.end();
  return out;
}

}  // namespace limpet::daemon
