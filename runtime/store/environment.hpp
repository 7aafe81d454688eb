#pragma once

// Environment: the LMDB file and the directory it lives in, opened by the rules that LMDB leaves to
// its users. Owner: Store. Thread: opened and closed on [main]; the handle is used by the writer
// and by readers. Fails with: busy (another process), io, full (no room to preallocate), corrupt,
// unsupported, invalid (limits that contradict the file).
//
// The rules: one lock on the directory; a marker file, so that a missing mount is not mistaken for
// a new store; 4 KiB pages on every kernel; room on the disk taken at once, so that a commit cannot
// meet a full disk; both descriptors close on exec; the newest meta page written again and synced
// before it is trusted, because a failed sync may have left it in memory only. What happens to a
// file that is damaged is in rescue.hpp.

#include <cstdint>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"
#include "platform/files.hpp"
#include "store/hot_record.hpp"
#include "store/rescue.hpp"
#include "store/starts.hpp"

struct MDB_env;

namespace limpet::store {

struct OpenOptions {
  std::string directory;
  uint64_t max_bytes = uint64_t{64} << 20;  // what events and tasks may fill
  bool create = true;      // false: refuse a directory without a marker file (a missing mount)
  std::string machine_id;  // empty: unknown; when it changes, a new epoch begins
  Epoch new_epoch{1};      // drawn at random by the caller; used when a new one begins
  uint32_t boot = 0;       // which boot of the machine this is; 0: unknown
};

// When an opening begins, for the record of starts.
struct OpenMoment {
  uint64_t boot_ms = 0;
  uint64_t wall_ms = 0;  // 0: the clock has not been set
};

// A commit must go through although the store is full: that much is kept apart from max_bytes.
[[nodiscard]] uint64_t reserve_bytes(uint64_t max_bytes);

struct EnvironmentDeleter {
  void operator()(MDB_env* environment) const;
};
using EnvironmentHandle = std::unique_ptr<MDB_env, EnvironmentDeleter>;

// The hot record, if the file has one.
struct Content {
  bool found = false;  // tells a file with content from a new one
  HotRecord hot;
  unsigned tree = 0;  // LMDB's number of the unnamed tree
};
[[nodiscard]] Result<Content> read_content(MDB_env* environment);

struct Environment {
  platform::OwnedDescriptor lock;  // declared first: let go last
  EnvironmentHandle handle;
  unsigned tree = 0;  // LMDB's number of the unnamed tree
  HotRecord hot;      // as found, or new; not yet written for this opening
  bool created = false;
  bool epoch_changed = false;
  // The marker must be written once the hot record is on disk: in the other order a crash between
  // the two would forget that a new epoch is due.
  bool marker_due = false;
  Repairs repairs;
  Starts starts;
};

[[nodiscard]] std::string store_file(const std::string& directory);

// [main, blocking]
[[nodiscard]] Result<Environment> open_environment(const OpenOptions& options,
                                                   const OpenMoment& moment, Logger& logger);

// What an LMDB return code means to us. REQUIRES: code != 0. [any]
[[nodiscard]] Error lmdb_error(int code, const char* where);

}  // namespace limpet::store
