#include "host/call_table.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <thread>

#include "step_executor.hpp"

using namespace limpet;
using namespace limpet::host;
using namespace limpet::host::test;

namespace {

struct Table {
  StepExecutor executor;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>(executor, [] {});
  LiveCounters counters;
  CallTable table{*mailbox, counters};

  void finish(uint64_t id) {
    limpet_result result{};
    result.struct_size = sizeof result;
    table.finish(id, &result);
  }
  void enter(uint64_t id) {
    table.open(id, CallKind::call);
    REQUIRE(table.begin(id));
  }
};

}  // namespace

TEST_CASE("call_table: a call is complete when it has returned and finished, in either order") {
  Table calls;
  calls.enter(1);
  calls.finish(1);
  CHECK(calls.table.take().empty());
  CHECK(calls.table.returned(1, {}));
  CHECK(calls.table.take().size() == 1);

  calls.enter(2);
  CHECK_FALSE(calls.table.returned(2, {}));
  CHECK(calls.table.take().empty());
  calls.finish(2);
  REQUIRE(calls.executor.posts() == 1);
  CHECK(calls.table.take().size() == 1);
  CHECK(calls.table.open_count() == 0);
}

TEST_CASE("call_table: a finish before the call began, or of a lookup, is none") {
  Table calls;
  calls.table.open(1, CallKind::call);
  calls.finish(1);
  calls.table.open(2, CallKind::lookup);
  CHECK(calls.table.begin(2));
  calls.finish(2);
  CHECK(calls.counters.double_finishes.get() == 2);
  CHECK(calls.table.take().empty());
}

TEST_CASE("call_table: what is given up comes once more, as late, and only then is closed") {
  Table calls;
  calls.enter(1);
  CHECK_FALSE(calls.table.returned(1, {}));
  ToolResult result;
  CHECK(calls.table.give_up(1, result) == GaveUp::begun);
  CHECK(calls.table.open_count() == 1);
  calls.finish(1);
  const std::vector<Completion> completions = calls.table.take();
  REQUIRE(completions.size() == 1);
  CHECK(completions[0].late);
  CHECK(calls.counters.late_finishes.get() == 1);
}

TEST_CASE("call_table: a result that is there when the deadline comes is the outcome") {
  Table calls;
  calls.enter(1);
  calls.finish(1);
  ToolResult result;
  result.outcome = Outcome::unknown;
  CHECK(calls.table.give_up(1, result) == GaveUp::finished);
  CHECK(result.outcome == Outcome::done);
  CHECK(result.id == 1);
  CHECK(calls.table.returned(1, {}));
  CHECK(calls.table.take().front().late);
  CHECK(calls.counters.late_finishes.get() == 0);

  calls.enter(2);
  calls.finish(2);
  CHECK(calls.table.returned(2, {}));
  CHECK(calls.table.give_up(2, result) == GaveUp::finished);
  CHECK(calls.table.take().front().late);
}

TEST_CASE("call_table: under threads each call still completes exactly once") {
  Table calls;
  constexpr uint64_t count = 2000;
  for (uint64_t id = 1; id <= count; ++id) calls.table.open(id, CallKind::call);
  const auto work = [&](uint64_t first) {
    for (uint64_t id = first; id <= count; id += 2) {
      if (!calls.table.begin(id)) continue;
      if (id % 3 == 0) calls.finish(id);
      static_cast<void>(calls.table.returned(id, {}));
      if (id % 3 != 0) calls.finish(id);
      calls.finish(id);
    }
  };
  std::thread odd([&] { work(1); });
  std::thread even([&] { work(2); });
  std::multiset<uint64_t> seen;
  std::mt19937_64 random(5);
  const auto collect = [&] {
    for (const Completion& completion : calls.table.take()) seen.insert(completion.id);
  };
  for (int round = 0; round < 2000; ++round) {
    static_cast<void>(calls.table.cancel(1 + random() % count));
    collect();
  }
  odd.join();
  even.join();
  collect();
  CHECK(seen.size() == count);
  CHECK(std::set<uint64_t>(seen.begin(), seen.end()).size() == count);
  CHECK(calls.table.open_count() == 0);
}
