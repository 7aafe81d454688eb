#include "daemon/intake.hpp"

#include <algorithm>

#include "codec/records.hpp"
#include "daemon/commit.hpp"

namespace limpet::daemon {

namespace {

// What a refusal of the store means to a producer: when to come back.
constexpr uint32_t busy_retry_ms = 100;
constexpr uint32_t full_retry_ms = 5000;

api::Refusal refusal_of(const Error& error) {
  api::Refusal refusal{error, {}, 0};
  if (error.where != nullptr) refusal.detail = error.where;
  if (error.code == ErrorCode::busy) refusal.retry_after_ms = busy_retry_ms;
  if (error.code == ErrorCode::full) refusal.retry_after_ms = full_retry_ms;
  return refusal;
}

}  // namespace

struct Intake::Batch {
  std::vector<Event> events;
  api::Ingested ingested;
  Sequence repeated_first;  // of events that are stored already
  Sequence repeated_last;
  std::vector<admit::Dedup::Entry> ids;
  size_t bytes = 0;
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
    batch.bytes += codec::event_record_size(view(event));
    fresh.push_back(std::move(event));
  }
  batch.events = std::move(fresh);
  if (batch.bytes > limits::batch_bytes_max) {
    return Error{ErrorCode::too_large, "more than 1 MiB of events in one request"};
  }
  return {};
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
  LIMPET_CHECK(commit.submit(std::move(done)));
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
  if (result.ok()) result = admit_new_work(house_, batch.bytes);
  if (result.ok()) {
    // `ingested` is filled in by store() before the change can be answered.
    auto answer = std::make_shared<api::Ingested>();
    result = store(batch, [answer, done](const Result<void>& committed) {
      if (committed.ok()) {
        done(*answer);
      } else {
        done(refusal_of(committed.error()));
      }
    });
    *answer = batch.ingested;
  }
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
  result = admit_new_work(house_, batch.bytes);
  if (result.ok()) result = store(batch, done);
  if (result.ok()) return host::Taken::taken;
  // `full` ends the wait of this one event: its source decides whether it matters. `busy` passes
  // within a commit or two, so the host keeps the event and offers it again.
  if (result.error().code == ErrorCode::busy) return host::Taken::full;
  ++house_.drops.refused;
  done(result);
  return host::Taken::taken;
}

}  // namespace limpet::daemon
