#pragma once

// What a model test does, as data: the numbers of an operation mean something wherever it stands
// (the third lease, the second queue), so that a list still runs when operations are taken out of
// it. [any]

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "dispatch/queue_types.hpp"

namespace limpet::testing {

enum class Act : uint8_t {
  // Into a change.
  enqueue,
  ack,
  nack,
  redrive,
  drop_dead,
  set_state,
  // By themselves.
  lease,
  extend,
  time,
  wall,
  late_lease,  // time goes on, and somebody asks before pump() was called
  list_dead,
  reload,
  hold,
  release,
  crash,
  reopen,
};
inline constexpr size_t act_count = 17;

// What becomes of the change that it was put into.
enum class Then : uint8_t { submit, keep, drop };

struct Operation {
  Act act = Act::time;
  uint32_t a = 0;
  uint32_t b = 0;
  Then then = Then::submit;
};
using Operations = std::vector<Operation>;

[[nodiscard]] Operations random_operations(std::mt19937& engine, size_t count);
// As C++, to be pasted into a test.
[[nodiscard]] std::string to_code(const Operations& operations);

// Leaves out whatever is not needed for `fails`, for at most `limit`.
[[nodiscard]] Operations shrink(Operations operations,
                                const std::function<bool(const Operations&)>& fails,
                                Duration limit);

// The queues of one world; `variant` is the config after so many reloads.
[[nodiscard]] std::vector<dispatch::QueueSettings> settings_of(uint32_t world, uint32_t variant);

// Small numbers out of a large one.
class Picks {
 public:
  explicit Picks(uint32_t number) : number_(number) {}
  uint32_t take(uint32_t below) {
    const uint32_t taken = number_ % below;
    number_ /= below;
    return taken;
  }
  bool one_in(uint32_t count) { return take(count) == 0; }

 private:
  uint32_t number_;
};

}  // namespace limpet::testing
