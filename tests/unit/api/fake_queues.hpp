#pragma once

// FakeQueues: the queues behind the API: one queue, "jobs", whose tasks are leased in order. Used
// on the loop's thread only, as FakeServices.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/queue_services.hpp"

namespace limpet::testing {

class FakeQueues final : public api::QueueServices {
 public:
  // What a test sets or looks at.
  std::vector<api::TaskRequest> enqueued;
  std::vector<std::string> principals;
  std::vector<api::TaskView> ready;
  std::map<uint64_t, api::TaskView> leased;  // by task
  std::vector<api::SettleRequest> settled;   // as asked, good or not
  std::vector<api::LeaseRequest> lease_requests;
  std::vector<uint64_t> cancelled;
  std::vector<api::DeadView> dead;
  std::vector<api::RedriveRequest> redrives;
  dispatch::QueueState state = dispatch::QueueState::open;
  std::optional<api::Refusal> refuse_next;
  bool late_answers = false;  // a cancelled wait is answered nevertheless, with a task

  // A task that is ready; a lease that waits gets it at once.
  void add(api::TaskView task);
  [[nodiscard]] size_t waiting() const { return waits_.size(); }

  void enqueue(std::string queue, std::vector<api::TaskRequest> tasks, std::string principal,
               api::Done<api::TasksTaken> done) override;
  uint64_t lease(api::LeaseRequest request, api::Done<std::vector<api::TaskView>> done) override;
  void cancel_lease(uint64_t wait) override;
  void settle(std::vector<api::SettleRequest> requests,
              api::Done<api::SettleAnswers> done) override;
  [[nodiscard]] api::Answer<uint64_t> extend(Sequence task, uint64_t token,
                                             int64_t lease_ms) override;
  [[nodiscard]] std::string queues_json() override { return R"({"queues":[]})"; }
  void set_queue_state(std::string queue, dispatch::QueueState state,
                       api::Done<std::monostate> done) override;
  [[nodiscard]] Result<std::vector<api::DeadView>> list_dead(
      const api::DeadFilter& filter) override;
  void redrive(api::RedriveRequest request, api::Done<uint64_t> done) override;
  void drop_dead(Sequence task, std::string queue, api::Done<uint64_t> done) override;

 private:
  struct Wait {
    api::LeaseRequest request;
    api::Done<std::vector<api::TaskView>> done;
  };
  [[nodiscard]] std::vector<api::TaskView> take(size_t tasks_max);

  std::map<uint64_t, Wait> waits_;
  uint64_t next_wait_ = 1;
  uint64_t next_token_ = (uint64_t{3} << 62) + 1;  // more than a JavaScript number, or an int64
};

// A task of that number with a text of so many bytes as its payload.
[[nodiscard]] api::TaskView make_task(uint64_t number, size_t payload_bytes = 1);

}  // namespace limpet::testing
