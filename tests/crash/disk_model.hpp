#pragma once

// What a disk may hold when the power fails: a recorded trace played on a model of the worst file
// system that keeps its promises. What was synced is there; of what was not, each page, each change
// of size and each name may be there or not, in any combination. Owner: a test. Thread: one.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "tests/crash/recorder/format.hpp"

namespace limpet::testing {

inline constexpr size_t disk_page_bytes = 4096;
inline constexpr size_t disk_sector_bytes = 512;

// One file, sparse behind its last written byte.
struct FileContent {
  ByteVector bytes;
  uint64_t size = 0;
};
// The files of one directory, by name.
using DiskImage = std::map<std::string, FileContent, std::less<>>;

[[nodiscard]] DiskImage read_image(const std::string& directory);
// Replaces what is in the directory.
void write_image(const DiskImage& image, const std::string& directory);

struct TraceRecord {
  RecordHead head;
  std::string_view data;
};
class Trace {
 public:
  // REQUIRES: a whole trace. `path` may be missing: an empty trace.
  explicit Trace(const std::string& path);
  [[nodiscard]] const std::vector<TraceRecord>& records() const { return records_; }

 private:
  std::string bytes_;
  std::vector<TraceRecord> records_;
};

// The smallest thing that is on disk or not.
struct DiskUnit {
  enum class Kind { data, size, name };
  Kind kind = Kind::data;
  uint32_t inode = 0;
  uint64_t offset = 0;  // of data; of a size: the size itself
  ByteVector bytes;     // within one page
  std::string name;     // which now names `inode`; 0: nothing
};

class DiskModel {
 public:
  // `directory` as the trace names it, with what is durable in it at the beginning.
  DiskModel(std::string directory, const DiskImage& base);

  // Plays one record in two steps: what it does in memory, then what it puts on the disk. Between
  // them everything it syncs is on its way: the instant at which a cut can do the most.
  // begin() answers false for a record that the model does not know.
  [[nodiscard]] bool begin(const TraceRecord& record);
  void finish(const TraceRecord& record);
  [[nodiscard]] static bool syncs(const TraceRecord& record);

  // Of each unit of a failed sync: did it reach the disk all the same? Without this none does. The
  // kernel takes all of them for written and never tries again. Names lie together: those that were
  // lost go along when the directory is written the next time.
  void on_failed_sync(std::function<bool()> arrives) { arrives_ = std::move(arrives); }

  // What is not synced, in the order in which it was done.
  [[nodiscard]] const std::vector<DiskUnit>& pending() const { return pending_; }

  // What is durable, and on top of it those of `units` that `chosen` picks.
  [[nodiscard]] DiskImage image(const std::vector<DiskUnit>& units,
                                const std::vector<bool>& chosen) const;
  // The durable bytes that a unit of data replaces; shorter where there were none.
  [[nodiscard]] ByteVector below(const DiskUnit& unit) const;
  // Is it a part of LMDB's meta pages?
  [[nodiscard]] bool is_meta(const DiskUnit& unit) const;

 private:
  struct Disk {
    std::map<uint32_t, FileContent> files;
    std::map<std::string, uint32_t, std::less<>> names;
  };

  static void put(Disk& disk, const DiskUnit& unit);
  [[nodiscard]] std::string name_of(std::string_view path) const;
  void open(const RecordHead& head, std::string_view path);
  void give_name(const std::string& name, uint32_t inode);
  void write(const RecordHead& head, std::string_view data);
  void rename(std::string_view from, std::string_view to);
  void resize(const RecordHead& head);
  // Takes the pending units that `belongs` picks and puts them down, or forgets them.
  void settle(const std::function<bool(const DiskUnit&)>& belongs, bool failed);

  const std::string directory_;
  Disk durable_;
  std::map<std::string, uint32_t, std::less<>> names_now_;
  std::map<uint32_t, uint64_t> sizes_now_;
  std::map<uint32_t, uint32_t> inode_of_handle_;  // 0: the directory
  uint32_t inodes_ = 0;
  std::vector<DiskUnit> pending_;
  size_t begun_at_ = 0;  // the first pending unit of the record that was begun last
  std::vector<DiskUnit> lost_names_;
  std::function<bool()> arrives_;
};

}  // namespace limpet::testing
