// Limpet's own side of the cycle: its store and its queues, as the daemon drives them, in one
// process and without the API.

#include <deque>

#include "codec/cbor_value.hpp"
#include "dispatch/queues.hpp"
#include "tests/bench/cycle_subject.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/open_store.hpp"

namespace limpet::bench {

namespace {

constexpr const char* queue_name = "jobs";
constexpr size_t event_head_bytes = 128;  // of a task's event beside its payload, roughly

void must(const Result<void>& result) {
  if (!result.ok()) fail(to_string(result.error()));
}

dispatch::QueueSettings make_settings() {
  dispatch::QueueSettings settings;
  settings.name = queue_name;
  // What is measured is the work, not the refusal.
  settings.tasks_max = UINT32_MAX;
  settings.bytes_max = uint64_t{1} << 40;
  settings.in_flight_max = UINT16_MAX;
  return settings;
}

class LimpetCycle final : public CycleSubject {
 public:
  explicit LimpetCycle(const CycleOptions& options)
      : item_(codec::cbor_item(codec::CborScalar(ByteVector(options.payload, 0x5a)))),
        opened_(options.directory + "/data", options.max_bytes, Duration{}),
        queues_({opened_.store(), clock_, "limpet/bench", 0, {}, {}}) {
    must(queues_.load({make_settings()}));
    settle();
  }

  // The payload is of that size, but was made one CBOR item at the start, as it comes from the API.
  void enqueue(ByteSpan, Done done) override {
    must(opened_.store().admit(item_.size() + event_head_bytes, store::Urgency::ingest));
    store::Change change = opened_.store().begin();
    dispatch::NewTask task;
    task.payload = item_;
    const Result<dispatch::Enqueued> enqueued = queues_.enqueue(change, queue_name, task);
    if (!enqueued.ok()) fail(to_string(enqueued.error()));
    submit(std::move(change), std::move(done));
  }

  void lease(size_t count_max, std::vector<CycleTask>& tasks_out) override {
    dispatch::LeaseOptions options;
    options.tasks_max = count_max;
    const Result<size_t> given =
        queues_.lease(queue_name, options, [&](const dispatch::LeasedTask& task) {
          if (task.payload.size() != item_.size()) fail("a payload of another size");
          tasks_out.push_back({task.task.value(), task.token.value()});
        });
    if (!given.ok()) fail(to_string(given.error()));
  }

  void ack(const CycleTask& task, Done done) override {
    store::Change change = opened_.store().begin();
    const dispatch::LeaseRef lease{Sequence(task.id), dispatch::LeaseToken(task.token)};
    const Result<dispatch::Settled> settled = queues_.ack(change, lease, {});
    if (!settled.ok()) fail(to_string(settled.error()));
    submit(std::move(change), std::move(done));
  }

  void wait() override {
    size_t answers = 0;
    while (answers == 0) {
      opened_.answers().wait();
      answers = opened_.store().deliver();
    }
    queues_.deliver();
  }

  uint64_t commits() const override { return opened_.store().info().writer.commits; }

 private:
  // Answers come in the order of submission; the store's own callback holds one pointer only.
  void submit(store::Change change, Done done) {
    waiting_.push_back(std::move(done));
    change.on_done([this](const Result<void>& result) {
      must(result);
      const Done first = std::move(waiting_.front());
      waiting_.pop_front();
      first();
    });
    must(opened_.store().submit(std::move(change)));
    queues_.submitted();
  }
  void settle() {
    opened_.store().drain();
    queues_.deliver();
  }

  platform::SystemClock clock_;
  const ByteVector item_;
  std::deque<Done> waiting_;
  OpenStore opened_;
  dispatch::Queues queues_;  // last: it uses the store
};

}  // namespace

std::unique_ptr<CycleSubject> make_limpet_cycle(const CycleOptions& options) {
  return std::make_unique<LimpetCycle>(options);
}

}  // namespace limpet::bench
