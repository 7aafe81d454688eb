#pragma once

// LMDB 0.9's own structures on disk, as it lays them out on this machine (lmdb 0.9.24, mdb.c:
// MDB_page, MDB_db, MDB_meta); integers have the machine's word size. Private to this folder: for
// what LMDB offers no call. A test compares them with what LMDB writes. [any]

#include <cstddef>
#include <cstdint>

namespace limpet::store {

inline constexpr uint32_t store_page_bytes = 4096;

namespace layout {

inline constexpr uint32_t meta_magic = 0xBEEFC0DE;
inline constexpr uint32_t data_version = 1;
inline constexpr uint16_t meta_page_flag = 0x08;
inline constexpr uint16_t integer_keys_flag = 0x08;   // of the free list
inline constexpr uint16_t single_file_flag = 0x4000;  // MDB_NOSUBDIR, noted beside it
inline constexpr uint16_t depth_max = 32;
inline constexpr size_t no_page = ~size_t{0};

struct PageHead {
  size_t page_number;
  uint16_t pad;
  uint16_t flags;
  uint32_t lower_upper;
};

struct Tree {
  uint32_t pad;  // of the free list: the page size
  uint16_t flags;
  uint16_t depth;
  size_t branch_pages;
  size_t leaf_pages;
  size_t overflow_pages;
  size_t entries;
  size_t root;
};

struct Meta {
  uint32_t magic;
  uint32_t version;
  void* address;
  size_t map_size;
  Tree trees[2];  // the free list, then the unnamed tree
  size_t last_page;
  size_t transaction;
};

struct MetaPage {
  PageHead head;
  Meta meta;
};

static_assert(sizeof(PageHead) == 8 + sizeof(size_t));
// One sector: a write of it that is cut short by the power leaves the old meta or the new one.
static_assert(sizeof(MetaPage) <= 512);

}  // namespace layout

}  // namespace limpet::store
