#include "store/seed_file.hpp"

#include <cstring>

#include "store/lmdb_layout.hpp"

namespace limpet::store {

ByteVector make_seed_file() {
  ByteVector file(size_t{2} * store_page_bytes, 0);
  for (size_t number = 0; number < 2; ++number) {
    layout::MetaPage page{};
    page.head.page_number = number;
    page.head.flags = layout::meta_page_flag;
    page.meta.magic = layout::meta_magic;
    page.meta.version = layout::data_version;
    page.meta.map_size = size_t{2} * store_page_bytes;
    page.meta.trees[0].pad = store_page_bytes;
    page.meta.trees[0].flags = layout::integer_keys_flag | layout::single_file_flag;
    page.meta.trees[0].root = layout::no_page;
    page.meta.trees[1].root = layout::no_page;
    page.meta.last_page = 1;
    std::memcpy(file.data() + number * store_page_bytes, &page, sizeof page);
  }
  return file;
}

}  // namespace limpet::store
