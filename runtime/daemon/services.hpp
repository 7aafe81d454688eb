#pragma once

// HouseServices: what the API asks of the house, answered. Each request becomes a commit or a look
// at the store. Owner: the daemon. Thread: [main]. Fails as api::Services says.

#include <functional>
#include <string>
#include <unordered_map>

#include "api/rights.hpp"
#include "api/services.hpp"
#include "daemon/calls.hpp"
#include "daemon/house.hpp"
#include "daemon/imports.hpp"
#include "daemon/intake.hpp"
#include "daemon/status.hpp"
#include "dispatch/consumers.hpp"

namespace limpet::daemon {

class HouseServices final : public api::Services {
 public:
  struct Parts {
    House& house;
    Intake& intake;
    Calls& calls;
    host::Host& host;
    Status& status;
    const api::RightsTable& rights;
    const dispatch::Consumers* consumers = nullptr;  // knows which classes lost what
    Imports* imports = nullptr;                      // null: history is not taken
  };
  explicit HouseServices(Parts parts) : parts_(parts), house_(parts.house) {}

  // Tells the API that a commit has happened. Called by the daemon after each round.
  void committed() {
    if (wake_) wake_();
  }

  [[nodiscard]] Epoch epoch() const override { return house_.store.epoch(); }
  [[nodiscard]] bool may(std::string_view principal, api::Right right) const override {
    return parts_.rights.may(principal, right);
  }
  void ingest(std::vector<Event> events, std::string principal,
              api::Done<api::Ingested> done) override;
  void import_events(std::vector<Event> events, std::string principal,
                     api::Done<api::Ingested> done) override;
  [[nodiscard]] bool may_have_matched(const api::EventFilter& filter, Sequence from) const override;
  [[nodiscard]] Result<api::ReadEnd> read_events(const api::EventFilter& filter, Sequence from,
                                                 size_t records_max,
                                                 const api::EventVisitor& visit) override;
  [[nodiscard]] Sequence log_end() const override { return house_.store.durable_end(); }
  [[nodiscard]] Sequence log_begin() const override;
  void on_commit(std::function<void()> wake) override { wake_ = std::move(wake); }
  void submit_run(api::NewRun run, api::Done<api::Submitted> done) override;
  [[nodiscard]] Result<api::RunView> get_run(RunId run) override;
  [[nodiscard]] Result<void> list_runs(const api::RunFilter& filter,
                                       const api::RunVisitor& visit) override;
  void resolve_step(api::Resolution resolution, api::Done<std::monostate> done) override;
  void cancel_run(RunId run, std::string principal, api::Done<std::monostate> done) override;
  [[nodiscard]] std::string status_json() override { return parts_.status.status(); }
  [[nodiscard]] std::string plugins_json() override { return parts_.status.plugins(); }
  [[nodiscard]] std::string tools_json() override { return parts_.status.tools(); }
  [[nodiscard]] std::string agents_json() override { return parts_.status.agents(); }
  [[nodiscard]] std::string metrics_text() override { return parts_.status.metrics(); }
  [[nodiscard]] api::Health health() override { return parts_.status.health(); }

 private:
  // A run that an idempotency key already names.
  struct Earlier {
    RunId run;
    uint64_t request = 0;  // hash of what was asked for
  };
  [[nodiscard]] Result<std::optional<Earlier>> find_earlier(const std::string& key);
  [[nodiscard]] std::optional<api::Refusal> check(const api::NewRun& run);
  [[nodiscard]] Result<void> start(const api::NewRun& run, const api::Done<api::Submitted>& done);
  [[nodiscard]] Result<void> answer_earlier(const Earlier& earlier,
                                            const api::Done<api::Submitted>& done);
  [[nodiscard]] Result<void> try_cancel(RunId run, const std::string& principal,
                                        const api::Done<std::monostate>& done);
  [[nodiscard]] Result<ByteVector> event_member(Sequence sequence, std::string_view member);

  Parts parts_;
  House& house_;
  std::function<void()> wake_;
  // Idempotency keys whose run is on its way to the disk; bounded as the changes are.
  std::unordered_map<std::string, Earlier> pending_keys_;
};

}  // namespace limpet::daemon
