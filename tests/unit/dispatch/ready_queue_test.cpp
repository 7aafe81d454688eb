#include "dispatch/ready_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "tests/unit/store/store_fixture.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using limpet::testing::StoreFixture;

namespace {

struct QueueFixture : StoreFixture {
  std::unique_ptr<ReadyQueue> queue;

  void begin() {
    open();
    queue = std::make_unique<ReadyQueue>(*store, turn_queue);
  }

  // Hands a task for `run` to the writer; it is not waited for.
  void submit(uint64_t run, uint8_t priority = 5, uint64_t delay_ms = 0,
              uint16_t number = turn_queue) {
    store::Change change = store->begin();
    const store::ReadyPlace place{
        {number, 0, priority}, store->now_ms() + delay_ms, change.hot().next_ticket++};
    ByteVector value(12, 0);
    value[7] = static_cast<uint8_t>(run);
    if (number == turn_queue) value.resize(8);
    if (number == call_queue) value[11] = 3;
    change.put(store::ready_key(place), value);
    REQUIRE(store->submit(std::move(change)).ok());
  }
  void put(uint64_t run, uint8_t priority = 5, uint64_t delay_ms = 0) {
    submit(run, priority, delay_ms);
    store->drain();
  }
  // On disk, and main has not heard of it.
  void wait_writer() {
    while (store->info().writer.pending_changes > 0) std::this_thread::yield();
  }
  std::vector<uint64_t> take(size_t count_max = 100) {
    const Result<Taken> taken = queue->take(count_max);
    REQUIRE(taken.ok());
    next_due = taken->next_due;
    std::vector<uint64_t> runs;
    for (const ReadyTask& task : taken->tasks) runs.push_back(task.run.value());
    return runs;
  }

  std::optional<store::StoreMs> next_due;
};

using Runs = std::vector<uint64_t>;

}  // namespace

TEST_CASE("ready queue: higher priority first, then the one that has been ready longest") {
  QueueFixture fixture;
  fixture.begin();
  fixture.put(1, 5);
  fixture.put(2, 9);
  fixture.clock.advance(milliseconds(5));
  fixture.put(3, 5);
  fixture.put(4, 0);
  fixture.put(5, 9);
  CHECK(fixture.take() == Runs{2, 5, 1, 3, 4});
  CHECK(fixture.take() == Runs{});
  CHECK_FALSE(fixture.next_due);
}

TEST_CASE("ready queue: each task is handed out once, however few at a time") {
  QueueFixture fixture;
  fixture.begin();
  for (uint64_t run = 1; run <= 7; ++run) fixture.put(run);
  CHECK(fixture.take(3) == Runs{1, 2, 3});
  CHECK(fixture.next_due == 0);
  fixture.put(8);
  CHECK(fixture.take(3) == Runs{4, 5, 6});
  CHECK(fixture.take(3) == Runs{7, 8});
  CHECK_FALSE(fixture.next_due);
  CHECK(fixture.take(0) == Runs{});
}

TEST_CASE("ready queue: a delayed task is due at its time, and others pass it") {
  QueueFixture fixture;
  fixture.begin();
  const store::StoreMs now = fixture.store->now_ms();
  fixture.put(1, 5, 1000);
  fixture.put(2, 5, 500);
  fixture.put(3, 5);
  CHECK(fixture.take() == Runs{3});
  CHECK(fixture.next_due == now + 500);
  fixture.clock.advance(milliseconds(499));
  CHECK(fixture.take() == Runs{});
  fixture.clock.advance(milliseconds(1));
  CHECK(fixture.take() == Runs{2});
  CHECK(fixture.next_due == now + 1000);
  fixture.put(4, 5);
  CHECK(fixture.take() == Runs{4});
  fixture.clock.advance(seconds(1));
  CHECK(fixture.take() == Runs{1});
}

TEST_CASE("ready queue: the earliest of all lanes' delayed tasks is the next due") {
  QueueFixture fixture;
  fixture.begin();
  const store::StoreMs now = fixture.store->now_ms();
  fixture.put(1, 9, 900);
  fixture.put(2, 1, 300);
  CHECK(fixture.take() == Runs{});
  CHECK(fixture.next_due == now + 300);
}

TEST_CASE("ready queue: the cursor never passes a row that is committed later") {
  // A delayed task may be due now while an older, immediate one is still on its way to the disk.
  QueueFixture fixture;
  fixture.begin();
  fixture.put(1, 5, 100);
  fixture.clock.advance(milliseconds(50));
  fixture.submit(2, 5);                     // ready at +50, main does not know it is on disk
  fixture.clock.advance(milliseconds(60));  // +110: task 1 is due, at +100
  Runs taken = fixture.take();
  CHECK(std::ranges::find(taken, 1) == taken.end());
  fixture.wait_writer();
  const Runs more = fixture.take();
  taken.insert(taken.end(), more.begin(), more.end());
  fixture.store->drain();
  const Runs rest = fixture.take();
  taken.insert(taken.end(), rest.begin(), rest.end());
  CHECK(taken == Runs{2, 1});
}

TEST_CASE("ready queue: with changes always on their way nothing is lost and nothing comes twice") {
  QueueFixture fixture;
  fixture.begin();
  Runs taken;
  for (uint64_t run = 1; run <= 200; ++run) {
    fixture.submit(run, static_cast<uint8_t>(run % 3), run % 5 == 0 ? 7 : 0);
    if (run % 4 == 0) fixture.clock.advance(milliseconds(3));
    if (run % 7 == 0) fixture.store->deliver();
    const Runs now = fixture.take(4);
    taken.insert(taken.end(), now.begin(), now.end());
  }
  fixture.store->drain();
  fixture.clock.advance(milliseconds(10));
  for (Runs now = fixture.take(4); !now.empty(); now = fixture.take(4)) {
    taken.insert(taken.end(), now.begin(), now.end());
  }
  std::ranges::sort(taken);
  Runs all;
  for (uint64_t run = 1; run <= 200; ++run) all.push_back(run);
  CHECK(taken == all);
}

TEST_CASE("ready queue: a restart sees again all that is still there") {
  QueueFixture fixture;
  fixture.begin();
  fixture.put(1);
  fixture.put(2, 7);
  CHECK(fixture.take() == Runs{2, 1});
  CHECK(fixture.take() == Runs{});
  fixture.begin();
  CHECK(fixture.take() == Runs{2, 1});
}

TEST_CASE("ready queue: queues do not see each other's tasks, and a call names its step") {
  QueueFixture fixture;
  fixture.begin();
  fixture.submit(1);
  fixture.submit(2, 5, 0, call_queue);
  fixture.store->drain();
  CHECK(fixture.take() == Runs{1});
  ReadyQueue calls(*fixture.store, call_queue);
  const Result<Taken> taken = calls.take(10);
  REQUIRE(taken.ok());
  REQUIRE(taken->tasks.size() == 1);
  CHECK(taken->tasks[0].run == RunId(2));
  CHECK(taken->tasks[0].ordinal == Ordinal(3));
}

TEST_CASE("ready queue: a damaged row is passed over") {
  QueueFixture fixture;
  fixture.begin();
  store::Change change = fixture.store->begin();
  const store::ReadyPlace place{{turn_queue, 0, 5}, 0, change.hot().next_ticket++};
  change.put(store::ready_key(place), as_bytes("bad"));
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.put(1);
  CHECK(fixture.take() == Runs{1});
}
