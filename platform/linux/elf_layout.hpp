#pragma once

// Where the fields of ELF structures stand, for both widths, and a view that reads them in either
// byte order. Of elf_note.cpp alone. A view answers zero beyond its end. [any, no-alloc]

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"

namespace limpet::platform {

inline constexpr size_t elf_header_size_max = 64;
inline constexpr uint64_t elf_type_shared_object = 3;
inline constexpr uint64_t elf_segment_note = 4;
inline constexpr uint64_t elf_section_note = 7;
inline constexpr uint64_t elf_section_versions_needed = 0x6ffffffe;

struct ElfRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct ElfTable {
  uint64_t offset = 0;
  uint64_t entry_size = 0;  // at most 65,535, as is count: their product cannot overflow
  uint64_t count = 0;
  [[nodiscard]] ElfRange range() const { return {offset, entry_size * count}; }
};

// Offsets of fields; a "word" is as wide as the file's class.
struct ElfHeaderLayout {
  uint64_t size, segments_offset, sections_offset;
  uint64_t segment_size, segment_count, section_size, section_count;
};
struct ElfSegmentLayout {
  uint64_t size, offset, file_size, alignment;
};
struct ElfSectionLayout {
  uint64_t size, offset, file_size, link, alignment;
};

inline const ElfHeaderLayout& header_layout(bool wide) {
  static constexpr ElfHeaderLayout narrow_layout{52, 28, 32, 42, 44, 46, 48};
  static constexpr ElfHeaderLayout wide_layout{64, 32, 40, 54, 56, 58, 60};
  return wide ? wide_layout : narrow_layout;
}
inline const ElfSegmentLayout& segment_layout(bool wide) {
  static constexpr ElfSegmentLayout narrow_layout{32, 4, 16, 28};
  static constexpr ElfSegmentLayout wide_layout{56, 8, 32, 48};
  return wide ? wide_layout : narrow_layout;
}
inline const ElfSectionLayout& section_layout(bool wide) {
  static constexpr ElfSectionLayout narrow_layout{40, 16, 20, 24, 32};
  static constexpr ElfSectionLayout wide_layout{64, 24, 32, 40, 48};
  return wide ? wide_layout : narrow_layout;
}

class ElfView {
 public:
  ElfView(ByteSpan bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] bool holds(uint64_t at, uint64_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }
  [[nodiscard]] uint16_t u16(uint64_t at) const { return static_cast<uint16_t>(number(at, 2)); }
  [[nodiscard]] uint32_t u32(uint64_t at) const { return static_cast<uint32_t>(number(at, 4)); }
  [[nodiscard]] uint64_t word(uint64_t at, bool wide) const { return number(at, wide ? 8 : 4); }
  // REQUIRES: holds(at, size).
  [[nodiscard]] std::string_view text(uint64_t at, uint64_t size) const {
    return as_text(bytes_.subspan(static_cast<size_t>(at), static_cast<size_t>(size)));
  }
  // Up to the NUL; empty when there is none.
  [[nodiscard]] std::string_view terminated_text(uint64_t at) const {
    if (!holds(at, 1)) return {};
    const std::string_view rest = text(at, bytes_.size() - at);
    const size_t end = rest.find('\0');
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
  }

 private:
  [[nodiscard]] uint64_t number(uint64_t at, unsigned size) const {
    if (!holds(at, size)) return 0;
    uint64_t value = 0;
    for (unsigned index = 0; index < size; ++index) {
      const unsigned place = big_endian_ ? index : size - 1 - index;
      value = value << 8 | bytes_[static_cast<size_t>(at) + place];
    }
    return value;
  }

  ByteSpan bytes_;
  bool big_endian_;
};

}  // namespace limpet::platform
