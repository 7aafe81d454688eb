#pragma once

// LeaseCheck: are these the tasks that one lease call may give, in an order that it may give them?
// It keeps for each queue how long a tenant has waited while others were served. Owner: the driver
// of a test. [any]

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/model/queue_model.hpp"

namespace limpet::testing {

// Tenants take turns by bytes: no ready tenant waits while another one gets more than this. It is
// two quanta and what a last large task may take beyond them; a small task counts as much as one of
// the smallest cost.
inline constexpr uint64_t tenant_lead_bytes_max = 3 * 4096;
inline constexpr uint64_t tenant_task_bytes_min = 256;

class LeaseCheck {
 public:
  struct Given {
    std::vector<uint64_t> tasks;  // in the order they were given
    size_t tasks_max = 1;
    size_t bytes_max = 0;
    bool complete = true;   // time has not moved since the last pump
    StoreMs pumped_at = 0;  // what came due since then may not be known yet
  };
  // What is wrong; empty: nothing. Marks the given ones as leased in `model`, for its rules of
  // groups and limits; the caller says by whom afterwards.
  [[nodiscard]] std::string check(QueueModel& model, const std::string& queue, const Given& given,
                                  StoreMs now);
  void forget() { leads_.clear(); }

 private:
  struct Moment {
    StoreMs now = 0;
    StoreMs pumped_at = 0;
  };
  [[nodiscard]] std::string check_one(const QueueModel& model, const ModelQueue& queue,
                                      uint64_t task, const Moment& moment) const;
  [[nodiscard]] std::string check_tenants(const QueueModel& model, const std::string& name,
                                          uint64_t task, StoreMs now);

  // By queue, waiting tenant, served tenant.
  std::map<std::string, std::map<std::string, std::map<std::string, uint64_t>>> leads_;
};

}  // namespace limpet::testing
