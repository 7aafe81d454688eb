#include "host/emission_queue.hpp"

#include <limpet/ext/draft/sources.h>

#include <algorithm>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/records.hpp"

namespace limpet::host {

namespace {

static_assert(LIMPET_SOURCE_EVENT_BYTES_MAX == limits::event_data_bytes_max);

constexpr Error unknown_member{ErrorCode::invalid, "the event has a member that does not exist"};

ByteSpan span_of(limpet_bytes bytes) {
  return bytes.size == 0 ? ByteSpan{} : ByteSpan(bytes.data, bytes.size);
}

// Reads one member into `event`; false: there is no such member.
bool decode_member(std::string_view name, codec::CborReader& reader, Event& event) {
  if (name == "type") {
    event.type = reader.text();
  } else if (name == "data") {
    const ByteSpan item = reader.item();
    event.data.assign(item.begin(), item.end());
  } else if (name == "subject") {
    event.subject = reader.text();
  } else if (name == "id") {
    event.id = reader.text();
  } else if (name == "time") {
    event.time = WallTime{reader.uint()};
  } else if (name == "correlationid") {
    event.correlation = reader.text();
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<Event> decode_emitted(ByteSpan item) {
  LIMPET_CHECK(codec::validate(item));
  Event event;
  codec::CborReader reader(item);
  for (size_t left = reader.map(); left > 0 && reader.ok(); --left) {
    const std::string_view name = reader.text();
    if (!decode_member(name, reader, event)) return unknown_member;
  }
  LIMPET_CHECK(reader.finish());
  // The source is the owner's to fill in; any will do for the rules of the rest.
  EventView checked = view(event);
  checked.source = "plugin";
  LIMPET_CHECK(codec::check_event(checked));
  return event;
}

limpet_status EmissionQueue::emit(uint64_t token, limpet_bytes event, limpet_bytes position,
                                  std::string& problem_out) {
  const auto invalid = [&](std::string sentence) {
    counters_.garbage.add();
    problem_out = std::move(sentence);
    return LIMPET_INVALID;
  };
  if (event.size > LIMPET_SOURCE_EVENT_BYTES_MAX) return invalid("the event is too large");
  if (position.size > LIMPET_SOURCE_POSITION_BYTES_MAX) return invalid("the position is too large");
  if ((event.data == nullptr && event.size > 0) ||
      (position.data == nullptr && position.size > 0)) {
    return invalid("a size without bytes");
  }
  Result<Event> decoded = decode_emitted(span_of(event));
  if (!decoded) return invalid(decoded.error().where);
  if (std::find(rules_.types.begin(), rules_.types.end(), decoded->type) == rules_.types.end()) {
    return invalid("the manifest has no source of type \"" + decoded->type + "\"");
  }
  const std::lock_guard lock(mutex_);
  if (!open_) return LIMPET_WRONG_STATE;
  const size_t cost = size_t{event.size} + position.size;
  if (waiting_.size() >= limits::emissions_waiting_max ||
      bytes_ + cost > limits::emissions_waiting_bytes_max) {
    counters_.emits_full.add();
    return LIMPET_FULL;
  }
  const ByteSpan place = span_of(position);
  waiting_.push_back({Emission{++last_id_, rules_.instance, std::move(decoded).value(),
                               ByteVector(place.begin(), place.end())},
                      token, cost, false});
  bytes_ += cost;
  mailbox_.ring();
  return LIMPET_OK;
}

void EmissionQueue::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

void EmissionQueue::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

void EmissionQueue::drop() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  waiting_.clear();
  bytes_ = 0;
}

bool EmissionQueue::offer(Observer& observer) {
  std::unique_lock lock(mutex_);
  if (offering_) return true;  // from inside the observer: the outer one goes on
  offering_ = true;
  bool room = true;
  while (room) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const Waiting& waiting) { return !waiting.taken; });
    if (next == waiting_.end()) break;
    // The observer may settle from inside, and plugins emit meanwhile: neither may find the lock
    // held, nor the emission gone.
    Emission emission = std::move(next->emission);
    next->emission.id = emission.id;
    next->taken = true;
    lock.unlock();
    room = observer.emitted(emission) == Taken::taken;
    lock.lock();
    if (room) {
      counters_.events.add();
      continue;
    }
    const auto same = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
      return waiting.emission.id == emission.id;
    });
    if (same == waiting_.end()) continue;  // dropped meanwhile
    same->emission = std::move(emission);
    same->taken = false;
  }
  offering_ = false;
  return room;
}

EmissionQueue::Settled EmissionQueue::settle(uint64_t emission) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
    return waiting.taken && waiting.emission.id == emission;
  });
  if (found == waiting_.end()) return {};
  const Settled settled{found->token, true};
  bytes_ -= found->cost;
  waiting_.erase(found);
  return settled;
}

bool EmissionQueue::idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

}  // namespace limpet::host
