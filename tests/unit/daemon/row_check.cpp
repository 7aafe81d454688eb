#include "tests/unit/daemon/row_check.hpp"

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "codec/records.hpp"
#include "daemon/rows.hpp"
#include "dispatch/ready_queue.hpp"

namespace limpet::testing {

namespace {

struct Inbox {
  uint32_t events = 0;
  uint64_t bytes = 0;
};

// All rows, by what they are.
struct Rows {
  std::map<RunId, Run> runs;
  std::map<std::pair<RunId, Ordinal>, Step> steps;
  std::map<RunId, uint32_t> state_parts;
  std::map<RunId, Inbox> inboxes;
  std::vector<std::pair<store::ReadyPlace, ByteVector>> ready;
  std::vector<store::TimerPlace> timers;
  std::vector<std::pair<std::string, RunId>> live;
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t events = 0;
  std::array<store::ClassCount, store::classes_max> classes{};
};

class Check {
 public:
  explicit Check(store::Store& store) : hot_(store.newest()) {
    auto snapshot = store.reader().snapshot();
    if (!snapshot.ok()) {
      fault("the store cannot be read");
      return;
    }
    for (const char region : {'n', 'g', 'r', 't', 'i'}) {
      const store::Key prefix(region);
      const Result<void> scanned =
          snapshot->scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
            take(region, key, value);
            return true;
          });
      if (!scanned.ok()) fault("a region cannot be read");
    }
    const bool trimmed = hot_.events + 1 != hot_.next_sequence.value();
    const auto visit = [&](const EventView& event, size_t record_bytes) {
      const uint64_t sequence = event.sequence.value();
      if (rows_.events++ == 0) rows_.first = sequence;
      if (!trimmed && sequence != rows_.last + 1) fault("a gap in the log", sequence);
      rows_.last = sequence;
      ++rows_.classes[event.retention_class].events;
      rows_.classes[event.retention_class].bytes += record_bytes;
      return true;
    };
    const auto read = snapshot->records(Sequence(1), 10000000, visit);
    if (!read.ok() || read->corrupt > 0) fault("a damaged event");
  }

  std::string run() {
    check_hot();
    for (const auto& [id, one] : rows_.runs) check_run(one);
    for (const auto& [id, step] : rows_.steps) check_step(id.first, step);
    for (const auto& [place, value] : rows_.ready) check_ready(place, value);
    for (const store::TimerPlace& place : rows_.timers) check_timer(place);
    for (const auto& [name, id] : rows_.live) check_live(name, id);
    for (const auto& [id, inbox] : rows_.inboxes) {
      if (!rows_.runs.contains(id)) fault("an inbox without a run", id.value());
    }
    return faults_;
  }

 private:
  void fault(const std::string& what) { faults_ += what + "\n"; }
  void fault(const std::string& what, uint64_t id) { fault(what + ": " + std::to_string(id)); }

  void take(char region, ByteSpan key, ByteSpan value) {
    if (region == 'n') return take_run(key, value);
    if (region == 'g') {
      const auto delivery = daemon::decode_delivery(key, value);
      const auto place = store::parse_inbox_key(key);
      if (!delivery || !place) return fault("a damaged inbox row");
      Inbox& inbox = rows_.inboxes[place->run];
      ++inbox.events;
      inbox.bytes += delivery->bytes;
      if (delivery->event >= hot_.next_sequence) fault("a delivery of no event");
    } else if (region == 'r') {
      const auto place = store::parse_ready_key(key);
      if (!place) return fault("a damaged ready row");
      rows_.ready.emplace_back(*place, ByteVector(value.begin(), value.end()));
    } else if (region == 't') {
      const auto place = store::parse_timer_key(key);
      if (!place) return fault("a damaged timer row");
      rows_.timers.push_back(*place);
    } else if (key.size() > 2 && key[1] == 'k') {
      rows_.live.emplace_back(std::string(key.begin() + 2, key.end()),
                              RunId(store::read_u64(value)));
    }
  }

  void take_run(ByteSpan key, ByteSpan value) {
    const auto row = store::parse_run_key(key);
    if (!row) return fault("a damaged run key");
    if (row->ordinal.value() == store::idempotency_ordinal) return;
    if (row->ordinal.value() >= store::state_ordinal_first) {
      const uint32_t part = row->ordinal.value() - store::state_ordinal_first;
      if (part != rows_.state_parts[row->run]++) fault("a state with a hole", row->run.value());
    } else if (row->ordinal.none()) {
      auto run = codec::decode_run(value);
      if (!run.ok()) return fault("a damaged run", row->run.value());
      rows_.runs.emplace(row->run, std::move(run).value());
    } else {
      auto step = codec::decode_step(value);
      if (!step.ok()) return fault("a damaged step", row->run.value());
      rows_.steps.emplace(std::pair(row->run, row->ordinal), std::move(step).value());
    }
  }

  void check_hot() {
    std::array<uint64_t, store::run_state_count> counts{};
    for (const auto& [id, one] : rows_.runs) ++counts[static_cast<size_t>(one.state)];
    if (counts != hot_.runs) fault("hot.runs does not count the runs");
    if (rows_.events != hot_.events) fault("hot.events does not count the events");
    if (rows_.last >= hot_.next_sequence.value()) fault("next_sequence is not behind the log");
    for (size_t number = 0; number < store::classes_max; ++number) {
      const store::ClassCount& counted = rows_.classes[number];
      const store::ClassCount& kept = hot_.classes[number];
      if (counted.events != kept.events || counted.bytes != kept.bytes) {
        fault("hot.classes does not count its events", number);
      }
    }
  }

