#pragma once

// FakeServices: the house behind the API as a vector of events and one of runs. Used on the loop's
// thread only; a test reaches it through ServerFixture::on_loop.

#include <functional>
#include <string>
#include <vector>

#include "api/services.hpp"

namespace limpet::testing {

class FakeServices : public api::Services {
 public:
  // What a test sets or looks at.
  std::vector<Event> events;  // events[0] has sequence 1, if nothing was trimmed
  uint64_t trimmed = 0;       // so many of them are gone from the front
  std::vector<api::RunView> runs;
  std::vector<std::string> principals;  // who ingested, in order
  std::vector<api::Resolution> resolutions;
  std::vector<api::NewRun> submissions;
  std::optional<api::Refusal> refuse_next;
  bool hold_ingest = false;  // keep completions until release()
  bool read_fails = false;
  bool healthy = true;
  bool may_operate = true;
  std::optional<std::vector<api::Right>> token_rights;  // of token:*; nullopt: all
  std::string metrics;
  size_t reads = 0;

  void append(Event event);
  void release();

  [[nodiscard]] Epoch epoch() const override { return Epoch(0x123456789); }
  [[nodiscard]] bool may(std::string_view principal, api::Right right) const override;
  void ingest(std::vector<Event> batch, std::string principal,
              api::Done<api::Ingested> done) override;
  [[nodiscard]] Result<api::ReadEnd> read_events(const api::EventFilter& filter, Sequence from,
                                                 size_t records_max,
                                                 const api::EventVisitor& visit) override;
  [[nodiscard]] Sequence log_end() const override { return Sequence(trimmed + events.size() + 1); }
  [[nodiscard]] Sequence log_begin() const override { return Sequence(trimmed + 1); }
  void on_commit(std::function<void()> wake) override { wake_ = std::move(wake); }
  void submit_run(api::NewRun run, api::Done<api::Submitted> done) override;
  [[nodiscard]] Result<api::RunView> get_run(RunId run) override;
  [[nodiscard]] Result<void> list_runs(const api::RunFilter& filter,
                                       const api::RunVisitor& visit) override;
  void resolve_step(api::Resolution resolution, api::Done<std::monostate> done) override;
  void cancel_run(RunId run, std::string principal, api::Done<std::monostate> done) override;
  [[nodiscard]] std::string status_json() override { return R"({"name":"test"})"; }
  [[nodiscard]] std::string plugins_json() override { return R"({"plugins":[]})"; }
  [[nodiscard]] std::string tools_json() override { return R"({"tools":[]})"; }
  [[nodiscard]] std::string agents_json() override { return R"({"agents":[]})"; }
  [[nodiscard]] std::string metrics_text() override { return metrics; }
  [[nodiscard]] api::Health health() override;

 private:
  std::function<void()> wake_;
  std::vector<std::function<void()>> held_;
};

// An event of a type, with `data` of so many bytes of text.
[[nodiscard]] Event make_event(std::string type, size_t data_bytes);

}  // namespace limpet::testing
