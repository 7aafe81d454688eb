#include "store/meta_pages.hpp"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "base/check.hpp"
#include "platform/files.hpp"

namespace limpet::store {

namespace {

using layout::MetaPage;

constexpr size_t head_bytes = size_t{2} * store_page_bytes;

Error system_error(const char* where) { return Error{ErrorCode::io, where, errno}; }

MetaPage meta_page_in(ByteSpan head, size_t page) {
  MetaPage result;
  std::memcpy(&result, head.data() + page * store_page_bytes, sizeof result);
  return result;
}

// A tree is empty and has no root, or has one among the pages that are in use.
bool is_tree(const layout::Tree& tree, size_t last_page) {
  if (tree.root == layout::no_page) return tree.depth == 0 && tree.entries == 0;
  const size_t pages_max = last_page + 1;
  return tree.root >= 2 && tree.root <= last_page && tree.depth >= 1 &&
         tree.depth <= layout::depth_max && tree.entries > 0 && tree.leaf_pages > 0 &&
         tree.branch_pages <= pages_max && tree.leaf_pages <= pages_max &&
         tree.overflow_pages <= pages_max;
}

bool is_meta_page(const MetaPage& page, size_t number) {
  const layout::Meta& meta = page.meta;
  return page.head.page_number == number && (page.head.flags & layout::meta_page_flag) != 0 &&
         meta.magic == layout::meta_magic && meta.version == layout::data_version &&
         meta.trees[0].pad == store_page_bytes &&
         (meta.trees[0].flags & layout::integer_keys_flag) != 0 && meta.last_page >= 1 &&
         meta.last_page < layout::no_page / store_page_bytes &&
         meta.map_size / store_page_bytes > meta.last_page &&
         is_tree(meta.trees[0], meta.last_page) && is_tree(meta.trees[1], meta.last_page);
}

Result<ByteVector> read_head(int descriptor) {
  ByteVector head(head_bytes);
  const ssize_t count = pread(descriptor, head.data(), head.size(), 0);
  if (count < 0) return system_error("store: read meta pages");
  head.resize(static_cast<size_t>(count));
  return head;
}

Result<void> write_page(int descriptor, ByteSpan bytes, size_t page) {
  const auto offset = static_cast<off_t>(page * store_page_bytes);
  const ssize_t written = pwrite(descriptor, bytes.data(), bytes.size(), offset);
  if (written != static_cast<ssize_t>(bytes.size())) return system_error("store: write meta page");
  if (fdatasync(descriptor) != 0) return system_error("store: sync meta page");
  return {};
}

}  // namespace

MetaPages judge_meta_pages(ByteSpan head) {
  MetaPages pages;
  if (head.size() < head_bytes) return pages;
  const MetaPage first = meta_page_in(head, 0);
  const MetaPage second = meta_page_in(head, 1);
  pages.good[0] = is_meta_page(first, 0);
  pages.good[1] = is_meta_page(second, 1);
  if (!pages.both()) {
    pages.newest = pages.good[1] ? 1 : 0;
  } else {
    pages.newest = second.meta.transaction > first.meta.transaction ? 1 : 0;
  }
  return pages;
}

Result<MetaPages> read_meta_pages(const std::string& file) {
  const platform::OwnedDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor) return system_error("store: open file");
  LIMPET_TRY(const ByteVector head, read_head(descriptor.get()));
  return judge_meta_pages(head);
}

Result<void> repair_meta_page(const std::string& file, const MetaPages& pages) {
  LIMPET_ASSERT(!pages.both() && !pages.none());
  const platform::OwnedDescriptor descriptor(open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!descriptor) return system_error("store: open file");
  LIMPET_TRY(const ByteVector head, read_head(descriptor.get()));
  const size_t bad = 1 - pages.newest;
  // Same transaction in both: LMDB takes either, and its next commit tells them apart again.
  MetaPage page = meta_page_in(head, pages.newest);
  page.head.page_number = bad;
  ByteVector bytes(store_page_bytes, 0);
  std::memcpy(bytes.data(), &page, sizeof page);
  return write_page(descriptor.get(), bytes, bad);
}

Result<void> confirm_newest_meta(const std::string& file) {
  const platform::OwnedDescriptor descriptor(open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!descriptor) return system_error("store: open file");
  LIMPET_TRY(const ByteVector head, read_head(descriptor.get()));
  const MetaPages pages = judge_meta_pages(head);
  if (pages.none()) return Error{ErrorCode::corrupt, "store: no readable meta page"};
  const ByteSpan newest = ByteSpan(head).subspan(pages.newest * store_page_bytes, store_page_bytes);
  return write_page(descriptor.get(), newest, pages.newest);
}

}  // namespace limpet::store
