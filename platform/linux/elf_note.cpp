#include "platform/elf_note.hpp"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "platform/files.hpp"
#include "platform/linux/elf_layout.hpp"

#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

namespace limpet::platform {

namespace {

constexpr uint32_t program_headers_max = 128;
constexpr uint32_t section_headers_max = 8192;
constexpr uint64_t note_bytes_max = 1024 * 1024;
constexpr uint64_t version_bytes_max = 256 * 1024;
constexpr uint64_t name_table_bytes_max = 4 * 1024 * 1024;
constexpr size_t versions_max = 256;

constexpr Error corrupt_file{ErrorCode::corrupt, "elf: damaged or truncated"};
constexpr Error not_elf{ErrorCode::unsupported, "elf: not an ELF file"};

Result<ByteVector> read_range(ElfBytes& bytes, ElfRange range, uint64_t bytes_max) {
  if (range.size > bytes_max) return corrupt_file;
  ByteVector content(static_cast<size_t>(range.size));
  if (!content.empty() && !bytes.read(range.offset, content)) return corrupt_file;
  return content;
}

// The descriptor of the wanted note among `notes`, if it is there. Damaged notes end the search.
std::optional<std::string> find_note(const ElfView& notes, uint64_t alignment, ElfNoteName wanted) {
  const uint64_t step = alignment == 8 ? 8 : 4;
  const auto padded = [step](uint64_t size) { return (size + step - 1) / step * step; };
  uint64_t at = 0;
  while (notes.holds(at, 12)) {
    const uint64_t name_size = notes.u32(at);
    const uint64_t text_size = notes.u32(at + 4);
    const uint64_t type = notes.u32(at + 8);
    const uint64_t name_at = at + 12;
    const uint64_t text_at = name_at + padded(name_size);
    if (!notes.holds(name_at, name_size) || !notes.holds(text_at, text_size)) return std::nullopt;
    std::string_view name = notes.text(name_at, name_size);
    if (!name.empty() && name.back() == '\0') name.remove_suffix(1);
    if (name == wanted.name && type == wanted.type) {
      return std::string(notes.text(text_at, text_size));
    }
    at = text_at + padded(text_size);
  }
  return std::nullopt;
}

// One file being read; its members are filled from top to bottom.
class Reader {
 public:
  Reader(ElfBytes& bytes, ElfNoteName wanted) : bytes_(bytes), wanted_(wanted) {}

  Result<ElfInfo> read() {
    LIMPET_CHECK(read_identity());
    LIMPET_CHECK(read_segments());
    LIMPET_CHECK(read_sections());
    return std::move(info_);
  }

 private:
  Result<void> read_identity();
  Result<void> read_segments();
  Result<void> read_sections();
  Result<void> read_section(const ElfView& table, uint64_t at);
  Result<void> read_note(ElfRange range, uint64_t alignment);
  Result<void> read_versions(ElfRange needed, ElfRange names);
  void read_version_names(const ElfView& needed, const ElfView& names);

  ElfView view(ByteSpan bytes) const { return ElfView(bytes, info_.target.big_endian); }
  bool wide() const { return info_.target.bits == 64; }

