#include "tests/unit/api/fake_services.hpp"

#include <algorithm>

#include "codec/cbor_value.hpp"
#include "model/pattern.hpp"

namespace limpet::testing {

Event make_event(std::string type, size_t data_bytes) {
  Event event;
  event.type = std::move(type);
  event.source = "test";
  event.time = WallTime{1'700'000'000'000'000'000U};
  event.data = codec::cbor_item(std::string(data_bytes, 'x'));
  return event;
}

void FakeServices::append(Event event) {
  event.sequence = log_end();
  events.push_back(std::move(event));
  if (wake_) wake_();
}

void FakeServices::release() {
  hold_ingest = false;
  for (const auto& held : std::exchange(held_, {})) held();
}

bool FakeServices::may(std::string_view principal, api::Right right) const {
  if (token_rights && principal.substr(0, 6) == "token:") {
    return std::find(token_rights->begin(), token_rights->end(), right) != token_rights->end();
  }
  return right != api::Right::operate || may_operate;
}

void FakeServices::ingest(std::vector<Event> batch, std::string principal,
                          api::Done<api::Ingested> done) {
  if (refuse_next) {
    done(*std::exchange(refuse_next, std::nullopt));
    return;
  }
  principals.push_back(std::move(principal));
  api::Ingested ingested;
  ingested.first = log_end();
  for (Event& event : batch) append(std::move(event));
  ingested.last = Sequence(log_end().value() - 1);
  if (hold_ingest) {
    held_.push_back([done, ingested] { done(ingested); });
  } else {
    done(ingested);
  }
}

Result<api::ReadEnd> FakeServices::read_events(const api::EventFilter& filter, Sequence from,
                                               size_t records_max, const api::EventVisitor& visit) {
  ++reads;
  if (read_fails) return Error{ErrorCode::io, "test: read"};
  Sequence next = std::max(from, log_begin());
  for (size_t count = 0; count < records_max; ++count, next = next.next()) {
    const bool past_to = !filter.to.none() && next >= filter.to;
    if (next >= log_end() || past_to) return api::ReadEnd{next, true};
    const Event& event = events[next.value() - 1 - trimmed];
    if (!filter.type_pattern.empty() && !pattern_matches(filter.type_pattern, event.type)) continue;
    if (!filter.subject.empty() && filter.subject != event.subject) continue;
    if (!filter.correlation.empty() && filter.correlation != event.correlation) continue;
    if (!filter.run.none() && filter.run != event.run) continue;
    if (!visit(view(event))) return api::ReadEnd{next, false};
  }
  return api::ReadEnd{next, next >= log_end()};
}

void FakeServices::submit_run(api::NewRun run, api::Done<api::Submitted> done) {
  if (run.agent != "watchdog") {
    done(api::Refusal{{ErrorCode::not_found, "test: agent"},
                      "There is no agent `" + run.agent + "`."});
    return;
  }
  for (size_t index = 0; index < submissions.size(); ++index) {
    const std::string& key = submissions[index].idempotency_key;
    if (key.empty() || key != run.idempotency_key) continue;
    done(api::Submitted{runs[index].run.id, false});
    return;
  }
  api::RunView view;
  view.run.id = RunId(log_end().value());
  view.run.agent = run.agent;
  view.run.priority = run.priority;
  view.run.principal = run.principal;
  view.input = run.input;
  runs.push_back(view);
  submissions.push_back(std::move(run));
  Event created = make_event(std::string(event_type::run_created), 1);
  created.run = view.run.id;
  append(std::move(created));
  done(api::Submitted{view.run.id, true});
}

Result<api::RunView> FakeServices::get_run(RunId run) {
  for (const api::RunView& view : runs) {
    if (view.run.id == run) return view;
  }
  return Error{ErrorCode::not_found, "test: run"};
}

Result<void> FakeServices::list_runs(const api::RunFilter& filter, const api::RunVisitor& visit) {
  for (auto view = runs.rbegin(); view != runs.rend(); ++view) {
    if (filter.state && *filter.state != view->run.state) continue;
    if (!filter.agent.empty() && filter.agent != view->run.agent) continue;
    if (!filter.before.none() && view->run.id >= filter.before) continue;
    if (!visit(view->run)) break;
  }
  return {};
}

void FakeServices::resolve_step(api::Resolution resolution, api::Done<std::monostate> done) {
  resolutions.push_back(std::move(resolution));
  done(std::monostate{});
}

void FakeServices::cancel_run(RunId run, std::string, api::Done<std::monostate> done) {
  for (api::RunView& view : runs) {
    if (view.run.id != run) continue;
    if (is_final(view.run.state)) {
      done(api::Refusal{{ErrorCode::conflict, "test: cancel"}, "The run has ended."});
      return;
    }
    view.run.state = RunState::cancelled;
  }
  done(std::monostate{});
}

api::Health FakeServices::health() {
  return healthy ? api::Health{} : api::Health{false, "The writer has not committed for 10 s."};
}

}  // namespace limpet::testing