  void check_run(const Run& run) {
    const uint64_t id = run.id.value();
    const Inbox inbox = rows_.inboxes[run.id];
    if (inbox.events != run.inbox_events) fault("inbox_events does not count its inbox", id);
    if (inbox.bytes != run.inbox_bytes) fault("inbox_bytes does not count its inbox", id);
    if (is_final(run.state) && inbox.events > 0) fault("a final run with an inbox", id);
    if (rows_.state_parts[run.id] != run.state_parts) fault("state_parts is wrong", id);
    const bool paused = run.state == RunState::paused;
    const bool wanted = !is_final(run.state) && !paused && inbox.events > 0;
    if (wanted != (run.ready_ticket != 0)) fault("a run that should (not) be ready", id);
    if (wanted && run.state != RunState::queued) fault("a ready run that is not queued", id);
    if (!is_final(run.state) && !paused && !wanted && run.state != RunState::waiting) {
      fault("an idle run that is not waiting", id);
    }
    if (run.ready_ticket != 0 && count_ready(dispatch::turn_queue, run.ready_ticket) != 1) {
      fault("a run's ticket without its row", id);
    }
    uint32_t open = 0;
    uint32_t unknown = 0;
    const auto end = rows_.steps.upper_bound({run.id, Ordinal(UINT32_MAX)});
    for (auto at = rows_.steps.lower_bound({run.id, Ordinal()}); at != end; ++at) {
      if (at->second.state != StepState::finished) ++open;
      if (at->second.state == StepState::unknown) ++unknown;
    }
    if (open != run.steps_open) fault("steps_open does not count the steps", id);
    if (!is_final(run.state) && paused != (unknown > 0)) fault("paused and unknown differ", id);
    if (is_final(run.state)) {
      if (run.output.none()) fault("a final run without an output event", id);
      return;
    }
    if (!run.key.empty() && count_live(run) != 1) fault("a live run without its key row", id);
    if (run.deadline.ns != 0 && count_timers(run.id, Ordinal()) != 1) {
      fault("a live run without its deadline row", id);
    }
  }

  void check_step(RunId run, const Step& step) {
    const auto owner = rows_.runs.find(run);
    if (owner == rows_.runs.end()) return fault("a step without a run", run.value());
    if (step.ordinal.value() > owner->second.steps) fault("a step beyond `steps`", run.value());
    const bool open = step.state == StepState::scheduled || step.state == StepState::started;
    const bool queued = step.kind == StepKind::call && open;
    if (queued != (step.ready_ticket != 0)) fault("a step that should (not) queue", run.value());
    if (queued && count_ready(dispatch::call_queue, step.ready_ticket) != 1) {
      fault("a step's ticket without its row", run.value());
    }
    if (step.kind == StepKind::timer && open && !is_final(owner->second.state) &&
        count_timers(run, step.ordinal) != 1) {
      fault("a timer step without its row", run.value());
    }
    if (step.state == StepState::finished && step.finished.none()) {
      fault("a finished step without its event", run.value());
    }
  }

  void check_ready(const store::ReadyPlace& place, ByteSpan value) {
    const RunId id(store::read_u64(value));
    const auto run = rows_.runs.find(id);
    if (run == rows_.runs.end()) return fault("a ready row without a run", id.value());
    if (place.lane.priority != run->second.priority) fault("a row in a wrong lane", id.value());
    if (place.lane.queue == dispatch::turn_queue) {
      if (run->second.ready_ticket != place.ticket || run->second.ready_at_ms != place.ready_at) {
        fault("a turn's row that its run does not name", id.value());
      }
      return;
    }
    const auto step = rows_.steps.find({id, Ordinal(store::read_u32(value.subspan(8)))});
    if (step == rows_.steps.end()) return fault("a call's row without a step", id.value());
    if (step->second.ready_ticket != place.ticket || step->second.ready_at_ms != place.ready_at) {
      fault("a call's row that its step does not name", id.value());
    }
  }

  void check_timer(const store::TimerPlace& place) {
    const auto run = rows_.runs.find(place.run);
    if (run == rows_.runs.end()) return fault("a timer without a run", place.run.value());
    const bool final_run = is_final(run->second.state);
    if (place.kind == store::TimerKind::run_deadline) {
      if (final_run) fault("a deadline of a final run", place.run.value());
      return;
    }
    const auto step = rows_.steps.find({place.run, place.ordinal});
    if (step == rows_.steps.end()) return fault("a timer without a step", place.run.value());
    if (step->second.state != StepState::scheduled) fault("a timer that fired", place.run.value());
  }

  void check_live(const std::string& name, RunId id) {
    const auto run = rows_.runs.find(id);
    if (run == rows_.runs.end()) return fault("a key row without a run", id.value());
    if (is_final(run->second.state)) fault("a key row of a final run", id.value());
    if (name != live_name(run->second)) fault("a key row of another name", id.value());
  }

  static std::string live_name(const Run& run) { return run.agent + '\0' + run.key; }

  size_t count_ready(uint16_t queue, uint64_t ticket) const {
    size_t count = 0;
    for (const auto& [place, value] : rows_.ready) {
      if (place.lane.queue == queue && place.ticket == ticket) ++count;
    }
    return count;
  }
  size_t count_timers(RunId run, Ordinal ordinal) const {
    size_t count = 0;
    for (const auto& place : rows_.timers) {
      if (place.run == run && place.ordinal == ordinal) ++count;
    }
    return count;
  }
  size_t count_live(const Run& run) const {
    size_t count = 0;
    for (const auto& [name, id] : rows_.live) {
      if (name == live_name(run) && id == run.id) ++count;
    }
    return count;
  }

  const store::HotRecord hot_;
  Rows rows_;
  std::string faults_;
};

}  // namespace

std::string check_rows(store::Store& store) {
  store.drain();
  return Check(store).run();
}

}  // namespace limpet::testing
