#include "daemon/imports.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "codec/cbor.hpp"
#include "codec/records.hpp"
#include "daemon/answers.hpp"
#include "daemon/commit.hpp"
#include "daemon/retention.hpp"

namespace limpet::daemon {

namespace {

struct Place {
  Epoch epoch;
  Sequence sequence;
};

// Where it was stored first; none when it does not say.
Place origin_of(const Event& event) {
  Place place;
  if (event.extensions.empty()) return place;
  codec::CborReader reader(event.extensions);
  const size_t count = reader.map();
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    const std::string_view name = reader.text();
    if (name == "originepoch" && reader.peek() == codec::CborKind::text) {
      place.epoch = parse_epoch(reader.text()).value_or(Epoch());
    } else if (name == "originsequence" && reader.peek() == codec::CborKind::uint) {
      place.sequence = Sequence(reader.uint());
    } else {
      reader.skip();
    }
  }
  return place;
}

}  // namespace

struct Imports::Batch {
  std::vector<Event> events;
  api::Ingested ingested;
  std::map<Block, store::ImportBlock> blocks;  // as they will be
  std::vector<uint64_t> ids;                   // of events without origin
  std::vector<bool> by_id;                     // of `events`: such a one
  size_t bytes = 0;
  std::array<size_t, store::classes_max> bytes_by_class{};
};

// Marks it as known, too.
Result<bool> Imports::is_known(Batch& batch, const Event& event) const {
  const Place origin = origin_of(event);
  if (origin.epoch.none() || origin.sequence.none()) {
    if (event.id.empty()) return false;
    const uint64_t id = admit::Dedup::hash(event.source, event.id);
    if (std::ranges::find(batch.ids, id) != batch.ids.end()) return true;
    if (house_.dedup.find(event.source, event.id, house_.store.now_ms())) return true;
    batch.ids.push_back(id);
    return false;
  }
  // This log's own: it is there, or it has been and was trimmed.
  if (origin.epoch == house_.store.epoch()) return true;
  const Block block{origin.epoch, origin.sequence.value() / store::import_block_events};
  auto found = batch.blocks.find(block);
  if (found == batch.blocks.end()) {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
    LIMPET_TRY(const std::optional<ByteSpan> row,
               snapshot.get(store::import_key(block.epoch, block.number)));
    store::ImportBlock bits{};
    if (row && row->size() == bits.size()) std::ranges::copy(*row, bits.begin());
    found = batch.blocks.emplace(block, bits).first;
  }
  const uint64_t bit = origin.sequence.value() % store::import_block_events;
  uint8_t& byte = found->second[static_cast<size_t>(bit / 8)];
  const auto mask = static_cast<uint8_t>(1U << (bit % 8));
  const bool known = (byte & mask) != 0;
  byte = static_cast<uint8_t>(byte | mask);
  return known;
}

Result<void> Imports::prepare(Batch& batch, const std::string& principal) const {
  std::vector<Event> fresh;
  for (Event& event : batch.events) {
    // Says what an export could not hold; it was never stored, and is not now.
    if (event.type == event_type::log_gap) continue;
    if (event.source.empty()) event.source = house_.source;
    if (event.time.ns == 0) event.time = house_.clock.wall();
    event.principal = principal;
    event.run = RunId();  // of the origin; `originrunid` says which
    LIMPET_CHECK(codec::check_event(view(event)));
    const size_t ids = batch.ids.size();
    LIMPET_TRY(const bool known, is_known(batch, event));
    if (known) {
      ++batch.ingested.duplicates;
      continue;
    }
    const size_t bytes = codec::event_record_size(view(event));
    batch.bytes += bytes;
    if (house_.retention != nullptr) {
      batch.bytes_by_class[house_.retention->classes().class_of(event.type)] += bytes;
    }
    batch.by_id.push_back(batch.ids.size() > ids);
    fresh.push_back(std::move(event));
  }
  batch.events = std::move(fresh);
  if (batch.bytes > limits::batch_bytes_max) {
    return Error{ErrorCode::too_large, "more than 1 MiB of events in one request"};
  }
  return {};
}

Result<void> Imports::admit(const Batch& batch) const {
  for (uint8_t number = 0; number < store::classes_max && house_.retention != nullptr; ++number) {
    const size_t bytes = batch.bytes_by_class[number];
    if (bytes > 0) LIMPET_CHECK(house_.retention->admit(number, bytes));
  }
  if (house_.memory_pressed) return Error{ErrorCode::busy, "the process is above limits.memory"};
  return admit_into_store(house_, batch.bytes);
}

Result<void> Imports::store(Batch& batch, const api::Done<api::Ingested>& done) {
  Commit commit(house_);
  std::vector<admit::Dedup::Entry> entries;
  size_t next_id = 0;
  for (size_t index = 0; index < batch.events.size(); ++index) {
    LIMPET_TRY(const Sequence sequence, commit.append(batch.events[index]));
    if (batch.ingested.first.none()) batch.ingested.first = sequence;
    batch.ingested.last = sequence;
    if (batch.by_id[index]) entries.push_back({batch.ids[next_id++], sequence});
  }
  if (!batch.events.empty()) {
    for (const auto& [block, bits] : batch.blocks) {
      commit.change().put(store::import_key(block.epoch, block.number), bits);
    }
  }
  const store::StoreMs now_ms = house_.store.now_ms();
  if (!entries.empty()) house_.dedup.write(commit.change(), entries, now_ms);
  LIMPET_CHECK(commit.submit([this, done, answer = batch.ingested](const Result<void>& result) {
    under_way_ = false;
    if (result.ok()) {
      done(answer);
    } else {
      done(refusal_of(result.error()));
    }
  }));
  under_way_ = true;
  if (!entries.empty()) house_.dedup.keep(entries, now_ms);
  return {};
}

void Imports::ingest(std::vector<Event> events, const std::string& principal,
                     api::Done<api::Ingested> done) {
  Batch batch;
  batch.events = std::move(events);
  Result<void> result;
  // What the bits on disk say must be all that was taken.
  if (under_way_) result = Error{ErrorCode::busy, "another import waits for the disk"};
  if (result.ok()) result = prepare(batch, principal);
  if (result.ok()) result = admit(batch);
  if (result.ok()) result = store(batch, done);
  if (!result.ok()) done(refusal_of(result.error()));
}

}  // namespace limpet::daemon
