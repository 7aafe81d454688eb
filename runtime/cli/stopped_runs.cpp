#include "cli/stopped_runs.hpp"

#include <array>

#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/records.hpp"
#include "codec/rfc3339.hpp"
#include "model/run.hpp"

namespace limpet::cli {

namespace {

using codec::cbor_map;
using codec::CborRaw;

std::string time_text(WallTime time) { return time.ns == 0 ? "" : codec::to_rfc3339(time); }

// Items of an array whose number is known only at its end.
class List {
 public:
  void add(ByteSpan item) {
    items_.insert(items_.end(), item.begin(), item.end());
    ++count_;
  }
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] ByteVector array() const {
    std::array<uint8_t, 9> head;
    codec::CborWriter writer(head);
    writer.array(count_);
    const Result<ByteSpan> bytes = writer.finish();
    ByteVector out(bytes.ok() ? ByteVector(bytes->begin(), bytes->end()) : ByteVector());
    out.insert(out.end(), items_.begin(), items_.end());
    return out;
  }

 private:
  ByteVector items_;
  uint64_t count_ = 0;
};

ByteVector run_item(const Run& run, ByteSpan steps) {
  const std::string id = qualified_id(run.epoch, run.id.value());
  const std::string created = time_text(run.created);
  const std::string updated = time_text(run.updated);
  const std::string deadline = time_text(run.deadline);
  return cbor_map({{"run", id},
                   {"agent", run.agent},
                   {"state", to_string(run.state)},
                   {"reason", run.reason},
                   {"key", run.key},
                   {"tenant", run.tenant},
                   {"principal", run.principal},
                   {"correlationid", run.correlation},
                   {"priority", run.priority},
                   {"deadline", deadline},
                   {"created", created},
                   {"updated", updated},
                   {"turns", run.turns},
                   {"steps_open", run.steps_open},
                   {"input_event", run.input.value()},
                   {"output_event", run.output.value()},
                   {"steps", CborRaw{steps}}});
}

ByteVector step_item(const Step& step) {
  const bool finished = step.state == StepState::finished;
  return cbor_map({{"ordinal", step.ordinal.value()},
                   {"name", step.name},
                   {"kind", step.kind == StepKind::call ? "call" : "timer"},
                   {"state", to_string(step.state)},
                   {"outcome", finished ? to_string(step.outcome) : std::string_view()},
                   {"error", step.error},
                   {"tool", step.tool},
                   {"attempt", step.attempt}});
}

bool wanted(const Run& run, const RunsOptions& options) {
  return (options.state.empty() || options.state == to_string(run.state)) &&
         (options.agent.empty() || options.agent == run.agent);
}

}  // namespace

Result<ByteVector> stopped_runs(store::StoppedStore& store, const RunsOptions& options) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  const store::Key prefix('n');
  RunId before(UINT64_MAX);
  List runs;
  while (runs.count() < options.limit.value_or(stopped_runs_default)) {
    LIMPET_TRY(const auto last, snapshot.last_before(store::run_key(before, Ordinal(0)), prefix));
    const auto row = last ? store::parse_run_key(last->key) : std::nullopt;
    if (!row) break;
    before = row->run;
    LIMPET_TRY(const std::optional<ByteSpan> header,
               snapshot.get(store::run_key(before, Ordinal(0))));
    const Result<Run> run = header ? codec::decode_run(*header)
                                   : Result<Run>(Error{ErrorCode::corrupt, "store: no header"});
    if (run.ok() && wanted(*run, options)) runs.add(run_item(*run, codec::cbor_array({})));
  }
  return cbor_map({{"runs", CborRaw{runs.array()}}});
}

Result<ByteVector> stopped_run(store::StoppedStore& store, const std::string& id) {
  const std::optional<QualifiedId> parsed = parse_qualified_id(id);
  if (!parsed) return Error{ErrorCode::invalid, "not the id of a run"};
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  const store::Key header_key = store::run_key(RunId(parsed->number), Ordinal(0));
  LIMPET_TRY(const std::optional<ByteSpan> header, snapshot.get(header_key));
  if (!header) return Error{ErrorCode::not_found, "there is no such run"};
  LIMPET_TRY(const Run run, codec::decode_run(*header));
  List steps;
  for (uint32_t ordinal = 1; ordinal <= run.steps; ++ordinal) {
    LIMPET_TRY(const std::optional<ByteSpan> record,
               snapshot.get(store::run_key(run.id, Ordinal(ordinal))));
    if (!record) continue;
    const Result<Step> step = codec::decode_step(*record);
    if (step.ok()) steps.add(step_item(*step));
  }
  return run_item(run, steps.array());
}

}  // namespace limpet::cli
