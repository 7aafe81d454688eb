#pragma once

// Turns: whose turn it is within a queue: tenants in deficit round robin by bytes, and within a
// tenant the lane whose head has the best rank: ready_at - priority * ageing, or strictly by
// priority when ageing is zero.
// Owner: a Queue. Thread: [main]. Fails with: io.
// Limits: a step looks at the heads of one tenant's lanes, at most ten, which are cached; lanes
// that have nothing ready cost nothing. Who adds a lane keeps lanes_max.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "dispatch/lane.hpp"
#include "dispatch/token_bucket.hpp"

namespace limpet::dispatch {

inline constexpr uint64_t turn_quantum_bytes = 4096;
inline constexpr uint64_t task_cost_bytes_min = 256;  // a small task is work too
inline constexpr size_t priorities = 10;

class Turns {
 public:
  struct Settings {
    Duration ageing;
    Rate tenant_rate;
  };
  void configure(const Settings& settings);

  // The lane; made when it is not there. `due`: as of Lane, of a new one.
  Lane& lane(const store::Lane& name, store::StoreMs due);
  [[nodiscard]] Lane* find(const store::Lane& name);
  // After anything was done to the lane: when it is looked at again.
  void changed(const Lane& lane, store::StoreMs horizon);

  struct Choice {
    Lane* lane = nullptr;
    LaneRow row;
  };
  enum class Outcome : uint8_t { chosen, nothing, limited };
  struct Chosen {
    Outcome outcome = Outcome::nothing;
    Choice choice;  // valid until the next call
  };
  // The task that is next; it stays until given() or passed().
  [[nodiscard]] Result<Chosen> choose(const LaneView& view, BootTime now);
  void given(const Choice& choice, uint64_t bytes, BootTime now);
  void passed(const Choice& choice) { choice.lane->take_head(); }

  // The one of all lanes that has been ready longest, or will be ready first.
  [[nodiscard]] Result<std::optional<Choice>> oldest(const LaneView& view);

  // Lanes whose time has come are looked at again; true: there is one to look at.
  bool wake(store::StoreMs horizon);
  // When the next lane that has nothing ready now will have something.
  [[nodiscard]] std::optional<store::StoreMs> next_due() const;
  // When the first tenant that may go on by its rate can; zero: now, or nobody has a turn.
  [[nodiscard]] Duration rate_wait(BootTime now) const;
  [[nodiscard]] bool anyone() const { return !in_turn_.empty(); }

  [[nodiscard]] size_t lane_count() const { return lane_count_; }
  void each(const std::function<void(const Lane&)>& visit) const;
  // Lanes without a row leave memory.
  [[nodiscard]] Result<void> sweep(const store::Reader::Snapshot& snapshot);

 private:
  struct Seat {
    std::unique_ptr<Lane> lane;
    store::StoreMs asleep_until = 0;  // its place in asleep_; 0: not there
    bool active = false;              // may have something ready
  };
  struct Tenant {
    uint16_t number = 0;
    bool in_turn = false;
    int64_t deficit_bytes = 0;
    TokenBucket bucket;
    std::array<Seat, priorities> seats;
  };
  struct Asleep {
    store::StoreMs until = 0;
    uint16_t tenant = 0;
    uint8_t priority = 0;
    friend auto operator<=>(const Asleep&, const Asleep&) = default;
  };
  [[nodiscard]] Tenant& tenant(uint16_t number);
  void place(Tenant& tenant, uint8_t priority, store::StoreMs horizon);
  [[nodiscard]] Result<Choice> best_of(Tenant& tenant, const LaneView& view);
  void leave_turn(size_t index);

  Settings settings_;
  std::unordered_map<uint16_t, std::unique_ptr<Tenant>> tenants_;
  std::vector<Tenant*> in_turn_;  // those that may have something ready
  size_t turn_ = 0;               // whose it is
  std::set<Asleep> asleep_;       // lanes whose next row is not ready yet
  size_t lane_count_ = 0;
};

}  // namespace limpet::dispatch
