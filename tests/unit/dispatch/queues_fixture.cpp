#include "tests/unit/dispatch/queues_fixture.hpp"

#include "codec/cbor.hpp"
#include "store/queue_record.hpp"

namespace limpet::testing {

using namespace dispatch;

namespace {

std::string text_of(ByteSpan item) {
  codec::CborReader reader(item);
  return std::string(reader.text());
}

}  // namespace

QueuesFixture::QueuesFixture() { options.max_bytes = uint64_t{64} << 20; }

QueueSettings QueuesFixture::work() {
  QueueSettings work;
  work.name = "work";
  work.backoff.jitter_percent = 0;
  return work;
}

void QueuesFixture::begin() {
  queues.reset();
  open();
  queues =
      std::make_unique<Queues>(Queues::Wiring{*store, clock, "limpet/test", 7, nullptr, nullptr});
  queues->on_ready([this](std::string_view queue) { woken.emplace_back(queue); });
  const Result<void> loaded = queues->load(settings);
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : to_string(loaded.error())));
}

Result<void> QueuesFixture::submit(const std::function<Result<void>(store::Change&)>& build) {
  store::Change change = store->begin();
  Result<void> result = build(change);
  if (result.ok()) result = store->submit(std::move(change));
  if (result.ok()) {
    queues->submitted();
  } else {
    queues->dropped();
  }
  return result;
}

void QueuesFixture::settle() {
  store->drain();
  queues->deliver();
}

Result<void> QueuesFixture::commit(const std::function<Result<void>(store::Change&)>& build) {
  const Result<void> result = submit(build);
  settle();
  return result;
}

ByteVector QueuesFixture::item(std::string_view text) {
  ByteVector buffer(text.size() + 9);
  codec::CborWriter writer(buffer);
  writer.text(text);
  buffer.resize(writer.finish()->size());
  return buffer;
}

Result<Enqueued> QueuesFixture::try_put(std::string_view text, NewTask task,
                                        std::string_view queue) {
  const ByteVector payload = item(text);
  task.payload = payload;
  std::optional<Result<Enqueued>> done;
  const Result<void> result = commit([&](store::Change& change) -> Result<void> {
    done = queues->enqueue(change, queue, task);
    return done->ok() ? Result<void>() : Result<void>(done->error());
  });
  if (!result.ok()) return result.error();
  return std::move(*done);
}

Sequence QueuesFixture::put(std::string_view text, const NewTask& task) {
  const Result<Enqueued> done = try_put(text, task);
  REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : to_string(done.error())));
  return done->task;
}

Sequence QueuesFixture::put_unsettled(std::string_view text, const NewTask& given) {
  const ByteVector payload = item(text);
  NewTask task = given;
  task.payload = payload;
  Sequence sequence;
  REQUIRE(submit([&](store::Change& change) -> Result<void> {
            LIMPET_TRY(const Enqueued done, queues->enqueue(change, "work", task));
            sequence = done.task;
            return {};
          }).ok());
  return sequence;
}

std::vector<Leased> QueuesFixture::lease(size_t count_max, Duration length) {
  std::vector<Leased> all;
  LeaseOptions how;
  how.tasks_max = count_max;
  how.lease = length;
  const Result<size_t> given = queues->lease("work", how, [&](const LeasedTask& task) {
    all.push_back({task.task, task.token, task.attempt, task.priority, text_of(task.payload),
                   std::string(task.group), std::string(task.tenant)});
  });
  REQUIRE(given.ok());
  CHECK(*given == all.size());
  return all;
}

std::vector<std::string> QueuesFixture::take(size_t count_max) {
  std::vector<std::string> texts;
  for (const Leased& leased : lease(count_max)) texts.push_back(leased.payload);
  return texts;
}

Result<void> QueuesFixture::ack(const Leased& leased, ByteSpan result) {
  return commit([&](store::Change& change) -> Result<void> {
    LIMPET_TRY(const Settled done, queues->ack(change, leased.ref(), result));
    CHECK(done.task == leased.task);
    return {};
  });
}

Result<Settled> QueuesFixture::nack(const Leased& leased, const Nack& nack) {
  Settled done;
  LIMPET_CHECK(commit([&](store::Change& change) -> Result<void> {
    LIMPET_TRY(done, queues->nack(change, leased.ref(), nack));
    return {};
  }));
  return done;
}

Result<void> QueuesFixture::release(const Leased& leased) {
  const Result<Settled> done = nack(leased, {Failure::release});
  return done.ok() ? Result<void>() : Result<void>(done.error());
}

