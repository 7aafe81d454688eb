#include "daemon/services.hpp"

#include <algorithm>

#include "admit/hash.hpp"
#include "codec/cbor.hpp"
#include "codec/records.hpp"
#include "daemon/answers.hpp"
#include "daemon/commit.hpp"
#include "daemon/rows.hpp"
#include "model/pattern.hpp"

namespace limpet::daemon {

namespace {

constexpr size_t listed_rows_max =
    10000;  // looked at in one list_runs, so that main is not held up

// What an idempotency key stands for: the same request again, or another one.
uint64_t hash_of(const api::NewRun& run) {
  uint64_t hash = admit::hash_text(run.agent);
  hash = admit::hash_text(as_text(run.input), hash);
  hash = admit::hash_text(run.key, hash);
  return admit::hash_text(run.tenant, hash);
}

bool matches(const api::EventFilter& filter, const EventView& event) {
  if (!filter.run.none() && event.run != filter.run) return false;
  if (!filter.subject.empty() && event.subject != filter.subject) return false;
  if (!filter.correlation.empty() && event.correlation != filter.correlation) return false;
  return filter.type_pattern.empty() || pattern_matches(filter.type_pattern, event.type);
}

}  // namespace

void HouseServices::ingest(std::vector<Event> events, std::string principal,
                           api::Done<api::Ingested> done) {
  parts_.intake.ingest(std::move(events), principal, std::move(done));
}

Result<api::ReadEnd> HouseServices::read_events(const api::EventFilter& filter, Sequence from,
                                                size_t records_max,
                                                const api::EventVisitor& visit) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
  // What the reader sees may be ahead of what main has been told; the end is what was told.
  const Sequence durable_end = house_.store.durable_end();
  const Sequence end = filter.to.none() ? durable_end : std::min(filter.to, durable_end);
  api::ReadEnd result{from, from >= end};
  if (result.at_end) return result;
  bool refused = false;
  const auto count_max = static_cast<uint32_t>(std::min(records_max, limits::read_records_max));
  LIMPET_TRY(const store::EventsRead read,
             snapshot.events(from, count_max, [&](const EventView& event) {
               if (event.sequence >= end) {
                 result.at_end = true;
                 return false;
               }
               if (matches(filter, event) && !visit(event)) {
                 refused = true;
                 return false;
               }
               result.next = event.sequence.next();
               return true;
             }));
  result.damaged = read.corrupt > 0;
  if (!refused && !result.at_end) {
    result.next = std::max(result.next, std::min(read.next, end));
    result.at_end = result.next >= end || read.visited + read.corrupt == 0;
  }
  return result;
}

void HouseServices::import_events(std::vector<Event> events, std::string principal,
                                  api::Done<api::Ingested> done) {
  if (parts_.imports == nullptr) {
    return done(api::Refusal{Error{ErrorCode::unsupported, "events: import"}, {}, 0});
  }
  parts_.imports->ingest(std::move(events), principal, std::move(done));
}

bool HouseServices::may_have_matched(const api::EventFilter& filter, Sequence from) const {
  return parts_.consumers == nullptr || parts_.consumers->may_have_lost(filter.type_pattern, from);
}

Sequence HouseServices::log_begin() const {
  const auto snapshot = house_.store.reader().snapshot();
  if (!snapshot.ok()) return Sequence(1);
  const Result<Sequence> first = snapshot->first_event();
  return first.ok() && !first->none() ? *first : house_.store.durable_end();
}

std::optional<api::Refusal> HouseServices::check(const api::NewRun& run) {
  const auto refuse = [](ErrorCode code, std::string sentence) {
    return api::Refusal{Error{code, "run: submit"}, std::move(sentence), 0};
  };
  if (house_.agents.find(run.agent) == nullptr) {
    return refuse(ErrorCode::not_found, "No agent is called `" + run.agent + "`.");
  }
  if (!run.webhook.empty()) {
    return refuse(ErrorCode::unsupported, "Member `webhook` is not offered by this build.");
  }
  if (!run.input.empty() && !codec::validate_item(run.input).ok()) {
    return refuse(ErrorCode::invalid, "Member `input` is nested too deeply.");
  }
  if (run.input.size() > limits::item_bytes_max) {
    return refuse(ErrorCode::too_large, "Member `input` is larger than 60 KiB.");
  }
  if (run.key.empty()) return std::nullopt;
  const Result<ActiveRun*> live = house_.runs.find_live(run.agent, run.key);
  if (!live.ok()) return refusal_of(live.error());
  if (*live == nullptr) return std::nullopt;
  return refuse(ErrorCode::conflict, "A live run has this key: " +
                                         qualified_id((*live)->run.epoch, (*live)->run.id.value()) +
                                         ". Send it an event, or use another key.");
}

