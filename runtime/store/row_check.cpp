#include "store/row_check.hpp"

#include <utility>

#include "codec/records.hpp"
#include "store/task_record.hpp"

namespace limpet::store {

namespace {

constexpr uint16_t turn_queue = 1;
constexpr uint16_t call_queue = 2;
constexpr size_t run_id_bytes = 8;
constexpr size_t call_bytes = 12;
constexpr size_t delivery_bytes = 11;
constexpr size_t dedup_head_bytes = 6;
constexpr size_t dedup_entry_bytes = 10;
constexpr size_t task_key_bytes = 10;
constexpr size_t task_key_value_bytes = 14;

std::string named(const char* what, uint64_t number) {
  return std::string(what) + " " + std::to_string(number);
}

// A key that is none, in hexadecimal, so that it can be found again.
std::string in_hexadecimal(ByteSpan key) {
  constexpr size_t bytes_max = 24;
  constexpr const char* digits = "0123456789abcdef";
  std::string text = "key ";
  for (const uint8_t byte : key.first(std::min(key.size(), bytes_max))) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  if (key.size() > bytes_max) text.append("...");
  return text;
}

uint16_t read_u16(ByteSpan bytes) { return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]); }

}  // namespace

void RowCheck::problem(std::string key, std::string text) {
  ++report_.problems;
  if (report_.first.size() < verify_problems_max) {
    report_.first.push_back({std::move(key), std::move(text)});
  }
}

void RowCheck::take(ByteSpan key, ByteSpan value) {
  ++report_.rows;
  switch (key.empty() ? '\0' : static_cast<char>(key[0])) {
    case '\0': return problem(in_hexadecimal(key), "not a key");
    case 'n': return take_run_row(key, value);
    case 'g': return take_inbox_or_group(key, value);
    case 'r': return take_ready(key, value);
    case 'x': return take_dead(key, value);
    case 'i': return take_index(key, value);
    case 'z': return take_log(key, value);
    case 't':
      if (!parse_timer_key(key)) problem(in_hexadecimal(key), "not the key of a timer");
      return;
    case 'w':
      if (!parse_task_timer_key(key)) problem(in_hexadecimal(key), "not the key of a task's timer");
      return;
    case 'd': return take_dedup(key, value);
    default: return;  // names, and what a later minor version may add
  }
}

void RowCheck::take_run_row(ByteSpan key, ByteSpan value) {
  const std::optional<RunRow> row = parse_run_key(key);
  if (!row) return problem(in_hexadecimal(key), "not the key of a run");
  const uint64_t number = row->run.value();
  if (row->run != run_) {
    finish_run();
    run_ = row->run;
    if (!row->ordinal.none()) problem(named("run", number), "it has rows and no header");
  }
  if (row->ordinal.none()) return take_run(row->run, value);
  if (row->ordinal.value() == idempotency_ordinal) return;
  if (row->ordinal.value() >= state_ordinal_first) {
    const uint32_t part = row->ordinal.value() - state_ordinal_first;
    if (part != state_parts_++) problem(named("run", number), "a part of its state is missing");
    return;
  }
  ++report_.steps;
  const Result<Step> step = codec::decode_step(value);
  if (!step.ok()) {
    problem(named("run", number) + named(" step", row->ordinal.value()), "its record is damaged");
  } else if (step->ordinal != row->ordinal) {
    problem(named("run", number) + named(" step", row->ordinal.value()), "it is another step");
  }
}

void RowCheck::take_run(RunId run, ByteSpan value) {
  ++report_.runs;
  Result<Run> header = codec::decode_run(value);
  if (!header.ok()) return problem(named("run", run.value()), "its record is damaged");
  if (header->id != run) return problem(named("run", run.value()), "it is another run");
  header_ = std::move(header).value();
  run_readable_ = true;
  ++runs_[static_cast<size_t>(header_.state)];
}

void RowCheck::finish_run() {
  if (run_readable_ && state_parts_ != header_.state_parts) {
    problem(named("run", run_.value()), "its state has " + std::to_string(state_parts_) +
                                            " parts instead of " +
                                            std::to_string(header_.state_parts));
  }
  run_readable_ = false;
  state_parts_ = 0;
}

void RowCheck::take_ready(ByteSpan key, ByteSpan value) {
  ++report_.tasks;
  const std::optional<ReadyPlace> place = parse_ready_key(key);
  if (!place) return problem(in_hexadecimal(key), "not the key of a task");
  const uint16_t queue = place->lane.queue;
  if (queue >= first_user_queue) {
    ++tasks_[queue];
    if (!value.empty() && !parse_task_state(value)) {
      problem(named("task", place->ticket), "its state is damaged");
    }
    return expect_event(Sequence(place->ticket), "task", place->ticket);
  }
  const size_t size = queue == call_queue ? call_bytes : run_id_bytes;
  if (value.size() != size) return problem(in_hexadecimal(key), "a task of odd size");
  expect_run(RunId(read_u64(value)), "task", place->ticket);
  if (place->ticket >= hot_.next_ticket) problem(named("task", place->ticket), "from the future");
}

