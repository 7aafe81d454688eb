#pragma once

// Copies of a store: a backup of one that is open or stopped, and the compaction of a stopped one.
// Both write only the pages that are in use, so a copy is as large as what is in it.
//
// A backup is a directory like any store's: to restore it, open it, or put its files in the place
// of the lost ones. Its marker says that a new epoch is due: what the original did after the backup
// and what the copy will do have the same sequences.
// Fails with: exists (the target holds a store), full, io, corrupt (the source's pages do not add
// up). Nothing of the source is changed by a failure. [any, blocking]
// Limits: one read transaction for the whole copy: meanwhile no page is used again, so a busy store
// grows by what is written during that time.

#include <cstdint>
#include <string>

#include "base/result.hpp"

struct MDB_env;

namespace limpet::store {

struct CopyReport {
  uint64_t bytes_before = 0;  // of the source's file
  uint64_t bytes = 0;         // of the copy
};

struct BackupSource {
  MDB_env* environment;    // open; stays so until this returns
  std::string directory;   // its own
  std::string machine_id;  // for the copy's marker; empty: unknown
};
// Makes `directory` if it is missing; what is in it already stays.
[[nodiscard]] Result<CopyReport> backup(const BackupSource& source, const std::string& directory);

// Replaces the file of a stopped store by one without free pages, in one step: after a power cut
// there is the old one or the new. The next opening takes room for its max_bytes again, which may
// now be less. Errors beside those above: busy (a daemon uses it), not_found.
// Needs room for the copy beside the original.
[[nodiscard]] Result<CopyReport> compact(const std::string& directory);

// What a copy that was killed has left in `directory`. REQUIRES: the directory's lock.
void remove_unfinished_copy(const std::string& directory);

}  // namespace limpet::store
