#pragma once

// What happens to a damaged file before LMDB opens it, which on its own would refuse it or crash.
//
//   one bad meta page       written again from the other one, under a new epoch; the file is walked
//   two crashes in a row    the file is walked (see starts.hpp)
//   LMDB says corrupt       the file is walked: at once when it opens, else at the next start
//   the walk dies or finds  the file is set aside as store.mdb.damaged and a new store begins; one
//   the tree broken         is kept, the newest. Nobody is to delete a directory by hand to start.
//   records are damaged     they are counted, and the store goes on: each is found again when read
//
// Owner: open_environment. Thread: [main, blocking]; a walk takes as long as reading the file does.
// Fails with: corrupt (both meta pages), full (no room for a new store beside a broken one), io.

#include <cstdint>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "store/marker.hpp"
#include "store/walk.hpp"

namespace limpet::store {

struct Repairs {
  bool meta_page = false;        // one was written again
  bool walked = false;           // the whole file was read
  uint64_t damaged_records = 0;  // that the walk found
  bool set_aside = false;        // a new store has begun
  void add(const Repairs& more) {
    meta_page = meta_page || more.meta_page;
    walked = walked || more.walked;
    damaged_records += more.damaged_records;
    set_aside = set_aside || more.set_aside;
  }
  [[nodiscard]] bool any() const { return meta_page || set_aside || damaged_records > 0; }
};

struct RescueFacts {
  std::string directory;         // locked by the caller
  std::optional<Marker> marker;  // as found
  bool suspect = false;          // the last starts crashed
  uint64_t store_bytes = 0;      // what the file of a new store takes
};

inline constexpr const char* damaged_file_suffix = ".damaged";
inline constexpr const char* both_meta_pages_bad =
    "store: neither meta page of store.mdb can be read: it is damaged, from another kind of "
    "machine, or no store; restore a backup, or move it away to begin anew";

// `walker` reads the file of a directory; verify_in_child, unless a test has another.
[[nodiscard]] Result<Repairs> rescue(const RescueFacts& facts, const Walker& walker,
                                     Logger& logger);

}  // namespace limpet::store
