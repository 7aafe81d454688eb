// The power cut, on a model of the disk. The workload runs with a recorder that sees every write
// and sync; then each instant is replayed at which something was written and not yet synced, with
// any part of it on the disk. Elsewhere what was acknowledged did not outlive this: a broker that
// syncs now and then (nanomq #2432), a buffer that is gone after a bad end (fluent-bit #11130).

#include <doctest/doctest.h>

#include "tests/crash/cut_explorer.hpp"
#include "tests/crash/workload.hpp"

using namespace limpet::testing;

namespace {

// A life that trims: pages become free and are used again.
constexpr uint64_t changes_long_ago = 150;

DiskImage store_of(uint64_t changes) {
  const FastDirectory directory;
  const WorkloadPlan plan{directory.file("data"), changes, 8, false};
  const auto ignore = [](uint64_t) {};
  REQUIRE(run_workload(plan, {ignore, ignore}) == WorkloadEnd::done);
  return read_image(plan.directory);
}

CutLimits limits_for(int budget_seconds) {
  if (std::getenv("LIMPET_TEST_LONG") != nullptr) return {SIZE_MAX / 2, 64, 200, {}};
  return {12, 64, 50, std::chrono::seconds(budget_seconds)};
}

void expect_right(const CutExplorer& explorer, const char* what) {
  explorer.print(what);
  for (const std::string& example : explorer.findings().examples) MESSAGE(example);
  CHECK(explorer.findings().wrong == 0);
}

}  // namespace

TEST_CASE("store: a power cut while the store is made and filled loses nothing acknowledged") {
  Chance chance("store cut test, new store");
  CutExplorer explorer(chance, limits_for(5));
  explorer.explore({}, 0, {8, 1, false});
  expect_right(explorer, "new store, one change at a time");
  CHECK(explorer.findings().windows > 30);
}

TEST_CASE("store: a power cut at any sync loses nothing acknowledged when pages are used again") {
  Chance chance("store cut test, window 1");
  CutExplorer explorer(chance, limits_for(6));
  explorer.explore(store_of(changes_long_ago), changes_long_ago, {10, 1, false});
  expect_right(explorer, "old store, one change at a time");
  CHECK(explorer.findings().windows > 30);
}

TEST_CASE("store: a power cut at any sync of a group commit keeps whole changes or none") {
  Chance chance("store cut test, window 64");
  CutExplorer explorer(chance, limits_for(6));
  explorer.explore(store_of(changes_long_ago), changes_long_ago, {256, 64, false});
  expect_right(explorer, "old store, 64 changes at a time");
  CHECK(explorer.findings().windows > 10);
}

TEST_CASE("cut test: a store that acknowledged before its sync would be caught") {
  Chance chance("store cut test, deliberate mistake");
  CutExplorer explorer(chance, {2, 2, 1000, {}});
  explorer.explore({}, 0, {5, 1, true}, 0);
  explorer.print("acknowledged early, on purpose");
  REQUIRE(explorer.findings().wrong > 0);
  CHECK(explorer.findings().examples.front().starts_with("lost: "));
}
