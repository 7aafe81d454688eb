#pragma once

// LongPoll: one request that waits for something, and whose answer gives something away: leased
// tasks, fetched events. When its client goes away, the wait ends and what was given is taken back.
// Owner: shared by the two that may end it, the connection and the services' completion, because
// either may be the last. Thread: [main]. Never fails.
//
//   answered, taken by the client   nothing is left to do
//   gone while it waits             `cancel`; what comes nevertheless is given back at once
//   gone before it had all of it    `give_back`

#include <cstdint>
#include <functional>
#include <memory>

#include "api/exchange.hpp"

namespace limpet::api {

struct LongPollOptions {
  bool waits = false;                    // may take long: counts into waits_max
  std::function<void(uint64_t)> cancel;  // of the services
  Response nothing;                      // the answer when the wait ends without anything
};

class LongPoll {
 public:
  // Null: too many wait, which was answered.
  [[nodiscard]] static std::shared_ptr<LongPoll> begin(const Exchange& exchange,
                                                       LongPollOptions options);
  LongPoll(Exchange exchange, LongPollOptions options);

  // By what number the services know the wait.
  void waits_as(uint64_t number) { number_ = number; }
  // What came. `give_back` undoes what `response` tells; empty: there is nothing to undo.
  void answer(Response response, std::function<void()> give_back);

 private:
  void abandon();

  const Exchange exchange_;
  LongPollOptions options_;
  uint64_t number_ = 0;
  bool answered_ = false;
  bool gone_ = false;
  std::function<void()> give_back_;
};

}  // namespace limpet::api
