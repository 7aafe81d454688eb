#include "store/stopped_store.hpp"

#include <lmdb.h>

#include <algorithm>

#include "store/meta_pages.hpp"

namespace limpet::store {

namespace {

constexpr unsigned open_flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK;

Result<void> check_meta_pages(const std::string& file) {
  LIMPET_TRY(const MetaPages pages, read_meta_pages(file));
  if (pages.both()) return {};
  if (pages.none()) return Error{ErrorCode::corrupt, both_meta_pages_bad};
  return Error{ErrorCode::corrupt,
               "store: one of the two meta pages is damaged; the daemon's next start repairs it"};
}

Result<EnvironmentHandle> open_to_read(const std::string& file) {
  LIMPET_TRY(const uint64_t file_bytes, platform::file_size(file));
  if (file_bytes > SIZE_MAX / 2) {
    return Error{ErrorCode::unsupported, "store: the file is larger than this machine's addresses"};
  }
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw)) return lmdb_error(code, "store: create environment");
  EnvironmentHandle handle(raw);
  if (const int code = mdb_env_set_mapsize(raw, static_cast<size_t>(file_bytes))) {
    return lmdb_error(code, "store: set map size");
  }
  if (const int code = mdb_env_open(raw, file.c_str(), open_flags, 0)) {
    return lmdb_error(code, "store: open to read");
  }
  int descriptor = -1;
  mdb_env_get_fd(raw, &descriptor);
  LIMPET_CHECK(platform::set_close_on_exec(descriptor));
  return handle;
}

}  // namespace

std::string StoppedStore::file() const { return store_file(directory_); }

Result<StoppedStore> StoppedStore::open(const std::string& directory, Lock lock) {
  StoppedStore store;
  store.directory_ = directory;
  if (!platform::file_exists(store.file())) {
    return Error{ErrorCode::not_found, "store: there is no store in this directory"};
  }
  if (lock == Lock::take) {
    Result<platform::OwnedDescriptor> taken = platform::lock_directory(directory);
    if (!taken.ok() && taken.error().code == ErrorCode::busy) {
      return Error{ErrorCode::busy, "store: a daemon uses it"};
    }
    LIMPET_TRY(store.lock_, std::move(taken));
  }
  LIMPET_TRY(const std::optional<Marker> marker, read_marker(directory));
  store.marker_ = marker.value_or(Marker{});
  LIMPET_CHECK(check_meta_pages(store.file()));
  LIMPET_TRY(store.handle_, open_to_read(store.file()));
  LIMPET_TRY(store.content_, read_content(store.handle_.get()));
  store.reader_ = std::make_unique<Reader>(store.handle_.get(), store.content_.tree);
  return store;
}

}  // namespace limpet::store
