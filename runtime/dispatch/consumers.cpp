#include "dispatch/consumers.hpp"

#include <algorithm>

#include "dispatch/consumer_filter.hpp"
#include "dispatch/find_time.hpp"
#include "model/pattern.hpp"

namespace limpet::dispatch {

namespace {

constexpr size_t last_records_max = 16 * limits::read_records_max;  // looked at for StartAt::last

const Error no_such{ErrorCode::not_found, "consumer: there is none of this name"};

bool is_name(std::string_view name) {
  const auto good = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '-';
  };
  return !name.empty() && name.size() <= consumer_name_bytes_max && std::ranges::all_of(name, good);
}

bool is_wait(Duration wait) { return wait >= milliseconds(1) && wait <= consumer_wait_max; }

Result<ConsumerSettings> settings_of(std::string_view name, const store::ConsumerRecord& record) {
  ConsumerSettings settings;
  settings.name = name;
  settings.type_pattern = record.type_pattern;
  settings.subject_pattern = record.subject_pattern;
  settings.run = record.run;
  settings.start = static_cast<StartAt>(record.start);
  settings.start_sequence = record.start_sequence;
  settings.start_time = record.start_time;
  settings.pace = static_cast<Pace>(record.pace);
  settings.speed_percent = record.speed_percent;
  settings.ack = static_cast<AckMode>(record.ack);
  settings.in_flight_max = record.in_flight_max;
  settings.ack_wait = milliseconds(static_cast<int64_t>(record.ack_wait_ms));
  settings.backoff_max = milliseconds(static_cast<int64_t>(record.backoff_max_ms));
  const bool known = record.start <= static_cast<uint8_t>(StartAt::time) &&
                     record.pace <= static_cast<uint8_t>(Pace::original) &&
                     record.ack <= static_cast<uint8_t>(AckMode::none);
  if (!known || fault_of(settings)) {
    return Error{ErrorCode::corrupt, "consumer: stored settings that make no sense"};
  }
  return settings;
}

}  // namespace

std::optional<std::string_view> fault_of(const ConsumerSettings& settings) {
  if (!is_name(settings.name)) return "A consumer's name is 1 to 64 of A-Z, a-z, 0-9, _ . and -.";
  const std::string& type = settings.type_pattern;
  if (type.size() > limits::event_type_bytes_max || (!type.empty() && !pattern_valid(type))) {
    return "The type is not a pattern such as `sensor.*` or `limpet.#`.";
  }
  if (settings.subject_pattern.size() > limits::event_attribute_bytes_max) {
    return "The subject is too long.";
  }
  if (settings.in_flight_max < 1 || settings.in_flight_max > consumer_in_flight_limit) {
    return "At most 4000 events can be in flight, and at least one.";
  }
  if (settings.speed_percent < 1 || settings.speed_percent > consumer_speed_percent_max) {
    return "The speed is 0.01 to 10000 times the original.";
  }
  if (!is_wait(settings.ack_wait) || !is_wait(settings.backoff_max)) {
    return "Waits for an acknowledgement are one millisecond to 24 hours.";
  }
  return std::nullopt;
}

Consumers::Consumers(store::Store& store, std::vector<ClassTypes> classes)
    : store_(store), classes_(std::move(classes)) {}

void Consumers::add(const ConsumerSettings& settings, const store::ConsumerRecord& record) {
  consumers_[settings.name] = std::make_unique<Consumer>(settings, record, classes_);
}

Result<std::vector<std::string>> Consumers::load() {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store_.reader().snapshot());
  const store::Key prefix = store::consumer_prefix();
  std::vector<std::string> damaged;
  LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::string_view name = store::name_in(key, prefix);
    const Result<store::ConsumerRecord> record = store::decode_consumer(value);
    const Result<ConsumerSettings> settings =
        record.ok() ? settings_of(name, *record) : Result<ConsumerSettings>(record.error());
    if (settings.ok()) {
      add(*settings, *record);
    } else {
      damaged.emplace_back(name);
    }
    return true;
  }));
  return damaged;
}

// Edits ----------------------------------------------------------------------------------------

