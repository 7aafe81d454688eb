#pragma once
#include <cstdint>
#include <optional>
#include <string>

// How full a file system is. Thread: [any]; blocks when the file system does (a dead NFS server).
namespace limpet::sysinfo {

struct DiskUsage {
  uint64_t total_bytes, used_bytes, available_bytes;  // available: to those who are not root
  double used_percent;                                // as df counts: used / (used + available)
  double inodes_used_percent;                         // 0 where inodes are not limited
};

// What statvfs() says of the file system that holds `path`, or nothing.
std::optional<DiskUsage> disk_usage(const std::string& path);

}  // namespace limpet::sysinfo
