#pragma once

// Queues over a store of their own, with a clock that stands still. What a helper does is on disk
// and known when it returns, unless its name says otherwise.

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dispatch/queues.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace limpet::testing {

struct Leased {
  Sequence task;
  dispatch::LeaseToken token;
  uint16_t attempt = 0;
  uint8_t priority = 0;
  std::string payload;  // without its CBOR head
  std::string group;
  std::string tenant;

  [[nodiscard]] dispatch::LeaseRef ref() const { return {task, token}; }
};

struct QueuesFixture : StoreFixture {
  std::unique_ptr<dispatch::Queues> queues;
  std::vector<dispatch::QueueSettings> settings = {work()};
  std::vector<std::string> woken;
  std::vector<dispatch::Settled> settled;  // what run_due() has shown

  QueuesFixture();
  ~QueuesFixture() { queues.reset(); }

  static dispatch::QueueSettings work();
  dispatch::QueueSettings& first() { return settings.front(); }

  // Opens or reopens; what was in memory is gone.
  void begin();

  // Builds a change and has it on disk; the error of `build` when it fails.
  Result<void> commit(const std::function<Result<void>(store::Change&)>& build);
  Result<void> submit(const std::function<Result<void>(store::Change&)>& build);  // not waited for
  void settle();  // all that was submitted is on disk and known

  // One item of CBOR text.
  static ByteVector item(std::string_view text);
  Result<dispatch::Enqueued> try_put(std::string_view text, dispatch::NewTask task = {},
                                     std::string_view queue = "work");
  Sequence put(std::string_view text, const dispatch::NewTask& task = {});
  Sequence put_unsettled(std::string_view text, const dispatch::NewTask& task = {});

  std::vector<Leased> lease(size_t count_max = 100, Duration length = {});
  // Payloads, in the order in which they were given.
  std::vector<std::string> take(size_t count_max = 100);
  Result<void> ack(const Leased& leased, ByteSpan result = {});
  Result<dispatch::Settled> nack(const Leased& leased, const dispatch::Nack& nack = {});
  Result<void> release(const Leased& leased);

  // Time passes, and what is due is done.
  void pass(Duration duration);
  void run_due();

  dispatch::QueueStats stats(std::string_view queue = "work");
  struct Dead {
    Sequence task;
    store::DeadLetter letter;
    std::string payload;
  };
  std::vector<Dead> dead(std::string_view queue = "work", Sequence from = {});
  // Counts all rows and compares with the counters of the hot record and of the tenants.
  void audit();
  size_t count_rows(const store::Key& prefix);
  std::vector<Event> events_of(std::string_view type);
};

using Texts = std::vector<std::string>;

}  // namespace limpet::testing