Result<Edit> Consumers::make(const ConsumerSettings& settings) {
  if (fault_of(settings)) return Error{ErrorCode::invalid, "consumer: settings"};
  Edit edit{Edit::Kind::make, settings.name, settings, {}, {}};
  if (const Consumer* const there = find(settings.name)) {
    if (there->settings() != settings) {
      return Error{ErrorCode::conflict, "consumer: the name has other settings"};
    }
    edit.kind = Edit::Kind::nothing;
    return edit;
  }
  if (consumers_.size() >= consumers_max) {
    return Error{ErrorCode::full, "consumer: there are 64 already"};
  }
  LIMPET_TRY(const Sequence next, find_start(settings));
  edit.record = Consumer(settings, next, classes_).record({});
  return edit;
}

Result<Edit> Consumers::drop(std::string_view name) {
  if (find(name) == nullptr) return no_such;
  return Edit{Edit::Kind::drop, std::string(name), {}, {}, {}};
}

Result<Edit> Consumers::seek(std::string_view name, Sequence to) {
  const Consumer* const consumer = find(name);
  if (consumer == nullptr) return no_such;
  Edit edit{Edit::Kind::seek, std::string(name), {}, consumer->record({}), {}};
  edit.record.next = std::max(std::min(to, store_.newest().next_sequence), Sequence(1));
  edit.record.outstanding.clear();
  edit.record.gaps.clear();
  return edit;
}

Result<Edit> Consumers::pause(std::string_view name, bool paused) {
  const Consumer* const consumer = find(name);
  if (consumer == nullptr) return no_such;
  Edit edit{Edit::Kind::pause, std::string(name), {}, consumer->record({}), {}};
  edit.record.paused = paused;
  return edit;
}

Result<Edit> Consumers::ack(std::string_view name, std::span<const Sequence> events,
                            Sequence upto) {
  Consumer* const consumer = find(name);
  if (consumer == nullptr) return no_such;
  LIMPET_TRY(std::vector<Sequence> settled, consumer->settled_by(store_, events, upto));
  Edit edit{Edit::Kind::settle, std::string(name), {}, {}, std::move(settled)};
  // Known already: nothing to write, but its answer still waits for what is on its way.
  if (edit.settled.empty()) edit.kind = Edit::Kind::nothing;
  if (!edit.settled.empty()) edit.record = consumer->record(edit.settled);
  return edit;
}

void Consumers::write(store::Change& change, const Edit& edit) const {
  if (edit.kind == Edit::Kind::nothing) return;
  const store::Key key = store::consumer_key(edit.name);
  if (edit.kind == Edit::Kind::drop) return change.erase(key);
  change.put(key, store::encode_consumer(edit.record));
}

void Consumers::keep(Edit edit) {
  Consumer* const consumer = find(edit.name);
  switch (edit.kind) {
    case Edit::Kind::nothing: return;
    case Edit::Kind::make: return add(edit.settings, edit.record);
    case Edit::Kind::drop:
      consumers_.erase(edit.name);
      moved_.clear();
      return;
    case Edit::Kind::seek: consumer->seek(edit.record.next); break;
    case Edit::Kind::pause: consumer->set_paused(edit.record.paused); break;
    case Edit::Kind::settle: consumer->forget(edit.settled); break;
  }
  consumer->written();
}

// Reading --------------------------------------------------------------------------------------

Result<FetchEnd> Consumers::fetch(std::string_view name, const FetchLimits& wanted,
                                  const GivenVisitor& visit) {
  Consumer* const consumer = find(name);
  if (consumer == nullptr) return no_such;
  return consumer->fetch(store_, wanted, visit);
}

Result<void> Consumers::nack(std::string_view name, std::span<const Sequence> events,
                             BootTime due) {
  Consumer* const consumer = find(name);
  if (consumer == nullptr) return no_such;
  consumer->give_again(events, due);
  return {};
}

std::optional<BootTime> Consumers::write_due(BootTime now) {
  std::optional<BootTime> due;
  for (auto& [name, consumer] : consumers_) {
    if (const auto one = consumer->write_due(now)) due = std::min(due.value_or(*one), *one);
  }
  return due;
}

