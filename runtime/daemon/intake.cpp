#include "daemon/intake.hpp"

#include <algorithm>
#include <array>

#include "codec/records.hpp"
#include "daemon/answers.hpp"
#include "daemon/commit.hpp"
#include "daemon/retention.hpp"

namespace limpet::daemon {

namespace {

uint8_t class_of(const House& house, std::string_view type) {
  return house.retention == nullptr ? store::work_class : house.retention->classes().class_of(type);
}

}  // namespace

struct Intake::Batch {
  std::vector<Event> events;
  api::Ingested ingested;
  Sequence repeated_first;  // of events that are stored already
  Sequence repeated_last;
  std::vector<admit::Dedup::Entry> ids;
  size_t bytes = 0;
  std::array<size_t, store::classes_max> bytes_by_class{};
  bool relaxed = false;     // all of it is of classes that are acknowledged at admission
  std::string position_of;  // of a source
  ByteVector position;
};

// Completes and checks the events and takes out those that are known already.
Result<void> Intake::prepare(Batch& batch, const std::string& principal) {
  const WallTime now = house_.clock.wall();
  const store::StoreMs now_ms = house_.store.now_ms();
  std::vector<Event> fresh;
  std::vector<uint64_t> fresh_ids;
  for (Event& event : batch.events) {
    if (event.source.empty()) event.source = house_.source;
    if (event.time.ns == 0) event.time = now;
    event.principal = principal;
    event.run = RunId();
    if (event.type.starts_with(event_type::own_prefix)) {
      return Error{ErrorCode::denied, "types that begin with \"limpet.\" are Limpet's own"};
    }
    LIMPET_CHECK(codec::check_event(view(event)));
    if (!event.id.empty()) {
      const uint64_t id = admit::Dedup::hash(event.source, event.id);
      const bool twice = std::ranges::find(fresh_ids, id) != fresh_ids.end();
      const std::optional<Sequence> known = house_.dedup.find(event.source, event.id, now_ms);
      if (known || twice) {
        ++batch.ingested.duplicates;
        if (known && batch.repeated_first.none()) batch.repeated_first = *known;
        if (known) batch.repeated_last = *known;
        continue;
      }
      fresh_ids.push_back(id);
    }
    const size_t bytes = codec::event_record_size(view(event));
    batch.bytes += bytes;
    batch.bytes_by_class[class_of(house_, event.type)] += bytes;
    fresh.push_back(std::move(event));
  }
  batch.events = std::move(fresh);
  if (batch.bytes > limits::batch_bytes_max) {
    return Error{ErrorCode::too_large, "more than 1 MiB of events in one request"};
  }
  return {};
}

// Is there room for all of it? Decides whether it may be relaxed, too.
Result<void> Intake::admit(Batch& batch) {
  if (house_.memory_pressed) return Error{ErrorCode::busy, "the process is above limits.memory"};
  if (house_.retention == nullptr) return admit_into_store(house_, batch.bytes);
  batch.relaxed = batch.bytes > 0;
  for (uint8_t number = 0; number < store::classes_max; ++number) {
    const size_t bytes = batch.bytes_by_class[number];
    if (bytes == 0) continue;
    LIMPET_CHECK(house_.retention->admit(number, bytes));
    const store::ClassSettings& settings = house_.retention->classes().at(number).settings;
    batch.relaxed = batch.relaxed && settings.durability == store::Durability::relaxed;
  }
  return admit_into_store(house_, batch.bytes);
}

Result<void> Intake::store(Batch& batch, std::function<void(const Result<void>&)> done) {
  const store::StoreMs now_ms = house_.store.now_ms();
  Commit commit(house_);
  std::vector<Sequence> sequences;
  for (const Event& event : batch.events) {
    LIMPET_TRY(const Sequence sequence, commit.append(event));
    sequences.push_back(sequence);
    if (!event.id.empty()) {
      batch.ids.push_back({admit::Dedup::hash(event.source, event.id), sequence});
    }
  }
  if (!batch.events.empty()) {
    batch.ingested.first = sequences.front();
    batch.ingested.last = sequences.back();
  } else {
    // Every event is a repeat: the answer names the first time, and waits until that is on disk,
    // which this empty change behind it proves.
    batch.ingested.first = batch.repeated_first;
    batch.ingested.last = batch.repeated_last;
  }
  for (size_t index = 0; index < batch.events.size(); ++index) {
    EventView event = view(batch.events[index]);
    event.sequence = sequences[index];
    LIMPET_CHECK(commit.deliver_triggered(event));
  }
  if (!batch.ids.empty()) house_.dedup.write(commit.change(), batch.ids, now_ms);
  if (!batch.position.empty()) {
    commit.change().put(store::source_position_key(batch.position_of), batch.position);
  }
  // Events that something follows from are not kept waiting.
  batch.relaxed = batch.relaxed && commit.only_stores();
  LIMPET_CHECK(batch.relaxed ? commit.submit_relaxed() : commit.submit(std::move(done)));
  if (!batch.ids.empty()) house_.dedup.keep(batch.ids, now_ms);
  counters_.events += batch.events.size();
  counters_.duplicates += batch.ingested.duplicates;
  return {};
}

void Intake::ingest(std::vector<Event> events, const std::string& principal,
                    api::Done<api::Ingested> done) {
  Batch batch;
  batch.events = std::move(events);
  Result<void> result = prepare(batch, principal);
  if (result.ok()) result = admit(batch);
  // `ingested` is filled in by store() before the change can be answered.
  auto answer = std::make_shared<api::Ingested>();
  if (result.ok()) {
    result = store(batch, [answer, done](const Result<void>& committed) {
      if (committed.ok()) {
        done(*answer);
      } else {
        done(refusal_of(committed.error()));
      }
    });
    *answer = batch.ingested;
  }
  if (result.ok() && batch.relaxed) done(batch.ingested);
  if (result.ok()) return;
  ++house_.drops.refused;
  done(refusal_of(result.error()));
}

host::Taken Intake::emit(const host::Emission& emission, std::function<void(Result<void>)> done) {
  Batch batch;
  batch.events.push_back(emission.event);
  batch.events.front().source = house_.source + "/" + emission.instance;
  batch.position_of = emission.instance;
  batch.position = emission.position;
  Result<void> result = prepare(batch, "plugin:" + emission.instance);
  if (!result.ok()) {
    done(result);
    return host::Taken::taken;
  }
  result = admit(batch);
  if (result.ok()) result = store(batch, done);
  if (result.ok() && batch.relaxed) done({});
  if (result.ok()) return host::Taken::taken;
  // `full` ends the wait of this one event: its source decides whether it matters. `busy` passes
  // within a commit or two, so the host keeps the event and offers it again.
  if (result.error().code == ErrorCode::busy) return host::Taken::full;
  ++house_.drops.refused;
  done(result);
  return host::Taken::taken;
}

}  // namespace limpet::daemon
