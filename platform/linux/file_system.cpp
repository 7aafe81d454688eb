#include "platform/file_system.hpp"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

namespace limpet::platform {

namespace {

// Not in every kernel's header.
constexpr uint32_t cifs_magic = 0xFF534D42;
constexpr uint32_t smb2_magic = 0xFE534D42;
constexpr uint32_t bcachefs_magic = 0xCA451A4E;
constexpr uint32_t zfs_magic = 0x2FC12FC1;
constexpr uint32_t ceph_magic = 0x00C36400;
constexpr uint32_t plan9_magic = 0x01021997;

}  // namespace

FileSystemKind file_system_kind(uint32_t type) {
  switch (type) {
    case NFS_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case CODA_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case cifs_magic:
    case smb2_magic:
    case ceph_magic:
    case plan9_magic: return FileSystemKind::network;
    case BTRFS_SUPER_MAGIC:
    case bcachefs_magic:
    case zfs_magic: return FileSystemKind::copy_on_write;
    case TMPFS_MAGIC:
    case RAMFS_MAGIC: return FileSystemKind::memory;
    default: return FileSystemKind::usual;
  }
}

Result<FileSystemFacts> file_system_facts(const std::string& path) {
  struct statfs type {};
  struct statvfs status {};
  if (statfs(path.c_str(), &type) != 0 || statvfs(path.c_str(), &status) != 0) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    return Error{code, "file system: ask for its room", errno};
  }
  FileSystemFacts facts;
  // The field's width and sign differ by machine; the numbers have 32 bits.
  facts.kind = file_system_kind(static_cast<uint32_t>(type.f_type));
  facts.free_bytes = uint64_t{status.f_bavail} * uint64_t{status.f_frsize};
  facts.read_only = (status.f_flag & ST_RDONLY) != 0;
  return facts;
}

}  // namespace limpet::platform
