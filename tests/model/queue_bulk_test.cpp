// What needs many tasks at once: tables that overflow, tenants that flood, many lanes. The model
// judges here too.

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "codec/cbor_value.hpp"
#include "tests/model/lease_check.hpp"
#include "tests/model/real_queues.hpp"
#include "tests/model/row_audit.hpp"

using namespace limpet;
using namespace limpet::testing;
using dispatch::LeasedTask;
using dispatch::NewTask;

namespace {

constexpr size_t batch = 100;

QueueSettings plain_queue() {
  QueueSettings queue;
  queue.name = "jobs";
  queue.in_flight_max = 100000;
  queue.in_flight_bytes_max = UINT32_MAX;
  return queue;
}

struct Crowd {
  explicit Crowd(const QueueSettings& settings) : model(Mistake::none) {
    model.configure({settings});
    REQUIRE(real.open({settings}) == "");
    REQUIRE(real.settle() == "");
  }

  void enqueue(const std::vector<TaskSpec>& specs) {
    for (size_t from = 0; from < specs.size(); from += batch) {
      store::Change change = real.store->begin();
      for (size_t index = from; index < std::min(from + batch, specs.size()); ++index) {
        const TaskSpec& spec = specs[index];
        NewTask task;
        task.payload = spec.payload;
        task.priority = spec.priority;
        task.tenant = spec.tenant;
        const auto done = real.queues->enqueue(change, "jobs", task);
        REQUIRE(done.ok());
        model.enqueue("jobs", spec, done->task.value(), real.store->now_ms());
      }
      submit(std::move(change));
      real.clock.advance(milliseconds(1));
    }
  }

  void submit(store::Change change) {
    REQUIRE(real.store->submit(std::move(change)).ok());
    real.queues->submitted();
    REQUIRE(real.settle() == "");
    model.durable();
  }

  // The model's fault, if it finds one.
  std::string lease(size_t tasks_max) {
    LeaseCheck::Given given{{}, tasks_max, SIZE_MAX, true, 0};
    std::vector<dispatch::LeaseRef> refs;
    const auto done =
        real.queues->lease("jobs", {tasks_max, SIZE_MAX, {}}, [&](const LeasedTask& task) {
          given.tasks.push_back(task.task.value());
          refs.push_back({task.task, task.token});
        });
    REQUIRE(done.ok());
    leases.insert(leases.end(), refs.begin(), refs.end());
    return check.check(model, "jobs", given, real.store->now_ms());
  }

  void release_all() {
    for (size_t from = 0; from < leases.size(); from += batch) {
      store::Change change = real.store->begin();
      for (size_t index = from; index < std::min(from + batch, leases.size()); ++index) {
        const dispatch::Nack nack{dispatch::Failure::release, {}, {}};
        REQUIRE(real.queues->nack(change, leases[index], nack).ok());
        REQUIRE_FALSE(model.nack(leases[index].task.value(), nack, real.store->now_ms()).dead);
      }
      submit(std::move(change));
    }
    leases.clear();
  }

  RealQueues real;
  QueueModel model;
  LeaseCheck check;
  std::vector<dispatch::LeaseRef> leases;
};

std::vector<TaskSpec> specs_of(size_t count, uint32_t seed, bool lanes) {
  std::mt19937 engine(seed);
  std::vector<TaskSpec> specs(count);
  for (TaskSpec& spec : specs) {
    spec.payload = codec::cbor_item(codec::CborScalar(uint64_t{engine()}));
    if (!lanes) continue;
    spec.priority = static_cast<uint8_t>(engine() % 10);
    spec.tenant = "t" + std::to_string(engine() % 12);
  }
  return specs;
}

}  // namespace

TEST_CASE("queues: more tasks that came back than a lane remembers are given again, in order") {
  Crowd crowd(plain_queue());
  crowd.enqueue(specs_of(1300, 1, false));
  REQUIRE(crowd.lease(5000) == "");
  REQUIRE(crowd.leases.size() == 1300);
  crowd.release_all();
  while (true) {
    const size_t before = crowd.leases.size();
    REQUIRE(crowd.lease(170) == "");
    if (crowd.leases.size() == before) break;
  }
  CHECK(crowd.leases.size() == 1300);
  CHECK(check_rows(*crowd.real.store).fault == "");
}

TEST_CASE("queues: with many tenants and priorities each gives its best, and all take turns") {
  for (const Duration ageing : {Duration{}, seconds(30)}) {
    QueueSettings settings = plain_queue();
    settings.ageing = ageing;
    Crowd crowd(settings);
    crowd.enqueue(specs_of(700, 2, true));
    while (crowd.leases.size() < 300) REQUIRE(crowd.lease(7) == "");
    crowd.release_all();
    crowd.enqueue(specs_of(100, 3, true));
    while (crowd.leases.size() < 800) REQUIRE(crowd.lease(33) == "");
    CHECK(check_rows(*crowd.real.store).fault == "");
  }
}

TEST_CASE("queues: a tenant that floods does not keep another one waiting") {
  Crowd crowd(plain_queue());
  std::vector<TaskSpec> flood = specs_of(600, 4, false);
  for (TaskSpec& spec : flood) spec.tenant = "flood";
  crowd.enqueue(flood);
  REQUIRE(crowd.lease(100) == "");
  std::vector<TaskSpec> few = specs_of(20, 5, false);
  for (TaskSpec& spec : few) spec.tenant = "few";
  crowd.enqueue(few);
  size_t given_until_done = 0;
  while (crowd.model.queues["jobs"].tasks_of("few") > 0) {
    REQUIRE(crowd.lease(8) == "");
    given_until_done += 8;
    const auto& tasks = crowd.model.queues["jobs"].tasks;
    const bool done = std::ranges::all_of(
        tasks, [](const auto& one) { return one.second.spec.tenant != "few" || one.second.lease; });
    if (done) break;
  }
  CHECK(given_until_done <= 120);
}
