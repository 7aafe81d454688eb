#include "tests/crash/workload.hpp"

#include <charconv>
#include <cstdio>
#include <utility>

#include "codec/cbor_value.hpp"
#include "codec/records.hpp"
#include "platform/clock.hpp"
#include "tests/support/quiet_logger.hpp"

namespace limpet::testing {

namespace {

constexpr uint64_t runs = 37;
constexpr uint64_t trim_every = 16;  // changes
constexpr uint64_t trim_behind = 80;
constexpr uint64_t keys_behind = 50;
constexpr uint64_t timers_behind = 20;

// A fixed shuffle: neighbours land far apart in the tree.
uint64_t scattered(uint64_t number) { return number * 0x9e3779b97f4a7c15ull; }

size_t bytes_of_event(uint64_t sequence) {
  if (sequence % 97 == 0) return 20000;
  return sequence % 41 == 0 ? 5000 : 20 + static_cast<size_t>(sequence % 200);
}

// The event of that sequence: `visit` gets it.
template <class Visitor>
void with_event(uint64_t sequence, Visitor visit) {
  const ByteVector bytes(bytes_of_event(sequence), static_cast<uint8_t>(sequence * 7));
  const ByteVector data = codec::cbor_item(codec::CborScalar(ByteSpan(bytes)));
  EventView event;
  event.sequence = Sequence(sequence);
  event.type = "cut.item";
  event.source = "limpet/test";
  event.data = data;
  visit(event);
}

void add_events(uint64_t number, store::Change& change) {
  for (uint64_t left = 1 + number % 3; left > 0; --left) {
    with_event(change.hot().next_sequence.value(),
               [&](const EventView& event) { LIMPET_ASSERT(change.append(event).ok()); });
  }
}

// Old events go in batches, so that whole pages become free and are used again.
void trim_events(uint64_t number, store::Change& change) {
  if (number % trim_every != 0 || number < trim_behind + trim_every) return;
  const uint64_t end = first_sequence_of(number - trim_behind);
  for (uint64_t sequence = first_sequence_of(number - trim_behind - trim_every); sequence < end;
       ++sequence) {
    with_event(sequence, [&](const EventView& event) {
      change.trim({event.sequence, codec::event_record_size(event), 0});
    });
  }
}

void add_runs(uint64_t number, store::Change& change) {
  const RunId run(1 + number % runs);
  const std::string header = "run of change " + std::to_string(number);
  change.put(store::run_key(run, Ordinal(0)), as_bytes(header));
  const auto step_bytes = static_cast<size_t>(300 + scattered(number) % 1200);
  const ByteVector step(step_bytes, static_cast<uint8_t>(number));
  change.put(store::run_key(run, Ordinal(1 + number / runs % 4)), step);
  if (number % 5 != 0) return;
  const RunId over(1 + number * 7 % runs);
  for (uint32_t ordinal = 0; ordinal < 6; ++ordinal) {
    change.erase(store::run_key(over, Ordinal(ordinal)));
  }
}

void add_timers_and_keys(uint64_t number, store::Change& change) {
  const auto timer = [](uint64_t of) {
    return store::timer_key({of * 1000, store::TimerKind::step, RunId(of), Ordinal(1)});
  };
  const auto key = [](uint64_t of) {
    return store::idempotency_key(std::to_string(scattered(of)) +
                                  std::string(static_cast<size_t>(of % 180), 'k'));
  };
  change.put(timer(number), {});
  if (number > timers_behind) change.erase(timer(number - timers_behind));
  const std::string value = std::to_string(number);
  change.put(key(number), as_bytes(value));
  if (number > keys_behind) change.erase(key(number - keys_behind));
}

// Of an error while the disk fails: is it one that the store may answer with?
bool explained(const Error& error) {
  return error.code == ErrorCode::io || error.code == ErrorCode::full ||
         error.code == ErrorCode::closed || error.code == ErrorCode::corrupt;
}

class Workload {
 public:
  Workload(const WorkloadPlan& plan, const WorkloadEars& ears) : plan_(plan), ears_(ears) {}

