// The operations that go into a change.

#include <algorithm>
#include <array>

#include "codec/cbor_value.hpp"
#include "tests/model/queue_driver.hpp"

namespace limpet::testing {

using dispatch::Enqueued;
using dispatch::Failure;
using dispatch::Nack;
using dispatch::NewTask;

namespace {

constexpr size_t acts_in_change_max = 8;

NewTask view_of(const TaskSpec& spec) {
  NewTask task;
  task.payload = spec.payload;
  task.priority = spec.priority;
  task.delay = milliseconds(spec.delay_ms);
  if (spec.ttl_ms) task.ttl = milliseconds(*spec.ttl_ms);
  task.group = spec.group;
  task.key = spec.key;
  task.tenant = spec.tenant;
  task.run = spec.run;
  task.step = spec.step;
  task.once = spec.once;
  return task;
}

std::string show(const TaskSpec& spec) {
  std::string text =
      "priority " + std::to_string(spec.priority) + " bytes " + std::to_string(spec.payload.size());
  if (spec.delay_ms != 0) text += " delay " + std::to_string(spec.delay_ms);
  if (spec.ttl_ms) text += " ttl " + std::to_string(*spec.ttl_ms);
  if (!spec.group.empty()) text += " group " + spec.group;
  if (!spec.key.empty()) text += " key " + spec.key;
  if (!spec.tenant.empty()) text += " tenant " + spec.tenant;
  if (!spec.run.none()) text += " of a run";
  if (spec.once) text += " once";
  return text;
}

template <class Value>
std::optional<Error> error_of(const Result<Value>& result) {
  if (result.ok()) return std::nullopt;
  return result.error();
}

std::string name_of(const std::optional<Error>& error) { return error ? to_string(*error) : "ok"; }

}  // namespace

void QueueDriver::open_change() {
  if (change_) return;
  saved_ = model_;
  change_.emplace(real_.store->begin());
  change_acts_ = 0;
}

void QueueDriver::change_act(const Operation& operation) {
  open_change();
  switch (operation.act) {
    case Act::enqueue: enqueue(Picks(operation.a), Picks(operation.b)); break;
    case Act::redrive: redrive(Picks(operation.a), Picks(operation.b)); break;
    case Act::drop_dead: drop_dead(Picks(operation.a)); break;
    case Act::set_state: set_state(Picks(operation.a)); break;
    default: settle_one(operation); break;
  }
  const bool keeps = operation.then == Then::keep && ++change_acts_ < acts_in_change_max;
  if (!keeps) end_change(operation.then);
}

void QueueDriver::end_change(Then then) {
  if (!change_) return;
  if (then == Then::drop) {
    tell("  the change is dropped");
    change_.reset();
    real_.queues->dropped();
    model_ = saved_;
    ++counts_.dropped_changes;
    return real_.held() ? pump_held() : come_to_rest();
  }
  store::Change change = std::move(*change_);
  change_.reset();
  const Result<void> given = real_.store->submit(std::move(change));
  if (!given.ok()) return fail("a change is refused: " + to_string(given.error()));
  real_.queues->submitted();
  real_.held() ? pump_held() : come_to_rest();
}

// Nothing reaches the disk, and a pump must not think so.
void QueueDriver::pump_held() {
  const std::string fault = real_.pump();
  if (!fault.empty()) fail(fault);
}

QueueDriver::Mark QueueDriver::mark() const {
  Mark mark{0, change_->bytes(), change_->hot()};
  static_cast<void>(change_->for_each([&](const store::Operation&) -> Result<void> {
    ++mark.operations;
    return {};
  }));
  return mark;
}

QueueDriver::Effects QueueDriver::effects_since(const Mark& mark) const {
  Effects effects;
  size_t index = 0;
  static_cast<void>(change_->for_each([&](const store::Operation& operation) -> Result<void> {
    if (index++ < mark.operations) return {};
    const auto dead = store::parse_dead_key(operation.key);
    if (!dead) return {};
    const bool put = operation.kind == store::OperationKind::put;
    (put ? effects.died : effects.buried).push_back(dead->value());
    return {};
  }));
  return effects;
}

// Was the answer one that the contract allows? true: it was, and the call succeeded.
bool QueueDriver::agrees(const std::string& what, const Judgement& judgement,
                         const std::optional<Error>& error, const Mark& mark) {
  tell("  " + what + ": " + name_of(error));
  if (error) {
    if (std::ranges::find(judgement.refusals, error->code) == judgement.refusals.end()) {
      fail(what + " is refused: " + to_string(*error));
    }
    if (change_->bytes() != mark.bytes || change_->hot() != mark.hot) {
      fail(what + " is refused and leaves something in the change");
    }
    ++counts_.refused;
    return false;
  }
  if (judgement.repeat_of || judgement.may_succeed) return true;
  std::string wanted;
  for (const ErrorCode code : judgement.refusals) wanted.append(error_name(code)) += " ";
  fail(what + " succeeds; it should be refused: " + wanted);
  return false;
}

ByteVector QueueDriver::new_payload(size_t size) {
  const std::string tag = "#" + std::to_string(++payloads_) + ".";
  ByteVector bytes(std::max(size, tag.size()), static_cast<uint8_t>(payloads_));
  std::ranges::copy(as_bytes(tag), bytes.begin());
  return codec::cbor_item(codec::CborScalar(bytes));
}

std::string QueueDriver::pick_queue(Picks& picks) const {
  if (picks.one_in(24)) return "nowhere";
  std::vector<std::string> names;
  for (const auto& [name, queue] : model_.queues) names.push_back(name);
  return names[picks.take(static_cast<uint32_t>(names.size()))];
}

void QueueDriver::enqueue(Picks a, Picks b) {
  static constexpr std::array<int64_t, 4> delays{1, 50, 1000, 60000};
  static constexpr std::array<int64_t, 4> ttls{0, 5, 2000, 60000};
  static constexpr std::array<const char*, 4> tenants{"", "", "north", "south"};
  const std::string queue = pick_queue(a);
  TaskSpec spec;
  if (a.one_in(3)) spec.priority = static_cast<uint8_t>(a.take(a.one_in(8) ? 11 : 10));
  if (a.one_in(3)) spec.group = "g" + std::to_string(a.take(3));
  if (a.one_in(6)) spec.delay_ms = delays[a.take(4)];
  spec.tenant = tenants[b.take(4)];
  if (b.one_in(4)) spec.key = "k" + std::to_string(b.take(4));
  if (b.one_in(6)) spec.ttl_ms = ttls[b.take(4)];
  if (b.one_in(8)) spec.run = RunId(77), spec.step = Ordinal(3);
  spec.once = b.one_in(12);
  const size_t size = b.one_in(8) ? 2500 : 10 + b.take(60);
  spec.payload = new_payload(size);

  const Judgement judgement = model_.judge_enqueue(queue, spec, now());
  const Mark before = mark();
  const Result<Enqueued> done = real_.queues->enqueue(*change_, queue, view_of(spec));
  const std::string what = "enqueue to " + queue + " " + show(spec) +
                           (done.ok() ? " -> " + std::to_string(done->task.value()) : "");
  if (!agrees(what, judgement, error_of(done), before)) return;
  if (done->duplicate != judgement.repeat_of.has_value()) {
    return fail(what + (done->duplicate ? " is no repeat" : " is a repeat"));
  }
  if (done->duplicate) {
    ++counts_.repeats;
    if (done->task.value() == *judgement.repeat_of) return;
    return fail(what + " repeats " + std::to_string(*judgement.repeat_of));
  }
  if (done->task != before.hot.next_sequence && !judgement.may_overflow) {
    return fail(what + " is not its event's sequence");
  }
  ++counts_.enqueued;
  take_victims(queue, effects_since(before), spec.payload.size());
  check_victims(what, *done);
  model_.enqueue(queue, spec, done->task.value(), now());
}

// What had to go to make room for `bytes` more.
void QueueDriver::take_victims(const std::string& name, const Effects& effects, size_t bytes) {
  const ModelQueue& queue = model_.queues[name];
  const auto over = [&] {
    return queue.tasks.size() + 1 > queue.settings.tasks_max ||
           queue.bytes() + bytes > queue.settings.bytes_max;
  };
  const bool drops = queue.settings.overflow == dispatch::Overflow::drop_oldest;
  for (const uint64_t victim : effects.died) {
    if (!over()) return fail("task " + std::to_string(victim) + " is dropped without need");
    const std::string fault = model_.overflow(name, victim, now());
    if (!fault.empty()) return fail(fault + ": task " + std::to_string(victim));
    ++counts_.overflowed;
  }
  take_buried(effects);
  if (drops && over() && model_.mistake() == Mistake::none) fail("nothing was dropped for room");
}

// Dead letters that had to leave: the oldest, and only when there are too many.
void QueueDriver::take_buried(const Effects& effects) {
  for (const uint64_t id : effects.buried) {
    const ModelQueue* const queue = model_.queue_of_dead(id);
    const std::string what = "dead " + std::to_string(id) + " leaves ";
    if (queue == nullptr) return fail(what + "and was not there");
    if (queue->dead.size() <= queue->settings.dead_max) return fail(what + "without need");
    if (queue->dead.at(id).on_its_way) return fail(what + "and is not on disk");
    for (const auto& [other, letter] : queue->dead) {
      if (other < id && !letter.on_its_way) return fail(what + "and an older one stays");
    }
    model_.bury(id);
  }
  if (!effects.buried.empty() || effects.died.empty()) return;
  const ModelQueue* const queue = model_.queue_of_dead(effects.died.back());
  if (queue == nullptr || queue->dead.size() <= queue->settings.dead_max) return;
  const bool could =
      std::ranges::any_of(queue->dead, [](const auto& one) { return !one.second.on_its_way; });
  if (could) fail("there are too many dead, and none leaves");
}

// Those of them that were on behalf of runs are named to the caller.
void QueueDriver::check_victims(const std::string& what, const Enqueued& done) {
  bool same = done.died.size() == model_.overflowed.size();
  for (size_t index = 0; same && index < done.died.size(); ++index) {
    const Settled& found = done.died[index];
    const Settled& wanted = model_.overflowed[index];
    same = found.task == wanted.task && found.dead && found.reason == wanted.reason &&
           found.run == wanted.run && found.step == wanted.step;
  }
  if (!same) fail(what + " does not name the tasks of runs that had to make room");
  model_.overflowed.clear();
}

LeaseRef QueueDriver::pick_lease(Picks& picks) const {
  std::vector<LeaseRef> current;
  for (const auto& [name, queue] : model_.queues) {
    for (const auto& [id, task] : queue.tasks) {
      if (task.lease) current.push_back({Sequence(id), dispatch::LeaseToken(task.lease->token)});
    }
  }
  const bool stale = picks.one_in(8);
  const std::vector<LeaseRef>& leases = stale || current.empty() ? old_leases_ : current;
  if (leases.empty()) return {Sequence(1 + picks.take(50)), dispatch::LeaseToken(picks.take(9))};
  return leases[picks.take(static_cast<uint32_t>(leases.size()))];
}

void QueueDriver::settle_one(const Operation& operation) {
  static constexpr std::array<int64_t, 4> delays{0, 10, 1000, 3600000};
  Picks a(operation.a);
  Picks b(operation.b);
  const bool nothing =
      std::ranges::all_of(model_.queues, [](const auto& one) { return one.second.leased() == 0; });
  if (nothing && !b.one_in(6)) return;  // refusals alone are no work
  const LeaseRef lease = pick_lease(a);
  const Judgement judgement = model_.judge_lease(lease);
  const Mark before = mark();
  const uint64_t id = lease.task.value();
  const ModelQueue* const queue = model_.queue_of(id);
  if (!judgement.may_succeed) ++counts_.stale;
  if (operation.act == Act::ack) {
    const ByteVector result = b.one_in(3) ? new_payload(20) : ByteVector();
    const RunId run = queue != nullptr ? queue->tasks.at(id).spec.run : RunId();
    const Result<Settled> done = real_.queues->ack(*change_, lease, result);
    const std::string what = "ack of " + std::to_string(id);
    if (!agrees(what, judgement, error_of(done), before)) return;
    if (done->dead || done->task != lease.task || done->run != run) fail(what + " tells wrongly");
    model_.ack(id, !result.empty());
    ++counts_.settled;
    return;
  }
  Nack nack;
  nack.failure = static_cast<Failure>(b.take(3));
  if (b.one_in(2)) nack.delay = milliseconds(delays[b.take(4)]);
  if (b.one_in(2)) nack.error = "out of paper";
  // Without a config nobody knows how often it may fail.
  const bool foreign = queue != nullptr && !queue->configured;
  if (foreign && nack.failure == Failure::transient) nack.failure = Failure::release;
  const Result<Settled> done = real_.queues->nack(*change_, lease, nack);
  const std::string what = "nack of " + std::to_string(id) + " kind " +
                           std::to_string(static_cast<int>(nack.failure)) + " delay " +
                           (nack.delay ? std::to_string(to_ms(*nack.delay)) : "none");
  if (!agrees(what, judgement, error_of(done), before)) return;
  const Settled wanted = model_.nack(id, nack, now());
  const bool same = done->task == wanted.task && done->dead == wanted.dead &&
                    done->run == wanted.run && done->step == wanted.step &&
                    (!wanted.dead || done->reason == wanted.reason);
  if (!same) fail(what + " tells wrongly: dead " + std::to_string(done->dead));
  take_buried(effects_since(before));
  ++counts_.settled;
}

std::optional<uint64_t> QueueDriver::pick_dead(Picks& picks) const {
  std::vector<uint64_t> ids;
  for (const auto& [name, queue] : model_.queues) {
    for (const auto& [id, letter] : queue.dead) ids.push_back(id);
  }
  if (ids.empty() || picks.one_in(12)) return 1 + picks.take(60);
  return ids[picks.take(static_cast<uint32_t>(ids.size()))];
}

void QueueDriver::redrive(Picks a, Picks b) {
  const uint64_t id = *pick_dead(a);
  const ByteVector payload = b.one_in(3) ? new_payload(30) : ByteVector();
  const Judgement judgement = model_.judge_redrive(id, payload.size());
  const Mark before = mark();
  const Result<Enqueued> done = real_.queues->redrive(*change_, Sequence(id), payload);
  const std::string what = "redrive of " + std::to_string(id) +
                           (payload.empty() ? "" : " with another payload") +
                           (done.ok() ? " -> " + std::to_string(done->task.value()) : "");
  if (!agrees(what, judgement, error_of(done), before)) return;
  if (done->duplicate) fail(what + " is called a repeat");
  if (payload.empty() != (done->task.value() == id)) fail(what + " has the wrong id");
  ModelQueue& queue = *model_.queue_of_dead(id);
  const size_t bytes = payload.empty() ? queue.dead[id].task.spec.payload.size() : payload.size();
  const std::string name = queue.settings.name;
  Effects effects = effects_since(before);
  std::erase(effects.buried, id);
  if (judgement.may_overflow) take_victims(name, effects, bytes);
  check_victims(what, *done);
  // To make room may have pushed it out of the dead itself.
  if (model_.queue_of_dead(id) == nullptr) return fail(what + " was pushed out for itself");
  model_.redrive(id, payload, done->task.value(), now());
  ++counts_.redriven;
}

void QueueDriver::drop_dead(Picks a) {
  const uint64_t id = *pick_dead(a);
  const Judgement judgement = model_.judge_drop_dead(id);
  const Mark before = mark();
  const Result<void> done = real_.queues->drop_dead(*change_, Sequence(id));
  if (!agrees("drop of dead " + std::to_string(id), judgement, error_of(done), before)) return;
  model_.drop_dead(id);
}

void QueueDriver::set_state(Picks a) {
  const std::string name = pick_queue(a);
  const auto state = static_cast<QueueState>(a.one_in(2) ? 0 : a.take(3));
  const auto found = model_.queues.find(name);
  Judgement judgement;
  if (found == model_.queues.end()) {
    judgement = {false, {ErrorCode::not_found}, {}, false};
  } else if (!found->second.configured) {
    judgement.refusals = {ErrorCode::not_found, ErrorCode::conflict, ErrorCode::invalid};
  }
  const Mark before = mark();
  const Result<void> done = real_.queues->set_state(*change_, name, state);
  const std::string what = name + " becomes " + std::string(to_string(state));
  if (agrees(what, judgement, error_of(done), before)) model_.queues[name].state = state;
}

}  // namespace limpet::testing
