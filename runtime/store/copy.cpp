#include "store/copy.hpp"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include <cstdio>

#include "platform/files.hpp"
#include "store/environment.hpp"
#include "store/marker.hpp"
#include "store/meta_pages.hpp"
#include "store/stopped_store.hpp"

namespace limpet::store {

namespace {

constexpr const char* copy_suffix = ".copy";
constexpr mode_t file_mode = 0640;

Error system_error(const char* where) {
  return Error{errno == ENOSPC ? ErrorCode::full : ErrorCode::io, where, errno};
}

// A copy that is not whole is never left behind.
class Unfinished {
 public:
  explicit Unfinished(std::string file) : file_(std::move(file)) {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    if (!file_.empty()) unlink(file_.c_str());
  }
  void keep() { file_.clear(); }

 private:
  std::string file_;
};

// LMDB leaves the copy's other meta page at an empty store, to which the loss of one page would
// then lead. Both say the same here.
Result<void> mirror_meta_page(const std::string& file) {
  LIMPET_TRY(const MetaPages pages, read_meta_pages(file));
  if (!pages.both()) return Error{ErrorCode::corrupt, "store: the copy's meta pages"};
  MetaPages one;
  one.newest = pages.newest;
  one.good[pages.newest] = true;
  return repair_meta_page(file, one);
}

// The pages in use, in a new file, on the device when this returns.
Result<void> copy_pages(MDB_env* environment, const std::string& file) {
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
  const platform::OwnedDescriptor to(open(file.c_str(), flags, file_mode));
  if (!to) return system_error("store: create the copy");
  const int code = mdb_env_copyfd2(environment, to.get(), MDB_CP_COMPACT);
  if (code == MDB_INCOMPATIBLE) {
    return Error{ErrorCode::corrupt, "store: its pages do not add up; verify it"};
  }
  if (code != 0) return lmdb_error(code, "store: copy pages");
  if (fsync(to.get()) != 0) return system_error("store: sync the copy");
  return mirror_meta_page(file);
}

Result<void> move_into_place(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return system_error("store: rename the copy");
  return platform::sync_parent_directory(to);
}

}  // namespace

Result<CopyReport> backup(const BackupSource& source, const std::string& directory) {
  LIMPET_CHECK(platform::make_directories(directory));
  LIMPET_TRY(const platform::OwnedDescriptor lock, platform::lock_directory(directory));
  const std::string file = store_file(directory);
  LIMPET_TRY(const std::optional<Marker> marker, read_marker(directory));
  // A marker alone that says so is what an earlier backup left that was cut short.
  if (platform::file_exists(file) || (marker && !marker->epoch_due)) {
    return Error{ErrorCode::exists, "store: the target holds a store already"};
  }
  const std::string copy = file + copy_suffix;
  Unfinished unfinished(copy);
  LIMPET_CHECK(copy_pages(source.environment, copy));
  CopyReport report;
  LIMPET_TRY(report.bytes, platform::file_size(copy));
  LIMPET_TRY(report.bytes_before, platform::file_size(store_file(source.directory)));
  // The marker first: a copy without it would go on under the epoch of the original.
  LIMPET_CHECK(write_marker(directory, {source.machine_id, true}));
  LIMPET_CHECK(move_into_place(copy, file));
  unfinished.keep();
  return report;
}

Result<CopyReport> compact(const std::string& directory) {
  LIMPET_TRY(const StoppedStore store, StoppedStore::open(directory, StoppedStore::Lock::take));
  const std::string copy = store.file() + copy_suffix;
  Unfinished unfinished(copy);
  LIMPET_CHECK(copy_pages(store.environment(), copy));
  CopyReport report;
  LIMPET_TRY(report.bytes, platform::file_size(copy));
  LIMPET_TRY(report.bytes_before, platform::file_size(store.file()));
  LIMPET_CHECK(move_into_place(copy, store.file()));
  unfinished.keep();
  return report;
}

void remove_unfinished_copy(const std::string& directory) {
  unlink((store_file(directory) + copy_suffix).c_str());
}

}  // namespace limpet::store
