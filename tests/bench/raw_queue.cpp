#include "tests/bench/raw_queue.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/cbor_value.hpp"
#include "codec/records.hpp"
#include "store/hot_record.hpp"
#include "store/keys.hpp"
#include "store/task_record.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/raw_lmdb.hpp"

namespace limpet::bench {

namespace {

std::unique_ptr<RowStore> make_rows(const CycleOptions& options) {
  return std::make_unique<RawLmdb>(options.directory, options.max_bytes, Sync::full);
}

// A row of the sequence in eight bytes; no region, no header, no checksum.
class MinimalQueue final : public RawQueue {
 public:
  explicit MinimalQueue(std::unique_ptr<RowStore> rows) : RawQueue(std::move(rows), {}, {}) {}

 private:
  // The key of eight bytes is what is behind the region byte.
  static store::Key key_of(uint64_t id) { return store::Key('z').u64(id); }
  static ByteSpan bytes_of(const store::Key& key) { return key.bytes().subspan(1); }

  void write_task(GroupCommit& writer, uint64_t id, ByteSpan payload) override {
    writer.append(bytes_of(key_of(id)), payload);
  }
  void erase_task(GroupCommit& writer, uint64_t id) override { writer.erase(bytes_of(key_of(id))); }
  void read_tasks(RowStore& rows, uint64_t first, size_t count) override {
    size_t found = 0;
    rows.read(bytes_of(key_of(first)), count, [&](ByteSpan, ByteSpan value) {
      sum_ += value[0];
      ++found;
    });
    if (found != count) fail("the raw queue lost a task");
  }

  uint64_t sum_ = 0;  // the payload is looked at
};

constexpr uint16_t queue_number = store::first_user_queue;
constexpr store::StoreMs ready_at_ms = 1767225600000;
constexpr store::Lane lane{queue_number, 0, 5};

// What Limpet writes for a task of a user queue: its `limpet.task.queued` event, which carries the
// payload, and an empty row among the ready ones, whose place the event's extensions tell.
class SameWritesQueue final : public RawQueue {
 public:
  SameWritesQueue(std::unique_ptr<RowStore> rows, ByteSpan hot, unsigned payload)
      : RawQueue(std::move(rows), store::hot_key().bytes(), hot) {
    record_ = make_record(payload);
  }

 private:
  static ByteVector make_record(unsigned payload) {
    const ByteVector data = codec::cbor_item(codec::CborScalar(ByteVector(payload, 0x5a)));
    store::TaskFacts facts;
    facts.lane = lane;
    facts.ready_at = ready_at_ms;
    ByteVector place;
    encode_task_facts(facts, place);
    EventView event;
    event.sequence = Sequence(100000);
    event.type = "limpet.task.queued";
    event.source = "limpet/bench";
    event.subject = "jobs";
    event.time = WallTime{ready_at_ms * 1000000};
    event.data = data;
    event.extensions = place;
    ByteVector record(codec::event_record_size(event));
    if (!codec::encode_event(event, record).ok()) fail("cannot encode the event");
    return record;
  }
  static store::Key ready_of(uint64_t id) { return store::ready_key({lane, ready_at_ms, id}); }

  void write_task(GroupCommit& writer, uint64_t id, ByteSpan) override {
    writer.append(store::log_key(Sequence(id), 0).bytes(), record_);
    writer.put(ready_of(id).bytes(), {});
  }
  void erase_task(GroupCommit& writer, uint64_t id) override { writer.erase(ready_of(id).bytes()); }
  void read_tasks(RowStore& rows, uint64_t first, size_t count) override {
    size_t found = 0;
    rows.read(ready_of(first).bytes(), count, [&](ByteSpan key, ByteSpan) {
      if (store::parse_ready_key(key)) ++found;
    });
    rows.read(store::log_key(Sequence(first), 0).bytes(), count,
              [&](ByteSpan, ByteSpan value) { sum_ += value[0]; });
    if (found != count) fail("the raw queue lost a task");
  }

  ByteVector record_;
  uint64_t sum_ = 0;  // the payload is looked at
};

}  // namespace

RawQueue::RawQueue(std::unique_ptr<RowStore> rows, ByteSpan hot_key, ByteSpan hot_value)
    : rows_(std::move(rows)), writer_(std::make_unique<GroupCommit>(*rows_, hot_key, hot_value)) {}

void RawQueue::enqueue(ByteSpan payload, Done done) {
  write_task(*writer_, next_id_++, payload);
  waiting_.push_back({std::move(done), true});
  writer_->submit();
}

void RawQueue::lease(size_t count_max, std::vector<CycleTask>& tasks_out) {
  const auto count = static_cast<size_t>(std::min<uint64_t>(count_max, ready_));
  if (count == 0) return;
  read_tasks(*rows_, leased_end_, count);
  for (size_t index = 0; index < count; ++index) tasks_out.push_back({leased_end_++, 0});
  ready_ -= count;
}

void RawQueue::ack(const CycleTask& task, Done done) {
  erase_task(*writer_, task.id);
  waiting_.push_back({std::move(done), false});
  writer_->submit();
}

void RawQueue::wait() {
  for (uint64_t answers = writer_->wait_answers(); answers > 0; --answers) {
    const Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    if (first.task) ++ready_;
    first.done();
  }
}

std::unique_ptr<CycleSubject> make_minimal_queue(std::unique_ptr<RowStore> rows) {
  return std::make_unique<MinimalQueue>(std::move(rows));
}

std::unique_ptr<CycleSubject> make_minimal_cycle(const CycleOptions& options) {
  return make_minimal_queue(make_rows(options));
}

std::unique_ptr<CycleSubject> make_same_writes_cycle(const CycleOptions& options) {
  store::HotRecord hot;
  hot.store_ms = ready_at_ms;
  hot.next_sequence = Sequence(100000);
  hot.events = 100000;
  hot.event_bytes = 30000000;
  hot.queues[0] = {10000, 3000000, 0};
  hot.classes[0] = {Sequence(1), 100000, 30000000};
  std::array<uint8_t, store::hot_record_bytes_max> buffer{};
  const Result<ByteSpan> encoded = encode_hot(hot, buffer);
  if (!encoded.ok()) fail("cannot encode the hot record");
  return std::make_unique<SameWritesQueue>(make_rows(options), *encoded, options.payload);
}

}  // namespace limpet::bench