void QueuesFixture::pass(Duration duration) {
  clock.advance(duration);
  run_due();
}

void QueuesFixture::run_due() {
  settle();
  while (true) {
    store::Change change = store->begin();
    const Result<size_t> done = queues->run_due(change, [this](const Settled& one) -> Result<void> {
      settled.push_back(one);
      return {};
    });
    REQUIRE(done.ok());
    if (*done == 0) {
      queues->dropped();
      return;
    }
    REQUIRE(store->submit(std::move(change)).ok());
    queues->submitted();
    settle();
  }
}

QueueStats QueuesFixture::stats(std::string_view queue) {
  const std::optional<QueueStats> found = queues->stats(queue);
  REQUIRE(found);
  return *found;
}

std::vector<QueuesFixture::Dead> QueuesFixture::dead(std::string_view queue, Sequence from) {
  std::vector<Dead> all;
  REQUIRE(queues
              ->list_dead(queue, from,
                          [&](const DeadTask& one) {
                            all.push_back({one.task, one.letter, text_of(one.payload)});
                            return true;
                          })
              .ok());
  return all;
}

size_t QueuesFixture::count_rows(const store::Key& prefix) {
  size_t count = 0;
  const auto snapshot = store->reader().snapshot();
  REQUIRE(snapshot.ok());
  REQUIRE(snapshot
              ->scan(prefix, prefix,
                     [&](ByteSpan, ByteSpan) {
                       ++count;
                       return true;
                     })
              .ok());
  return count;
}

std::vector<Event> QueuesFixture::events_of(std::string_view type) {
  std::vector<Event> all = read_all();
  std::erase_if(all, [&](const Event& event) { return event.type != type; });
  return all;
}

void QueuesFixture::audit() {
  std::map<Sequence, uint64_t> bytes;
  std::map<Sequence, std::string> tenants;
  for (const Event& event : events_of(event_type::task_queued)) {
    bytes[event.sequence] = event.data.size();
    tenants[event.sequence] = event.tenant;
  }
  const auto snapshot = store->reader().snapshot();
  REQUIRE(snapshot.ok());
  for (uint16_t number = store::first_user_queue; number < store::first_user_queue + 4; ++number) {
    std::set<Sequence> tasks;
    std::set<Sequence> dead_tasks;
    const store::Key ready = store::queue_prefix(number);
    REQUIRE(snapshot
                ->scan(ready, ready,
                       [&](ByteSpan key, ByteSpan) {
                         tasks.insert(Sequence(store::parse_ready_key(key)->ticket));
                         return true;
                       })
                .ok());
    const store::Key dead_rows = store::dead_prefix(number);
    REQUIRE(snapshot
                ->scan(dead_rows, dead_rows,
                       [&](ByteSpan key, ByteSpan) {
                         dead_tasks.insert(*store::parse_dead_key(key));
                         return true;
                       })
                .ok());
    const store::Key groups = store::Key('g').u16(number);
    REQUIRE(snapshot
                ->scan(groups, groups,
                       [&](ByteSpan key, ByteSpan) {
                         const Sequence task = store::parse_group_key(key)->task;
                         if (!dead_tasks.contains(task)) tasks.insert(task);
                         return true;
                       })
                .ok());
    store::QueueCount count{tasks.size(), 0, dead_tasks.size()};
    std::map<std::string, store::TenantRecord> by_tenant;
    for (const Sequence task : tasks) {
      count.bytes += bytes.at(task);
      by_tenant[tenants.at(task)].tasks += 1;
      by_tenant[tenants.at(task)].bytes += bytes.at(task);
    }
    const store::QueueCount& stored = store->newest().queues[number - store::first_user_queue];
    CHECK(stored.tasks == count.tasks);
    CHECK(stored.bytes == count.bytes);
    CHECK(stored.dead == count.dead);
    const store::Key names = store::tenant_name_prefix(number);
    REQUIRE(snapshot
                ->scan(names, names,
                       [&](ByteSpan key, ByteSpan value) {
                         const auto row = store::parse_tenant_record(value);
                         REQUIRE(row);
                         const store::TenantRecord& counted =
                             by_tenant[std::string(store::name_in(key, names))];
                         CHECK(row->tasks == counted.tasks);
                         CHECK(row->bytes == counted.bytes);
                         return true;
                       })
                .ok());
  }
}

}  // namespace limpet::testing