  ElfBytes& bytes_;
  ElfNoteName wanted_;
  ElfInfo info_;
  ElfTable segments_;
  ElfTable sections_;
};

Result<void> Reader::read_identity() {
  std::array<uint8_t, elf_header_size_max> buffer{};
  constexpr size_t identity_size = 16;
  if (!bytes_.read(0, std::span(buffer).first(identity_size))) return not_elf;
  if (std::memcmp(buffer.data(), "\177ELF", 4) != 0) return not_elf;
  const uint8_t width = buffer[4];
  const uint8_t order = buffer[5];
  if ((width != 1 && width != 2) || (order != 1 && order != 2)) return not_elf;
  info_.target.bits = width == 2 ? 64 : 32;
  info_.target.big_endian = order == 2;

  const ElfHeaderLayout& layout = header_layout(wide());
  const std::span<uint8_t> header_bytes = std::span(buffer).first(static_cast<size_t>(layout.size));
  if (!bytes_.read(0, header_bytes)) return corrupt_file;
  const ElfView header = view(header_bytes);
  info_.shared_object = header.u16(16) == elf_type_shared_object;
  info_.target.machine = header.u16(18);
  segments_ = {header.word(layout.segments_offset, wide()), header.u16(layout.segment_size),
               header.u16(layout.segment_count)};
  sections_ = {header.word(layout.sections_offset, wide()), header.u16(layout.section_size),
               header.u16(layout.section_count)};
  return {};
}

Result<void> Reader::read_segments() {
  const ElfSegmentLayout& layout = segment_layout(wide());
  if (segments_.count == 0) return {};
  if (segments_.count > program_headers_max || segments_.entry_size < layout.size) {
    return corrupt_file;
  }
  LIMPET_TRY(const ByteVector content, read_range(bytes_, segments_.range(), note_bytes_max));
  const ElfView table = view(content);
  for (uint64_t index = 0; index < segments_.count; ++index) {
    const uint64_t at = index * segments_.entry_size;
    if (table.u32(at) != elf_segment_note) continue;
    const ElfRange range{table.word(at + layout.offset, wide()),
                         table.word(at + layout.file_size, wide())};
    LIMPET_CHECK(read_note(range, table.word(at + layout.alignment, wide())));
  }
  return {};
}

Result<void> Reader::read_sections() {
  const ElfSectionLayout& layout = section_layout(wide());
  if (sections_.count == 0) return {};
  if (sections_.count > section_headers_max || sections_.entry_size < layout.size) {
    return corrupt_file;
  }
  LIMPET_TRY(const ByteVector content, read_range(bytes_, sections_.range(), note_bytes_max));
  const ElfView table = view(content);
  for (uint64_t index = 0; index < sections_.count; ++index) {
    LIMPET_CHECK(read_section(table, index * sections_.entry_size));
  }
  return {};
}

Result<void> Reader::read_section(const ElfView& table, uint64_t at) {
  const ElfSectionLayout& layout = section_layout(wide());
  const auto range_at = [&](uint64_t entry) {
    return ElfRange{table.word(entry + layout.offset, wide()),
                    table.word(entry + layout.file_size, wide())};
  };
  const uint64_t type = table.u32(at + 4);
  if (type == elf_section_note) {
    return read_note(range_at(at), table.word(at + layout.alignment, wide()));
  }
  if (type != elf_section_versions_needed) return {};
  const uint64_t names_index = table.u32(at + layout.link);
  if (names_index >= sections_.count) return corrupt_file;
  return read_versions(range_at(at), range_at(names_index * sections_.entry_size));
}

Result<void> Reader::read_note(ElfRange range, uint64_t alignment) {
  if (info_.note) return {};
  LIMPET_TRY(const ByteVector content, read_range(bytes_, range, note_bytes_max));
  info_.note = find_note(view(content), alignment, wanted_);
  return {};
}

Result<void> Reader::read_versions(ElfRange needed, ElfRange names) {
  LIMPET_TRY(const ByteVector needed_bytes, read_range(bytes_, needed, version_bytes_max));
  // A large C++ library has megabytes of names; those beyond the bound are passed over.
  names.size = std::min(names.size, name_table_bytes_max);
  LIMPET_TRY(const ByteVector name_bytes, read_range(bytes_, names, names.size));
  read_version_names(view(needed_bytes), view(name_bytes));
  return {};
}

// A chain of files (16 bytes each), each with a chain of versions (16 bytes each); links are
// relative and only ever go forward here, so that no chain is a circle.
void Reader::read_version_names(const ElfView& needed, const ElfView& names) {
  uint64_t file = 0;
  while (needed.holds(file, 16)) {
    uint64_t version = file + needed.u32(file + 8);
    for (uint64_t left = needed.u16(file + 2); left > 0 && needed.holds(version, 16); --left) {
      if (info_.needs.size() == versions_max) return;
      const std::string_view name = names.terminated_text(needed.u32(version + 8));
      if (!name.empty()) info_.needs.emplace_back(name);
      const uint64_t step = needed.u32(version + 12);
      if (step == 0) break;
      version += step;
    }
    const uint64_t step = needed.u32(file + 12);
    if (step == 0) return;
    file += step;
  }
}

class FileBytes final : public ElfBytes {
 public:
  explicit FileBytes(OwnedDescriptor file) : file_(std::move(file)) {}

  bool read(uint64_t offset, std::span<uint8_t> out) override {
    while (!out.empty()) {
      if (offset > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) return false;
      const ssize_t count = pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      offset += static_cast<uint64_t>(count);
      out = out.subspan(static_cast<size_t>(count));
    }
    return true;
  }

 private:
  OwnedDescriptor file_;
};

}  // namespace

Result<ElfInfo> read_elf(ElfBytes& bytes, ElfNoteName wanted) {
  return Reader(bytes, wanted).read();
}

Result<ElfInfo> read_elf_file(const std::string& path, ElfNoteName wanted) {
  // Non-blocking, so that a FIFO by that name cannot hold up the start.
  OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    return Error{errno == ENOENT ? ErrorCode::not_found : ErrorCode::io, "elf: open", errno};
  }
  FileBytes bytes(std::move(file));
  return read_elf(bytes, wanted);
}

std::string c_library_version() {
#if defined(__GLIBC__)
  return gnu_get_libc_version();
#else
  return {};
#endif
}

}  // namespace limpet::platform