  WorkloadEnd run() {
    auto opened =
        store::Store::open(small_store_in(plan_.directory), {clock_, logger_, nullptr, Duration{}});
    if (!opened.ok()) {
      std::printf("not opened: %s\n", to_string(opened.error()).c_str());
      return explained(opened.error()) ? WorkloadEnd::not_opened : WorkloadEnd::strange_error;
    }
    store_ = std::move(opened).value();
    const Result<uint64_t> found = read_number(*store_);
    if (!found.ok()) return WorkloadEnd::strange_error;
    const uint64_t last = *found + plan_.changes;
    for (uint64_t number = *found + 1; number <= last && !failed_; ++number) {
      submit(number);
      store_->deliver();
      if (outstanding_ >= plan_.window) store_->drain();
    }
    store_->drain();
    return failed_ ? end_of_failed() : end_;
  }

 private:
  void submit(uint64_t number) {
    store::Change change = store_->begin();
    fill_change(number, change);
    change.on_done([this, number](const Result<void>& result) { answered(number, result); });
    if (plan_.acknowledge_early) ears_.acknowledged(number);
    ears_.submitted(number);
    const Result<void> submitted = store_->submit(std::move(change));
    if (submitted.ok()) {
      ++outstanding_;
    } else {
      failed_ = true;
      if (submitted.error().code != ErrorCode::closed) end_ = WorkloadEnd::wrong;
    }
  }

  void answered(uint64_t number, const Result<void>& result) {
    --outstanding_;
    if (result.ok()) {
      if (failed_) end_ = WorkloadEnd::wrong;
      if (!plan_.acknowledge_early) ears_.acknowledged(number);
      return;
    }
    failed_ = true;
    if (!explained(result.error())) end_ = WorkloadEnd::strange_error;
  }

  // Everything outstanding is answered, and the store takes nothing more.
  WorkloadEnd end_of_failed() {
    if (end_ != WorkloadEnd::done) return end_;
    const std::optional<Error> failure = store_->failure();
    if (outstanding_ != 0 || !failure || !explained(*failure)) return WorkloadEnd::wrong;
    std::printf("closed: %s\n", to_string(*failure).c_str());
    for (const store::Urgency urgency : {store::Urgency::ingest, store::Urgency::finish}) {
      const Result<void> admitted = store_->admit(10, urgency);
      if (admitted.ok() || admitted.error().code != ErrorCode::closed) return WorkloadEnd::wrong;
    }
    const Result<void> submitted = store_->submit(store_->begin());
    if (submitted.ok() || submitted.error().code != ErrorCode::closed) return WorkloadEnd::wrong;
    return WorkloadEnd::closed;
  }

  const WorkloadPlan& plan_;
  const WorkloadEars& ears_;
  platform::SystemClock clock_;
  QuietLogger logger_;
  bool failed_ = false;
  WorkloadEnd end_ = WorkloadEnd::done;
  size_t outstanding_ = 0;
  std::unique_ptr<store::Store> store_;
};

}  // namespace

uint64_t first_sequence_of(uint64_t number) {
  // 1 + n % 3 events in change n: 2, 3, 1, 2, 3, 1 ...
  const uint64_t before = number - 1;
  const uint64_t rest = before % 3;
  return 1 + before / 3 * 6 + (rest == 0 ? 0 : rest == 1 ? 2 : 5);
}

void fill_change(uint64_t number, store::Change& change) {
  LIMPET_ASSERT(change.hot().next_sequence.value() == first_sequence_of(number));
  add_events(number, change);
  trim_events(number, change);
  add_runs(number, change);
  add_timers_and_keys(number, change);
  const std::string text = std::to_string(number);
  change.put(number_key(), as_bytes(text));
}

store::Key number_key() { return store::source_position_key("workload"); }

Result<uint64_t> read_number(store::Store& store) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  LIMPET_TRY(const std::optional<ByteSpan> row, snapshot.get(number_key()));
  if (!row) return uint64_t{0};
  const std::string_view text = as_text(*row);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

store::OpenOptions small_store_in(const std::string& directory) {
  return {directory, uint64_t{2} << 20, true, "", Epoch(42)};
}

WorkloadEnd run_workload(const WorkloadPlan& plan, const WorkloadEars& ears) {
  return Workload(plan, ears).run();
}

}  // namespace limpet::testing
