#pragma once

// What the tests of the disk do to a store: changes numbered from 1, each of which is a function of
// its number alone. So what the store must hold after any of them is known without remembering
// anything. Every change also writes its number: whichever number is found, exactly the rows of
// that many changes must be there. Owner: a test or its child. Thread: one.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "store/store.hpp"

namespace limpet::testing {

// Adds what change `number` does. REQUIRES: the change is built on the state after `number - 1`.
void fill_change(uint64_t number, store::Change& change);

// The first sequence that change `number` appends.
[[nodiscard]] uint64_t first_sequence_of(uint64_t number);

// The key under which each change writes its number, as decimal text.
[[nodiscard]] store::Key number_key();
// The number of the last change on disk; 0: none. Errors: as reading.
[[nodiscard]] Result<uint64_t> read_number(store::Store& store);

[[nodiscard]] store::OpenOptions small_store_in(const std::string& directory);

struct WorkloadPlan {
  std::string directory;
  uint64_t changes = 0;
  size_t window = 1;               // changes outstanding at once
  bool acknowledge_early = false;  // a deliberate mistake, which the tests must find
};

// Told in the order in which things happen, on the calling thread.
struct WorkloadEars {
  std::function<void(uint64_t number)> submitted;
  std::function<void(uint64_t number)> acknowledged;
};

// How a workload ends; a child leaves with it as its exit code.
enum class WorkloadEnd : int {
  done = 0,
  not_opened = 20,     // open said io, full or corrupt
  closed = 21,         // a commit failed; the store refused everything from then on
  wrong = 30,          // something acknowledged after a failure, or a store that went on
  strange_error = 31,  // an error that no failing disk explains
};

// Opens the store, goes on behind what is there with `plan.changes` more, and closes it.
[[nodiscard]] WorkloadEnd run_workload(const WorkloadPlan& plan, const WorkloadEars& ears);

}  // namespace limpet::testing
