#pragma once

// File systems of a test's own: a small one in memory, and an ext4 that can be stopped as a power
// cut stops it. They need root and, for ext4, a loop device and mkfs.ext4; elsewhere they say why
// not.
// Owner: a test. Thread: one. What was mounted goes with the object.

#include <cstdint>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace limpet::testing {

class MemoryDisk {
 public:
  explicit MemoryDisk(uint64_t bytes);
  ~MemoryDisk();
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  [[nodiscard]] bool mounted() const { return why_not_.empty(); }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] bool resize(uint64_t bytes) const;
  // Writes a file until nothing more fits.
  void fill(const std::string& name) const;

 private:
  TemporaryDirectory directory_;
  std::string why_not_;
};

class LoopDisk {
 public:
  explicit LoopDisk(uint64_t bytes);
  ~LoopDisk();
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::string file(const std::string& name) const;
  void flush() const;
  // From now on nothing reaches the disk: not the journal's memory, not the page cache. false: the
  // file system cannot do that.
  [[nodiscard]] bool cut_power() const;
  // Unmounts what was cut, and mounts it again, which replays its journal. REQUIRES: nobody has a
  // file of it open.
  [[nodiscard]] bool start_again();

 private:
  [[nodiscard]] bool mount_it();
  void unmount();

  TemporaryDirectory directory_;  // outside of the disk: the image and the mount point
  bool mounted_ = false;
  std::string why_not_;
};

}  // namespace limpet::testing
