#pragma once

// QueueHouse: the queues as the API and the agents see them: producers, workers that wait, dead
// letters, and the calls of runs that workers carry out. Owner: the daemon. Thread: [main].
// Fails as api::QueueServices says.
// Limits: waits_max workers that wait; redrives_max redrives of many at a time.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/queue_services.hpp"
#include "daemon/house.hpp"
#include "daemon/queue_commit.hpp"

namespace limpet::daemon {

inline constexpr size_t waits_max = 256;
inline constexpr size_t redrives_max = 16;
inline constexpr uint32_t redrive_per_second_default = 100;

struct QueueCounters {
  uint64_t waits_refused = 0;
  uint64_t delegated = 0;  // calls of runs that became tasks
  uint64_t answered = 0;   // of them, with a result
  uint64_t unknown = 0;    // of them, whose fate nobody knows
};

class QueueHouse final : public api::QueueServices {
 public:
  // `stir`: a round is wanted, because somebody waits now or has a lease that may end; it must not
  // call back at once.
  QueueHouse(House& house, std::function<void()> stir);

  // Call after store.deliver() and when next_due() has come.
  void pump();
  [[nodiscard]] std::optional<store::StoreMs> next_due() const;
  // Answers those who wait with nothing; whoever waits from now on is answered at once.
  void close();

  // Puts the call of a step into the queue of its tool, in `commit`'s change, which also records
  // its start. Errors: full (come back after retry_after), busy, closed.
  struct Delegation {
    std::string_view queue;
    const Run& run;
    const Step& step;
    bool repeatable = false;
  };
  [[nodiscard]] Result<void> delegate(QueueCommit& commit, const Delegation& delegation);

  void enqueue(std::string queue, std::vector<api::TaskRequest> tasks, std::string principal,
               api::Done<api::TasksTaken> done) override;
  uint64_t lease(api::LeaseRequest request, api::Done<std::vector<api::TaskView>> done) override;
  void cancel_lease(uint64_t wait) override;
  void settle(std::vector<api::SettleRequest> requests,
              api::Done<api::SettleAnswers> done) override;
  [[nodiscard]] api::Answer<uint64_t> extend(Sequence task, uint64_t token,
                                             int64_t lease_ms) override;
  [[nodiscard]] std::string queues_json() override;
  void set_queue_state(std::string queue, dispatch::QueueState state,
                       api::Done<std::monostate> done) override;
  [[nodiscard]] Result<std::vector<api::DeadView>> list_dead(
      const api::DeadFilter& filter) override;
  void redrive(api::RedriveRequest request, api::Done<uint64_t> done) override;
  void drop_dead(Sequence task, std::string queue, api::Done<uint64_t> done) override;

  [[nodiscard]] const QueueCounters& counters() const { return counters_; }

 private:
  struct Wait {
    uint64_t id = 0;
    api::LeaseRequest request;
    BootTime until;
    api::Done<std::vector<api::TaskView>> done;
  };
  struct Redrive {
    std::string queue;
    Sequence next;
    uint64_t left = 0;
    dispatch::TokenBucket bucket;
    store::StoreMs not_before = 0;
  };

  // Answer how many went with these changes, which are on their way to the disk.
  [[nodiscard]] Result<uint64_t> drop_batch(const std::vector<Sequence>& tasks);
  [[nodiscard]] Result<uint64_t> drop_all_dead(const std::string& queue);
  void run_due();
  void serve_waits();
  void go_on_redriving();
  [[nodiscard]] Result<size_t> redrive_some(Redrive& redrive);
  using Views = std::vector<api::TaskView>;
  struct Leased {
    Views tasks;
    std::vector<dispatch::LeaseRef> once;  // of them, those that must not happen twice
  };
  [[nodiscard]] Result<Leased> try_lease(const api::LeaseRequest& request);
  // Answers the worker, after a commit if there are tasks that must not happen twice.
  void answer(Leased leased, const api::Done<Views>& done);
  [[nodiscard]] Result<void> record_begin(const Leased& leased, const api::Done<Views>& done);
  void give_back(const std::vector<api::TaskView>& tasks);
  [[nodiscard]] Result<std::vector<Sequence>> add_all(QueueCommit& commit, const std::string& queue,
                                                      const std::vector<api::TaskRequest>& tasks,
                                                      const std::string& principal,
                                                      std::vector<Sequence>& repeated_out);
  [[nodiscard]] Result<void> settle_one(QueueCommit& commit, const api::SettleRequest& request);
  // The step of a run, whose call was this task, ends with it.
  [[nodiscard]] Result<void> finish_step(Commit& commit, const dispatch::Settled& settled,
                                         const api::SettleRequest* request);
  [[nodiscard]] api::Refusal refusal(const std::string& queue, const Error& error) const;

  House& house_;
  dispatch::Queues& queues_;
  const std::function<void()> stir_;
  std::list<Wait> waits_;                       // in the order in which they came
  std::set<std::string, std::less<>> stirred_;  // queues that may have something; at most all
  std::deque<Redrive> redrives_;
  uint64_t next_wait_ = 1;
  bool closed_ = false;
  QueueCounters counters_;
};

}  // namespace limpet::daemon
