#pragma once

// What a directory lies on, as far as a store must know: how much room there is, and whether it is
// a place where a store may live. [any, blocking]
// Fails with: io, not_found.

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace limpet::platform {

enum class FileSystemKind : uint8_t {
  usual,
  network,        // memory maps and locks are not what they are at home
  copy_on_write,  // a file of fixed size still needs room for each write
  memory,         // gone after a reboot
};

struct FileSystemFacts {
  FileSystemKind kind = FileSystemKind::usual;
  uint64_t free_bytes = 0;  // for this user
  bool read_only = false;
};

[[nodiscard]] Result<FileSystemFacts> file_system_facts(const std::string& path);

// The kind by the number that statfs answers. [no-alloc]
[[nodiscard]] FileSystemKind file_system_kind(uint32_t type);

}  // namespace limpet::platform