void RowCheck::take_inbox_or_group(ByteSpan key, ByteSpan value) {
  const std::optional<GroupPlace> place = parse_group_key(key);
  if (!place) return problem(in_hexadecimal(key), "not the key of an inbox or of a group");
  const uint64_t event = place->task.value();
  if (place->queue != turn_queue) {
    const std::optional<ReadyPlace> row = parse_group_row(*place, value);
    if (!row) problem(named("grouped task", event), "its row is damaged");
    // The head of a group has a row among the ready ones as well, which counts it; a dead one that
    // parks its group is counted as dead.
    const Result<bool> head = row ? rows_.has(ready_key(*row).bytes()) : Result<bool>(false);
    const Result<bool> dead = rows_.has(dead_key(place->queue, place->task).bytes());
    if (head.ok() && !*head && dead.ok() && !*dead) ++tasks_[place->queue];
    return expect_event(place->task, "grouped task", event);
  }
  if (value.size() < delivery_bytes) problem(named("delivery", event), "its row is damaged");
  expect_event(place->task, "delivery", event);
  expect_run(RunId(place->group), "delivery", event);
}

void RowCheck::take_dead(ByteSpan key, ByteSpan value) {
  const std::optional<Sequence> task = parse_dead_key(key);
  if (!task) return problem(in_hexadecimal(key), "not the key of a dead letter");
  ++dead_[read_u16(key.subspan(1))];
  if (!parse_dead_letter(value)) problem(named("dead letter", task->value()), "it is damaged");
  expect_event(*task, "dead letter", task->value());
}

void RowCheck::take_index(ByteSpan key, ByteSpan value) {
  if (key.size() < 2 || value.size() < run_id_bytes) {
    return problem(in_hexadecimal(key), "not a row of an index");
  }
  if (key[1] != 'k') return;  // an idempotency key may outlive its run
  const RunId run(read_u64(value));
  expect_run(run, "live key of run", run.value());
}

void RowCheck::take_dedup(ByteSpan key, ByteSpan value) {
  if (key.size() == task_key_bytes && key.back() == 'q') {
    if (value.size() != task_key_value_bytes)
      problem(in_hexadecimal(key), "a task key of odd size");
    return;
  }
  if (!parse_dedup_key(key)) return problem(in_hexadecimal(key), "not the key of a dedup pack");
  if (value.size() < dedup_head_bytes ||
      (value.size() - dedup_head_bytes) % dedup_entry_bytes != 0) {
    problem(in_hexadecimal(key), "a dedup pack of odd size");
  }
}

void RowCheck::take_log(ByteSpan key, ByteSpan value) {
  const std::optional<LogPlace> place = parse_log_key(key);
  if (!place) return problem(in_hexadecimal(key), "not the key of an event");
  if (place->sequence != event_) {
    finish_event();
    event_ = place->sequence;
    event_whole_ = true;
    record_.clear();
    parts_ = 0;
  }
  if (place->part != parts_ && event_whole_) {
    event_whole_ = false;
    problem(named("event", event_.value()), named("missing: part", parts_));
  }
  parts_ = place->part + 1U;
  record_.insert(record_.end(), value.begin(), value.end());
}

void RowCheck::finish_event() {
  if (event_.none()) return;
  ++report_.events;
  event_bytes_ += record_.size();
  if (!event_whole_) return;
  const Result<EventView> event = codec::decode_event(record_, event_);
  if (!event.ok()) problem(named("event", event_.value()), to_string(event.error()));
  if (event.ok()) ++classes_[event->retention_class];
  if (event_ >= hot_.next_sequence) problem(named("event", event_.value()), "from the future");
}

void RowCheck::finish() {
  finish_run();
  finish_event();
  expect_count("events", report_.events, hot_.events);
  expect_count("bytes of events", event_bytes_, hot_.event_bytes);
  for (size_t state = 0; state < runs_.size(); ++state) {
    const std::string what = "runs " + std::string(to_string(static_cast<RunState>(state)));
    expect_count(what.c_str(), runs_[state], hot_.runs[state]);
  }
  // Of a damaged event the class is not known, so the counts of classes are compared when none is.
  for (size_t index = 0; index < classes_max && report_.problems == 0; ++index) {
    const std::string what = "events of class " + std::to_string(index);
    expect_count(what.c_str(), classes_[index], hot_.classes[index].events);
  }
  for (size_t index = 0; index < queues_max; ++index) {
    const auto queue = static_cast<uint16_t>(first_user_queue + index);
    const std::string what = "dead letters of queue " + std::to_string(queue);
    expect_count(what.c_str(), dead_[queue], hot_.queues[index].dead);
    const std::string tasks = "tasks of queue " + std::to_string(queue);
    expect_count(tasks.c_str(), tasks_[queue], hot_.queues[index].tasks);
  }
}

void RowCheck::expect_event(Sequence event, const char* who, uint64_t number) {
  const Result<bool> found = rows_.has(log_key(event, 0).bytes());
  if (found.ok() && !*found) problem(named(who, number), named("there is no event", event.value()));
}

void RowCheck::expect_run(RunId run, const char* who, uint64_t number) {
  const Result<bool> found = rows_.has(run_key(run, Ordinal()).bytes());
  if (found.ok() && !*found) problem(named(who, number), named("there is no run", run.value()));
}

void RowCheck::expect_count(const char* what, uint64_t counted, uint64_t said) {
  if (counted == said) return;
  problem("hot record", std::string(what) + ": it says " + std::to_string(said) + ", there are " +
                            std::to_string(counted));
}

}  // namespace limpet::store
