#pragma once

// The first two pages of an empty LMDB file with 4 KiB pages.
//
// LMDB takes the page size of the kernel that creates the file; on a kernel with 16 KiB pages every
// commit would write four times as much for ever. A file that exists keeps its page size, so new
// stores begin from these bytes; a test compares them with what LMDB makes.
// A file of another word size or byte order is refused by LMDB itself. [any]

#include "base/bytes.hpp"

namespace limpet::store {

[[nodiscard]] ByteVector make_seed_file();

}  // namespace limpet::store
