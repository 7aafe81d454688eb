#pragma once

// The two meta pages at the head of the file, of which LMDB writes one at each commit in turn.
//
// LMDB refuses a file as soon as one of them is bad, although the other is a whole store as it was
// one commit earlier or later. Flash that loses its power while it programs a page does leave one
// bad. So before LMDB sees the file, each is checked, and a bad one is written again from the good
// one. Whether the lost one was newer cannot be known, so the caller begins a new epoch: sequences
// that were given out by the lost commit must not name other events.
// Owner: open_environment. Thread: [any, blocking]. Fails with: io; corrupt (neither is good).

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "store/lmdb_layout.hpp"

namespace limpet::store {

struct MetaPages {
  bool good[2] = {false, false};
  size_t newest = 0;  // the good one with the later transaction. Meaningless when none is good.
  [[nodiscard]] bool none() const { return !good[0] && !good[1]; }
  [[nodiscard]] bool both() const { return good[0] && good[1]; }
};

// Judges the first two pages of a file by everything that LMDB later relies on: page number, magic,
// version, page size, roots and counts within the file, a map that holds its last page. [no-alloc]
[[nodiscard]] MetaPages judge_meta_pages(ByteSpan head);

// The same of a file; one that is shorter than two pages has no good page.
[[nodiscard]] Result<MetaPages> read_meta_pages(const std::string& file);

// Writes the bad page of the two again, from the good one, and syncs it.
// REQUIRES: exactly one of `pages` is good.
[[nodiscard]] Result<void> repair_meta_page(const std::string& file, const MetaPages& pages);

// Writes the newest meta page over itself and syncs: what a failed sync left only in the page cache
// is on the device afterwards, or this fails.
[[nodiscard]] Result<void> confirm_newest_meta(const std::string& file);

}  // namespace limpet::store