Result<std::optional<HouseServices::Earlier>> HouseServices::find_earlier(const std::string& key) {
  if (key.empty()) return std::optional<Earlier>();
  if (const auto found = pending_keys_.find(key); found != pending_keys_.end()) {
    return std::optional<Earlier>(found->second);
  }
  LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
  LIMPET_TRY(const std::optional<ByteSpan> row, snapshot.get(store::idempotency_key(key)));
  if (!row || row->size() < 16) return std::optional<Earlier>();
  return std::optional<Earlier>(
      Earlier{RunId(store::read_u64(*row)), store::read_u64(row->subspan(8))});
}

// The answer waits for everything before it to be on disk: the first may still be on its way.
Result<void> HouseServices::answer_earlier(const Earlier& earlier,
                                           const api::Done<api::Submitted>& done) {
  Commit commit(house_);
  return commit.submit([done, run = earlier.run](const Result<void>& result) {
    if (result.ok()) {
      done(api::Submitted{run, false});
    } else {
      done(refusal_of(result.error()));
    }
  });
}

Result<void> HouseServices::start(const api::NewRun& run, const api::Done<api::Submitted>& done) {
  LIMPET_CHECK(admit_new_events(house_, event_type::run_created, run.input.size() + 512));
  Commit commit(house_);
  run::RunRequest request;
  request.key = run.key;
  request.correlation = run.correlation;
  request.tenant = run.tenant;
  request.principal = run.principal;
  request.priority = run.priority;
  request.deadline = milliseconds(run.deadline_ms);
  request.input = run.input;
  LIMPET_TRY(const RunId id, commit.begin_run(*house_.agents.find(run.agent), std::move(request)));
  const std::string& key = run.idempotency_key;
  const Earlier earlier{id, hash_of(run)};
  if (!key.empty()) {
    commit.change().put(store::idempotency_key(key),
                        SmallValue().put(id.value(), 8).put(earlier.request, 8).bytes());
    // So that the key goes when the run does.
    commit.change().put(store::run_key(id, Ordinal(store::idempotency_ordinal)), as_bytes(key));
  }
  LIMPET_CHECK(commit.submit([this, key, id, done](const Result<void>& result) {
    pending_keys_.erase(key);
    if (result.ok()) {
      done(api::Submitted{id, true});
    } else {
      done(refusal_of(result.error()));
    }
  }));
  if (!key.empty()) pending_keys_[key] = earlier;
  return {};
}

void HouseServices::submit_run(api::NewRun run, api::Done<api::Submitted> done) {
  const Result<std::optional<Earlier>> earlier = find_earlier(run.idempotency_key);
  if (!earlier.ok()) return done(refusal_of(earlier.error()));
  Result<void> result;
  if (*earlier) {
    if ((*earlier)->request != hash_of(run)) {
      return done(api::Refusal{Error{ErrorCode::conflict, "run: submit"},
                               "This Idempotency-Key was used for another request.", 0});
    }
    result = answer_earlier(**earlier, done);
  } else {
    if (auto refusal = check(run)) return done(std::move(*refusal));
    result = start(run, done);
  }
  if (!result.ok()) done(refusal_of(result.error()));
}

// One member of the data of a stored event; empty when the event or the member is gone.
Result<ByteVector> HouseServices::event_member(Sequence sequence, std::string_view member) {
  ByteVector found;
  if (sequence.none()) return found;
  LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
  LIMPET_TRY(const store::EventsRead read,
             snapshot.events(sequence, 1, [&](const EventView& event) {
               if (event.sequence != sequence) return false;
               if (!event.type.starts_with(event_type::own_prefix)) {
                 found.assign(event.data.begin(), event.data.end());
                 return false;
               }
               codec::CborReader reader(event.data);
               const size_t count = reader.map();
               for (size_t index = 0; index < count && reader.ok(); ++index) {
                 const bool wanted = reader.text() == member;
                 const ByteSpan item = reader.item();
                 if (wanted) found.assign(item.begin(), item.end());
               }
               return false;
             }));
  static_cast<void>(read);
  return found;
}