bool Consumers::write_where(store::Change& change, bool all, BootTime now) {
  moved_.clear();
  for (auto& [name, consumer] : consumers_) {
    const auto due = consumer->write_due(now);
    if (!due || (!all && *due > now)) continue;
    change.put(store::consumer_key(name), store::encode_consumer(consumer->record({})));
    moved_.push_back(consumer.get());
  }
  return !moved_.empty();
}

bool Consumers::write_moved(store::Change& change, BootTime now) {
  return write_where(change, false, now);
}

bool Consumers::write_all(store::Change& change) { return write_where(change, true, BootTime{}); }

void Consumers::kept_moved() {
  for (Consumer* const consumer : moved_) consumer->written();
  moved_.clear();
}

std::optional<Sequence> Consumers::floor(std::span<const std::string> types) const {
  std::optional<Sequence> floor;
  for (const auto& [name, consumer] : consumers_) {
    if (!may_want(consumer->settings(), types)) continue;
    const Sequence cursor = consumer->written_cursor();
    floor = std::min(floor.value_or(cursor), cursor);
  }
  return floor;
}

std::optional<Sequence> Consumers::floor_of(uint8_t class_number) const {
  const auto found = std::ranges::find(classes_, class_number, &ClassTypes::number);
  return floor(found == classes_.end() ? std::span<const std::string>() : found->patterns);
}

bool Consumers::may_have_lost(std::string_view type_pattern, Sequence from) const {
  ConsumerSettings settings;
  settings.type_pattern = type_pattern;
  const auto& counts = store_.newest().classes;
  return classes_.empty() || std::ranges::any_of(classes_, [&](const ClassTypes& one) {
           return may_want(settings, one.patterns) &&
                  (one.number >= counts.size() || counts[one.number].first > from);
         });
}

Consumer* Consumers::find(std::string_view name) {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : found->second.get();
}

const Consumer* Consumers::find(std::string_view name) const {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : found->second.get();
}

Result<std::vector<ConsumerStats>> Consumers::stats(WallTime now) const {
  std::vector<ConsumerStats> all;
  for (const auto& [name, consumer] : consumers_) {
    LIMPET_TRY(ConsumerStats stats, consumer->stats(store_, now));
    all.push_back(std::move(stats));
  }
  return all;
}

// Where a new one begins -------------------------------------------------------------------------

Result<Sequence> Consumers::find_start(const ConsumerSettings& settings) {
  const Sequence end = store_.newest().next_sequence;
  switch (settings.start) {
    case StartAt::fresh: return end;
    case StartAt::sequence: return std::max(settings.start_sequence, Sequence(1));
    case StartAt::last: return find_last(settings);
    case StartAt::all:
    case StartAt::time: break;
  }
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store_.reader().snapshot());
  LIMPET_TRY(const Sequence first, snapshot.first_event());
  const Sequence begin = first.none() ? store_.durable_end() : first;
  if (settings.start == StartAt::all) return begin;
  const auto first_from = [&](Sequence from) -> Result<std::optional<TimedEvent>> {
    std::optional<TimedEvent> found;
    LIMPET_TRY(const store::EventsRead read, snapshot.events(from, 1, [&](const EventView& event) {
      found = TimedEvent{event.sequence, event.time};
      return false;
    }));
    static_cast<void>(read);
    return found;
  };
  return find_time(settings.start_time, begin, store_.durable_end(), first_from);
}

// The newest event that it wants among the last last_records_max sequences; none: what comes.
Result<Sequence> Consumers::find_last(const ConsumerSettings& settings) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store_.reader().snapshot());
  const Sequence end = store_.durable_end();
  const auto chunk = static_cast<uint64_t>(limits::read_records_max);
  Sequence stop = end;
  for (size_t records = 0; records < last_records_max && stop > Sequence(1); records += chunk) {
    const Sequence from(stop.value() > chunk ? stop.value() - chunk : 1);
    Sequence found;
    LIMPET_TRY(const store::EventsRead read,
               snapshot.events(from, static_cast<uint32_t>(chunk), [&](const EventView& event) {
                 if (event.sequence >= stop) return false;
                 if (wants(settings, event)) found = event.sequence;
                 return true;
               }));
    static_cast<void>(read);
    if (!found.none()) return found;
    stop = from;
  }
  return store_.newest().next_sequence;
}

}  // namespace limpet::dispatch
