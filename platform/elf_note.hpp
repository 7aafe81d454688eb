#pragma once

// What an ELF file says about itself, read without running any of it: machine, a note, and the
// symbol versions it needs. Thread: [any, blocking]. Input is hostile until proven otherwise: every
// offset and count is checked, what is read is bounded, nothing is trusted twice.
// Fails with: not_found, io (with errno), unsupported (not an ELF file), corrupt (offsets or counts
// that the file cannot hold). A file without the note is not an error.
// Limits: 128 program headers, 8,192 section headers, 1 MiB of notes, 256 needed versions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace limpet::platform {

struct ElfTarget {
  uint16_t machine = 0;  // e_machine: 62 is x86-64, 183 AArch64, 40 ARM
  uint8_t bits = 0;      // 32 or 64
  bool big_endian = false;
  friend bool operator==(const ElfTarget&, const ElfTarget&) = default;
};

struct ElfInfo {
  ElfTarget target;
  bool shared_object = false;       // ET_DYN; else an object file, a core, ...
  std::optional<std::string> note;  // the wanted note's descriptor
  std::vector<std::string>
      needs;  // "GLIBC_2.34", "GLIBCXX_3.4.30"; empty when sections were stripped
};

struct ElfNoteName {
  std::string_view name;  // "Limpet"
  uint32_t type;
};

// Bytes at an offset: a file, or a test's memory.
class ElfBytes {
 public:
  virtual ~ElfBytes() = default;
  // Fills all of `out` from `offset`; false when the file ends before, or cannot be read.
  [[nodiscard]] virtual bool read(uint64_t offset, std::span<uint8_t> out) = 0;
};

[[nodiscard]] Result<ElfInfo> read_elf(ElfBytes& bytes, ElfNoteName wanted);
[[nodiscard]] Result<ElfInfo> read_elf_file(const std::string& path, ElfNoteName wanted);

// What this program was built for. [any, no-alloc]
[[nodiscard]] ElfTarget this_target();

// "64-bit x86", "ARM", "AArch64 (big-endian)", "machine 243 (64-bit)": for sentences to people.
// [any]
[[nodiscard]] std::string to_string(ElfTarget target);

// Of the versions "<family>_x.y[.z]" the newest as text "x.y.z"; empty: none of this family. [any]
[[nodiscard]] std::string newest_version(const std::vector<std::string>& versions,
                                         std::string_view family);

// Is dotted number `a` older than `b`? "2.9" is older than "2.34". [any, no-alloc]
[[nodiscard]] bool version_older(std::string_view a, std::string_view b);

// The version of the C library in this process, "2.36"; empty where it is not glibc. [any]
[[nodiscard]] std::string c_library_version();

}  // namespace limpet::platform
