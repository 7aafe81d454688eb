#include "tests/model/operations.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace limpet::testing {

using dispatch::GroupOnDead;
using dispatch::Overflow;
using dispatch::QueueSettings;

namespace {

struct Weight {
  Act act;
  const char* name;
  uint32_t weight;
};
constexpr std::array<Weight, act_count> weights{{
    {Act::enqueue, "enqueue", 340},
    {Act::ack, "ack", 150},
    {Act::nack, "nack", 110},
    {Act::redrive, "redrive", 40},
    {Act::drop_dead, "drop_dead", 15},
    {Act::set_state, "set_state", 15},
    {Act::lease, "lease", 240},
    {Act::extend, "extend", 25},
    {Act::time, "time", 80},
    {Act::wall, "wall", 10},
    {Act::late_lease, "late_lease", 10},
    {Act::list_dead, "list_dead", 10},
    {Act::reload, "reload", 8},
    {Act::hold, "hold", 30},
    {Act::release, "release", 15},
    {Act::crash, "crash", 16},
    {Act::reopen, "reopen", 6},
}};

uint32_t weight_sum() {
  uint32_t sum = 0;
  for (const Weight& weight : weights) sum += weight.weight;
  return sum;
}

Operation random_operation(std::mt19937& engine) {
  uint32_t dice = static_cast<uint32_t>(engine()) % weight_sum();
  Operation operation;
  for (const Weight& weight : weights) {
    operation.act = weight.act;
    if (dice < weight.weight) break;
    dice -= weight.weight;
  }
  operation.a = static_cast<uint32_t>(engine());
  operation.b = static_cast<uint32_t>(engine());
  const uint32_t then = static_cast<uint32_t>(engine()) % 16;
  operation.then = then < 11 ? Then::submit : then < 15 ? Then::keep : Then::drop;
  return operation;
}

// Some worlds are plain, others tight in one or several ways.
QueueSettings random_queue(std::mt19937& engine, const char* name) {
  const auto one_in = [&engine](uint32_t count) { return engine() % count == 0; };
  QueueSettings queue;
  queue.name = name;
  queue.backoff.jitter_percent = 0;
  queue.in_flight_max = one_in(3) ? 3 : 1000;
  queue.in_flight_bytes_max = one_in(4) ? 300 : uint64_t{16} << 20;
  queue.tasks_max = one_in(3) ? 6 : 1000;
  queue.bytes_max = one_in(4) ? 5000 : uint64_t{64} << 20;
  queue.overflow = one_in(2) ? Overflow::reject : Overflow::drop_oldest;
  queue.attempts_max = one_in(2) ? 5 : 1 + static_cast<uint32_t>(engine() % 3);
  if (one_in(2)) queue.ageing = Duration{};
  if (one_in(4)) queue.ttl = seconds(60);
  if (one_in(3)) queue.backoff.list = {seconds(1), seconds(5), seconds(60)};
  if (one_in(4)) queue.backoff.list = {Duration{}};
  if (one_in(3)) queue.group_on_dead = GroupOnDead::park;
  if (one_in(5)) queue.tenant_tasks_max = 4;
  // When a dead letter that parks its group must leave, the order of deaths decides who parks it
  // next, and no contract tells that order.
  const bool few_dead = one_in(4);
  if (few_dead && queue.group_on_dead == GroupOnDead::go_on) queue.dead_max = 3;
  if (one_in(3)) queue.lease = seconds(5);
  if (one_in(8)) queue.rate = {3, seconds(1), 0};
  if (one_in(8)) queue.tenant_rate = {2, seconds(1), 0};
  return queue;
}

void change_queue(std::mt19937& engine, QueueSettings& queue) {
  switch (engine() % 6) {
    case 0: queue.tasks_max = 3 + engine() % 20; break;
    case 1: queue.attempts_max = 1 + static_cast<uint32_t>(engine() % 5); break;
    case 2: queue.in_flight_max = 1 + static_cast<uint32_t>(engine() % 8); break;
    case 3: queue.lease = seconds(static_cast<int64_t>(1 + engine() % 60)); break;
    case 4: queue.ageing = queue.ageing == Duration{} ? seconds(30) : Duration{}; break;
    default: queue.backoff.min = seconds(static_cast<int64_t>(1 + engine() % 9)); break;
  }
}

// Without operations [from, from + count).
Operations without(const Operations& all, size_t from, size_t count) {
  Operations fewer;
  for (size_t index = 0; index < all.size(); ++index) {
    if (index < from || index >= from + count) fewer.push_back(all[index]);
  }
  return fewer;
}

}  // namespace

Operations random_operations(std::mt19937& engine, size_t count) {
  Operations operations;
  for (size_t index = 0; index < count; ++index) operations.push_back(random_operation(engine));
  return operations;
}

std::string to_code(const Operations& operations) {
  static constexpr std::array<const char*, 3> then_names{"submit", "keep", "drop"};
  std::string code;
  for (const Operation& operation : operations) {
    code += std::string("      {Act::") + weights[static_cast<size_t>(operation.act)].name + ", " +
            std::to_string(operation.a) + "u, " + std::to_string(operation.b) +
            "u, Then::" + then_names[static_cast<size_t>(operation.then)] + "},\n";
  }
  return code;
}

Operations shrink(Operations operations, const std::function<bool(const Operations&)>& fails,
                  Duration limit) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(to_ms(limit));
  for (size_t size = std::max<size_t>(operations.size() / 2, 1); size > 0;) {
    bool smaller = false;
    for (size_t from = 0; from < operations.size();) {
      if (std::chrono::steady_clock::now() > end) return operations;
      Operations fewer = without(operations, from, size);
      if (fewer.size() < operations.size() && fails(fewer)) {
        operations = std::move(fewer);
        smaller = true;
      } else {
        from += size;
      }
    }
    if (size > 1) {
      size /= 2;
    } else if (!smaller) {
      break;
    }
  }
  return operations;
}

std::vector<QueueSettings> settings_of(uint32_t world, uint32_t variant) {
  std::mt19937 engine(world);
  std::vector<QueueSettings> queues;
  static constexpr std::array<const char*, 3> names{"jobs", "mail", "scan"};
  const size_t count = 1 + engine() % names.size();
  for (size_t index = 0; index < count; ++index) {
    queues.push_back(random_queue(engine, names[index]));
  }
  for (uint32_t reload = 0; reload < variant; ++reload) {
    change_queue(engine, queues[engine() % queues.size()]);
  }
  // Every fourth config has forgotten its last queue.
  if (variant % 4 == 2 && queues.size() > 1) queues.pop_back();
  return queues;
}

}  // namespace limpet::testing