Result<api::RunView> HouseServices::get_run(RunId id) {
  api::RunView view;
  {
    LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
    LIMPET_TRY(const std::optional<ByteSpan> header, snapshot.get(store::run_key(id, Ordinal(0))));
    if (!header) return Error{ErrorCode::not_found, "run: no such run"};
    LIMPET_TRY(view.run, codec::decode_run(*header));
    const store::Key prefix = store::Key('n').u64(id.value());
    Result<void> decoded;
    LIMPET_CHECK(
        snapshot.scan(store::run_key(id, Ordinal(1)), prefix, [&](ByteSpan key, ByteSpan value) {
          const auto row = store::parse_run_key(key);
          if (!row || row->ordinal.value() >= store::state_ordinal_first) {
            return false;
          }
          Result<Step> step = codec::decode_step(value);
          if (!step.ok()) decoded = step.error();
          if (step.ok()) view.steps.push_back(std::move(step).value());
          return decoded.ok();
        }));
    LIMPET_CHECK(decoded);
  }
  LIMPET_TRY(view.input, event_member(view.run.input, "input"));
  LIMPET_TRY(view.output, event_member(view.run.output, "output"));
  return view;
}

Result<void> HouseServices::list_runs(const api::RunFilter& filter, const api::RunVisitor& visit) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, house_.store.reader().snapshot());
  const store::Key prefix('n');
  RunId before = filter.before.none() ? RunId(UINT64_MAX) : filter.before;
  for (size_t count = 0; count < listed_rows_max; ++count) {
    LIMPET_TRY(const auto last, snapshot.last_before(store::run_key(before, Ordinal(0)), prefix));
    const auto row = last ? store::parse_run_key(last->key) : std::nullopt;
    if (!row) return {};
    before = row->run;
    LIMPET_TRY(const std::optional<ByteSpan> header,
               snapshot.get(store::run_key(before, Ordinal(0))));
    if (!header) continue;
    LIMPET_TRY(const Run run, codec::decode_run(*header));
    if (filter.state && run.state != *filter.state) continue;
    if (!filter.agent.empty() && run.agent != filter.agent) continue;
    if (!visit(run)) return {};
  }
  return {};
}

void HouseServices::resolve_step(api::Resolution resolution, api::Done<std::monostate> done) {
  if (!resolution.value.empty() && !codec::validate_item(resolution.value).ok()) {
    return done(api::Refusal{Error{ErrorCode::invalid, "run: resolve"},
                             "Member `value` is nested too deeply.", 0});
  }
  if (resolution.value.size() > limits::item_bytes_max) {
    return done(api::Refusal{Error{ErrorCode::too_large, "run: resolve"},
                             "Member `value` is larger than 60 KiB.", 0});
  }
  parts_.calls.resolve(resolution, std::move(done));
}

void HouseServices::cancel_run(RunId run, std::string principal, api::Done<std::monostate> done) {
  const Result<void> result = try_cancel(run, principal, done);
  if (!result.ok()) done(refusal_of(result.error()));
}

Result<void> HouseServices::try_cancel(RunId id, const std::string& principal,
                                       const api::Done<std::monostate>& done) {
  LIMPET_TRY(ActiveRun * active, house_.runs.find(id));
  if (active == nullptr) return Error{ErrorCode::not_found, "no such run"};
  if (is_final(active->run.state)) return Error{ErrorCode::conflict, "this run has ended"};
  Commit commit(house_);
  run::Ending ending{RunState::cancelled, "cancelled", {}, principal};
  run::Effects effects = run::end_run(active->run, ending, commit.moment());
  LIMPET_CHECK(commit.apply(effects));
  LIMPET_CHECK(commit.submit([done](const Result<void>& result) {
    if (result.ok()) {
      done(std::monostate());
    } else {
      done(refusal_of(result.error()));
    }
  }));
  parts_.calls.cancel_run(id);
  return {};
}

}  // namespace limpet::daemon
