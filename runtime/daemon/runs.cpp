#include "daemon/runs.hpp"

#include <utility>

#include "base/check.hpp"
#include "codec/records.hpp"

namespace limpet::daemon {

namespace {

std::string live_name(std::string_view agent, std::string_view key) {
  std::string name(agent);
  name.push_back('\0');
  return name.append(key);
}

}  // namespace

Result<ActiveRun*> Runs::find(RunId run) {
  if (const auto found = active_.find(run); found != active_.end()) return found->second.get();
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store_.reader().snapshot());
  LIMPET_TRY(const std::optional<ByteSpan> record, snapshot.get(store::run_key(run, Ordinal(0))));
  if (!record) return static_cast<ActiveRun*>(nullptr);
  LIMPET_TRY(Run loaded, codec::decode_run(*record));
  loaded_.push_back(run);
  return &add(std::move(loaded));
}

Result<ActiveRun*> Runs::find_live(std::string_view agent, std::string_view key) {
  if (const auto found = live_.find(live_name(agent, key)); found != live_.end()) {
    return find(found->second);
  }
  RunId run;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, store_.reader().snapshot());
    LIMPET_TRY(const std::optional<ByteSpan> row, snapshot.get(store::live_run_key(agent, key)));
    if (!row || row->size() < 8) return static_cast<ActiveRun*>(nullptr);
    run = RunId(store::read_u64(*row));
  }
  LIMPET_TRY(ActiveRun * active, find(run));
  // The row of a run that has just ended goes with a change that is still on its way.
  if (active == nullptr || is_final(active->run.state)) return static_cast<ActiveRun*>(nullptr);
  bind_key(active->run);
  return active;
}

ActiveRun& Runs::add(Run run) {
  const RunId id = run.id;
  auto& slot = active_[id];
  slot = std::make_unique<ActiveRun>();
  slot->run = std::move(run);
  return *slot;
}

void Runs::remove(RunId run) {
  const auto found = active_.find(run);
  if (found == active_.end()) return;
  unbind_key(found->second->run);
  active_.erase(found);
}

void Runs::bind_key(const Run& run) {
  if (!run.key.empty()) live_[live_name(run.agent, run.key)] = run.id;
}

void Runs::unbind_key(const Run& run) {
  const auto found = live_.find(live_name(run.agent, run.key));
  if (found != live_.end() && found->second == run.id) live_.erase(found);
}

void Runs::hold(RunId run) {
  const auto found = active_.find(run);
  LIMPET_ASSERT(found != active_.end());
  ++found->second->holders;
}

void Runs::release(RunId run) {
  const auto found = active_.find(run);
  LIMPET_ASSERT(found != active_.end() && found->second->holders > 0);
  --found->second->holders;
  forget_if_idle(run);
}

void Runs::change_done(RunId run) {
  const auto found = active_.find(run);
  LIMPET_ASSERT(found != active_.end() && found->second->changes > 0);
  --found->second->changes;
  forget_if_idle(run);
}

void Runs::sweep() {
  for (const RunId run : std::exchange(loaded_, {})) forget_if_idle(run);
}

void Runs::forget_if_idle(RunId run) {
  const auto found = active_.find(run);
  if (found == active_.end()) return;
  if (found->second->changes > 0 || found->second->holders > 0) return;
  unbind_key(found->second->run);
  active_.erase(found);
}

Result<Step> load_step(store::Store& store, RunId run, Ordinal ordinal) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  LIMPET_TRY(const std::optional<ByteSpan> record, snapshot.get(store::run_key(run, ordinal)));
  if (!record) return Error{ErrorCode::not_found, "run: no such step"};
  return codec::decode_step(*record);
}

}  // namespace limpet::daemon
