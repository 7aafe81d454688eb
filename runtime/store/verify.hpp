#pragma once

// verify: reads every row of a stopped store and says what is wrong with it: keys that are none,
// records whose checksum fails, events with a part missing, rows that refer to nothing, counters of
// the hot record that do not count. Changes nothing.
// Owner: a verb, or the walk. Thread: one, blocking as long as reading the file takes. Never fails:
// a tree that cannot be read to its end is a finding.
// Limits: the first verify_problems_max problems are kept, all are counted. On a file with damaged
// pages it may crash, as every reader of LMDB may; walk.hpp runs it in a child.

#include <cstdint>
#include <string>
#include <vector>

namespace limpet::store {

class StoppedStore;

inline constexpr size_t verify_problems_max = 16;

struct Problem {
  std::string key;   // which row, in words: "event 105", "run 12"
  std::string text;  // what is wrong
};

struct VerifyReport {
  uint64_t rows = 0;
  uint64_t events = 0;
  uint64_t runs = 0;
  uint64_t steps = 0;
  uint64_t tasks = 0;       // ready rows of all queues
  uint64_t free_pages = 0;  // in LMDB's list
  uint64_t problems = 0;    // all of them
  std::vector<Problem> first;
  // The tree could be read to its end with its keys in order, and the list of free pages as well.
  bool tree_sound = true;
  [[nodiscard]] bool good() const { return problems == 0; }
};

[[nodiscard]] VerifyReport verify(StoppedStore& store);

}  // namespace limpet::store
