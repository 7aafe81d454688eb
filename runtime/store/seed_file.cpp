#include "store/seed_file.hpp"

#include <cstring>

namespace limpet::store {

namespace {

constexpr uint32_t meta_magic = 0xBEEFC0DE;
constexpr uint32_t data_version = 1;
constexpr uint16_t meta_page_flag = 0x08;
// Of the free list: its keys are integers (transaction ids); beside it LMDB notes how the file was
// opened (MDB_NOSUBDIR).
constexpr uint16_t free_list_flags = 0x4008;
constexpr size_t no_page = ~size_t{0};

// The structures as LMDB lays them out on this machine.
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
static_assert(sizeof(MetaPage) < store_page_bytes);

MetaPage read_meta_page(ByteSpan head, size_t page) {
  MetaPage result;
  std::memcpy(&result, head.data() + page * store_page_bytes, sizeof result);
  return result;
}

bool is_meta_page(const MetaPage& page) {
  return page.meta.magic == meta_magic && page.meta.version == data_version &&
         (page.head.flags & meta_page_flag) != 0 && page.meta.trees[0].pad == store_page_bytes;
}

}  // namespace

ByteVector make_seed_file() {
  ByteVector file(size_t{2} * store_page_bytes, 0);
  for (size_t number = 0; number < 2; ++number) {
    MetaPage page{};
    page.head.page_number = number;
    page.head.flags = meta_page_flag;
    page.meta.magic = meta_magic;
    page.meta.version = data_version;
    page.meta.map_size = size_t{2} * store_page_bytes;
    page.meta.trees[0].pad = store_page_bytes;
    page.meta.trees[0].flags = free_list_flags;
    page.meta.trees[0].root = no_page;
    page.meta.trees[1].root = no_page;
    page.meta.last_page = 1;
    std::memcpy(file.data() + number * store_page_bytes, &page, sizeof page);
  }
  return file;
}

std::optional<size_t> find_newest_meta(ByteSpan head) {
  if (head.size() < size_t{2} * store_page_bytes) return std::nullopt;
  const MetaPage first = read_meta_page(head, 0);
  const MetaPage second = read_meta_page(head, 1);
  if (!is_meta_page(first) && !is_meta_page(second)) return std::nullopt;
  if (!is_meta_page(first)) return 1;
  if (!is_meta_page(second)) return 0;
  return second.meta.transaction > first.meta.transaction ? 1 : 0;
}

}  // namespace limpet::store
