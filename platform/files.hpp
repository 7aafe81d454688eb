#pragma once

// Files, as far as durability needs them: what these functions report done is on the device.
// Owner of a descriptor: OwnedDescriptor. Thread: [any, blocking]. Fails with: io (with errno),
// not_found, too_large, busy (locked by another process). Every descriptor is close-on-exec.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace limpet::platform {

class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~OwnedDescriptor();

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// Makes `path` and its missing parents, mode 0750; existing ones are left as they are.
[[nodiscard]] Result<void> make_directories(const std::string& path);

// Opens the directory and takes an exclusive lock on it, held until the descriptor is closed.
// busy: another process holds it.
[[nodiscard]] Result<OwnedDescriptor> lock_directory(const std::string& path);

// The whole file. not_found: there is none. too_large: more than `bytes_max`.
[[nodiscard]] Result<std::string> read_file(const std::string& path, size_t bytes_max);

// Replaces `path` by `content`: after a power cut it holds the old bytes or the new, never a
// mixture.
[[nodiscard]] Result<void> replace_file(const std::string& path, ByteSpan content);

// Makes what was done to the name `path` (made, renamed) outlive a power cut.
[[nodiscard]] Result<void> sync_parent_directory(const std::string& path);

[[nodiscard]] bool file_exists(const std::string& path);
[[nodiscard]] Result<uint64_t> file_size(const std::string& path);

// Reserves disk space so that later writes inside [0, bytes) cannot meet a full disk.
// unsupported: the file system cannot; go on without.
[[nodiscard]] Result<void> preallocate(const std::string& path, uint64_t bytes);

// Makes the descriptor close itself on exec, for libraries that forget to.
[[nodiscard]] Result<void> set_close_on_exec(int descriptor);

}  // namespace limpet::platform
