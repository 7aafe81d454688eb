#include "disk.hpp"

#include <sys/statvfs.h>

namespace limpet::sysinfo {
namespace {

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::optional<DiskUsage> disk_usage(const std::string& path) {
  struct statvfs info = {};
  if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
  const uint64_t block = info.f_frsize;
  const uint64_t used = info.f_blocks - info.f_bfree;
  const uint64_t inodes = info.f_files;
  return DiskUsage{.total_bytes = info.f_blocks * block,
                   .used_bytes = used * block,
                   .available_bytes = info.f_bavail * block,
                   .used_percent = percent(used, used + info.f_bavail),
                   .inodes_used_percent = percent(inodes - info.f_ffree, inodes)};
}

}  // namespace limpet::sysinfo
