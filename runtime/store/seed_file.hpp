#pragma once

// The first two pages of an empty LMDB file with 4 KiB pages.
//
// LMDB takes the page size of the kernel that creates the file; on a kernel with 16 KiB pages every
// commit would write four times as much for ever. A file that exists keeps its page size, so new
// stores begin from these bytes. They follow LMDB 0.9's own structures (lmdb 0.9.24, mdb.c:
// MDB_page, MDB_meta), whose integers have the machine's word size; a test compares them with what
// LMDB makes.
// A file of another word size or byte order is refused by LMDB itself. [any]

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace limpet::store {

inline constexpr uint32_t store_page_bytes = 4096;

[[nodiscard]] ByteVector make_seed_file();

// Which of the two meta pages (0 or 1) is the newer one, by LMDB's transaction id. nullopt: neither
// is a meta page of a file with our page size. `head` holds the file's first two pages.
[[nodiscard]] std::optional<size_t> find_newest_meta(ByteSpan head);

}  // namespace limpet::store
