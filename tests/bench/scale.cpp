// scale: what an operation of a queue costs with so many tasks ready, against what it costs with a
// thousand: with one lane, and with ten priorities of sixteen tenants. Processor time of the one
// thread that has the queues; the disk and the writer's thread are left out.

#include <algorithm>
#include <ctime>

#include "codec/cbor_value.hpp"
#include "dispatch/queues.hpp"
#include "tests/bench/isolated.hpp"
#include "tests/bench/open_store.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

namespace {

constexpr const char* queue_name = "jobs";
constexpr uint64_t base_tasks = 1000;
constexpr uint64_t operations = 2000;
constexpr uint64_t tasks_a_change = 128;

struct Shape {
  const char* name;
  unsigned tenants;  // 1: none has a name
  unsigned priorities;
};
constexpr Shape shapes[] = {{"one lane", 1, 1}, {"16 tenants x 10 priorities", 16, 10}};

uint64_t thread_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void must(const Result<void>& result) {
  if (!result.ok()) fail(to_string(result.error()));
}

class Scale {
 public:
  Scale(const Options& options, const Shape& shape, const std::string& directory, uint64_t tasks)
      : shape_(shape),
        item_(codec::cbor_item(codec::CborScalar(ByteVector(options.payload, 0x5a)))),
        opened_(directory + "/data", (uint64_t{128} << 20) + 3 * tasks * (options.payload + 256),
                Duration{}),
        queues_({opened_.store(), clock_, "limpet/bench", 0, {}, {}}) {
    dispatch::QueueSettings settings;
    settings.name = queue_name;
    settings.tasks_max = UINT32_MAX;
    settings.bytes_max = uint64_t{1} << 40;
    settings.in_flight_max = UINT16_MAX;
    must(queues_.load({settings}));
    settle();
    fill(tasks);
  }

  // Nanoseconds an operation.
  Figures measure() {
    uint64_t lease_ns = 0;
    uint64_t ack_ns = 0;
    uint64_t enqueue_ns = 0;
    for (uint64_t count = 0; count < operations; ++count) {
      const uint64_t start = thread_ns();
      const dispatch::LeaseRef lease = lease_one();
      const uint64_t leased = thread_ns();
      ack(lease);
      const uint64_t acked = thread_ns();
      store::Change change = opened_.store().begin();
      put(change, count);
      submit(std::move(change));
      const uint64_t end = thread_ns();
      lease_ns += leased - start;
      ack_ns += acked - leased;
      enqueue_ns += end - acked;
      if (count % 64 == 63) settle();
    }
    settle();
    const auto each = [](uint64_t ns) {
      return static_cast<double>(ns) / static_cast<double>(operations);
    };
    return {{"lease_ns", "ns", each(lease_ns)},
            {"ack_ns", "ns", each(ack_ns)},
            {"enqueue_ns", "ns", each(enqueue_ns)},
            {"operation_ns", "ns", each(lease_ns + ack_ns + enqueue_ns)}};
  }

 private:
  void fill(uint64_t tasks) {
    for (uint64_t done = 0; done < tasks;) {
      store::Change change = opened_.store().begin();
      for (uint64_t end = std::min(tasks, done + tasks_a_change); done < end; ++done) {
        put(change, done);
      }
      submit(std::move(change));
      if (done % (tasks_a_change * 16) == 0) settle();
    }
    settle();
  }

  void put(store::Change& change, uint64_t number) {
    const std::string tenant =
        shape_.tenants == 1 ? "" : "tenant" + std::to_string(number % shape_.tenants);
    dispatch::NewTask task;
    task.payload = item_;
    task.tenant = tenant;
    task.priority = static_cast<uint8_t>(number / shape_.tenants % shape_.priorities);
    const Result<dispatch::Enqueued> added = queues_.enqueue(change, queue_name, task);
    if (!added.ok()) fail(to_string(added.error()));
  }

  dispatch::LeaseRef lease_one() {
    dispatch::LeaseRef lease;
    const Result<size_t> given =
        queues_.lease(queue_name, {}, [&](const dispatch::LeasedTask& task) {
          lease = {task.task, task.token};
        });
    if (!given.ok() || *given != 1) fail("scale: no task was given");
    return lease;
  }

  void ack(const dispatch::LeaseRef& lease) {
    store::Change change = opened_.store().begin();
    const Result<dispatch::Settled> settled = queues_.ack(change, lease, {});
    if (!settled.ok()) fail(to_string(settled.error()));
    submit(std::move(change));
  }

  void submit(store::Change change) {
    must(opened_.store().submit(std::move(change)));
    queues_.submitted();
  }
  void settle() {
    opened_.store().drain();
    queues_.deliver();
  }

  const Shape& shape_;
  platform::SystemClock clock_;
  const ByteVector item_;
  OpenStore opened_;
  dispatch::Queues queues_;  // last: it uses the store
};

Figures measure(const Options& options, const Shape& shape, uint64_t tasks) {
  return run_isolated([&] {
    const Scratch scratch(options.directory);
    return Scale(options, shape, scratch.path(), tasks).measure();
  });
}

}  // namespace

void run_scale(const Options& options, const std::string&, Report& report) {
  std::vector<uint64_t> sizes = {100'000, 1'000'000};
  if (options.events > 0) sizes = {options.events};
  for (const Shape& shape : shapes) {
    std::vector<Figures> base;
    for (unsigned run = 0; run < options.runs; ++run) {
      base.push_back(measure(options, shape, base_tasks));
    }
    const std::string name = "\"" + std::string(shape.name) + "\"";
    report.add("scale", {{"ready", std::to_string(base_tasks)}, {"lanes", name}}, base);
    for (const uint64_t size : sizes) {
      std::vector<Figures> runs;
      for (unsigned run = 0; run < options.runs; ++run) {
        Figures figures = measure(options, shape, size);
        figures.push_back({"ratio_to_thousand", "",
                           figure(figures, "operation_ns") / figure(base[run], "operation_ns")});
        runs.push_back(std::move(figures));
      }
      report.add("scale", {{"ready", std::to_string(size)}, {"lanes", name}}, runs);
    }
  }
}

}  // namespace limpet::bench
