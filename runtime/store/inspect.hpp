#pragma once

// What there is to say of a stopped store. [any, blocking]
// inspect() reads a few rows; count_rows() reads all of them, so its time grows with the file.

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.hpp"
#include "store/stopped_store.hpp"

namespace limpet::store {

inline constexpr uint32_t store_format = 1;

struct Inspection {
  HotRecord hot;
  Sequence first;   // still in the log; none: the log is empty
  WallTime oldest;  // of the first event and of the last one; zero: none
  WallTime newest;
  uint64_t rows = 0;
  uint64_t used_bytes = 0;  // pages of the trees
  uint64_t file_bytes = 0;
  uint64_t free_pages = 0;                 // given up, and to be used again
  std::map<uint16_t, std::string> queues;  // names by number
  std::map<uint8_t, std::string> classes;
  uint64_t unused_pages = 0;  // of the file, behind the last one in use
};
[[nodiscard]] Result<Inspection> inspect(StoppedStore& store);

struct RowCount {
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of keys and values
};
struct RowCounts {
  std::map<char, RowCount> regions;
  std::map<uint16_t, uint64_t> ready;  // rows by queue: ready, delayed and leased alike
};
[[nodiscard]] Result<RowCounts> count_rows(StoppedStore& store);

// Of the free list: how many pages it holds. Errors: corrupt (a list that names pages which are not
// in the file, or does not fit its row: the next commit would write anywhere).
[[nodiscard]] Result<uint64_t> check_free_list(MDB_env* environment);

}  // namespace limpet::store
