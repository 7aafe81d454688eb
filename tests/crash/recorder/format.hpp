#pragma once

// The trace that the recorder writes and tests read: records one after another, each followed by
// `size` bytes. Same machine, same build: integers as they lie in memory.

#include <cstdint>

namespace limpet::testing {

enum class RecordKind : uint32_t {
  open = 1,    // offset: flags of open(2); data: the path
  write,       // offset; data: what was written
  resize,      // offset: the new size (ftruncate)
  allocate,    // offset: the end of what was allocated
  sync,        // fsync or fdatasync of that handle
  rename,      // data: from, a zero byte, to
  remove,      // data: the path
  marker,      // handle: MarkerKind; offset: a number of the workload's
  refused,     // a call that was made to fail and did nothing; offset: its number
  unmodelled,  // something that the disk model does not know; data: its name
};

enum class MarkerKind : uint32_t { submitted = 1, acknowledged = 2, started = 3, failed = 4 };

inline constexpr uint32_t record_synchronous = 1;  // the descriptor is O_DSYNC: on disk at once
inline constexpr uint32_t record_failed = 2;       // done in memory, then reported as failed

struct RecordHead {
  RecordKind kind;
  uint32_t handle;  // one for each open(), from 1
  uint32_t flags;
  uint32_t size;
  int64_t offset;
};

// Where the recorder looks: which directory, where the trace goes, and which call to fail:
// "number:errno:once", "number:errno:ever" (that call and all after it), "number:errno:half" (the
// write is short). "0:errno:allocate" refuses only fallocate.
inline constexpr const char* directory_variable = "LIMPET_RECORD_DIRECTORY";
inline constexpr const char* trace_variable = "LIMPET_RECORD_TRACE";
inline constexpr const char* failure_variable = "LIMPET_RECORD_FAILURE";
inline constexpr const char* marker_function = "limpet_record_marker";

}  // namespace limpet::testing
