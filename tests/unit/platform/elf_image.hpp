#pragma once

// ElfImage: builds small ELF files in memory, of any width and byte order, so that the reader meets
// machines that no test runner has. [any]

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/elf_note.hpp"

namespace limpet::platform::test {

class MemoryBytes final : public ElfBytes {
 public:
  explicit MemoryBytes(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool read(uint64_t offset, std::span<uint8_t> out) override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return true;
  }

 private:
  std::span<const uint8_t> bytes_;
};

struct ElfImageOptions {
  ElfTarget target{62, 64, false};
  std::string note_name = "Limpet";
  std::string note_text = "{\"id\":\"org.limpet.test\"}";
  uint32_t note_type = 1;
  bool with_segment = true;
  bool with_sections = true;
  std::vector<std::string> versions = {"GLIBC_2.34", "GLIBC_2.4", "GLIBCXX_3.4.30"};
};

class ElfImage {
 public:
  explicit ElfImage(ElfImageOptions options) : options_(std::move(options)) { build(); }
  [[nodiscard]] const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  [[nodiscard]] bool wide() const { return options_.target.bits == 64; }

  void number(uint64_t value, size_t size) {
    for (size_t index = 0; index < size; ++index) {
      const size_t place = options_.target.big_endian ? size - 1 - index : index;
      bytes_.push_back(static_cast<uint8_t>(value >> (8 * place)));
    }
  }
  void word(uint64_t value) { number(value, wide() ? 8 : 4); }
  void text(std::string_view value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }
  void align() {
    while (bytes_.size() % 4 != 0) bytes_.push_back(0);
  }

  struct Range {
    uint64_t offset = 0, size = 0;
  };

  Range put_note(std::string_view name, std::string_view content, uint32_t type) {
    align();
    const uint64_t start = bytes_.size();
    number(name.size() + 1, 4);
    number(content.size(), 4);
    number(type, 4);
    text(name);
    bytes_.push_back(0);
    align();
    text(content);
    align();
    return {start, bytes_.size() - start};
  }

  Range put_names(std::vector<uint64_t>& places_out) {
    const uint64_t start = bytes_.size();
    bytes_.push_back(0);
    for (const std::string& version : options_.versions) {
      places_out.push_back(bytes_.size() - start);
      text(version);
      bytes_.push_back(0);
    }
    return {start, bytes_.size() - start};
  }

  Range put_versions(const std::vector<uint64_t>& places) {
    align();
    const uint64_t start = bytes_.size();
    number(1, 2);
    number(places.size(), 2);
    number(0, 4);
    number(16, 4);
    number(0, 4);
    for (size_t index = 0; index < places.size(); ++index) {
      number(0, 4);
      number(0, 2);
      number(2, 2);
      number(places[index], 4);
      number(index + 1 == places.size() ? 0 : 16, 4);
    }
    return {start, bytes_.size() - start};
  }

  void put_segment(Range note) {
    number(4, 4);
    if (wide()) number(4, 4);
    word(note.offset);
    word(note.offset);
    word(note.offset);
    word(note.size);
    word(note.size);
    if (!wide()) number(4, 4);
    word(4);
  }

  void put_section(uint32_t type, Range range, uint32_t link) {
    number(0, 4);
    number(type, 4);
    word(0);
    word(0);
    word(range.offset);
    word(range.size);
    number(link, 4);
    number(1, 4);
    word(4);
    word(0);
  }

  // The header comes last, when all places are known, and is copied to the front.
  void build() {
    const size_t header_size = wide() ? 64 : 52;
    bytes_.assign(header_size, 0);
    put_note("GNU", "0123", 3);  // others' notes stand before ours
    const Range other{header_size, bytes_.size() - header_size};
    const Range own = put_note(options_.note_name, options_.note_text, options_.note_type);
    const Range notes{other.offset, own.offset + own.size - other.offset};
    std::vector<uint64_t> places;
    const Range names = put_names(places);
    const Range versions = put_versions(places);
    const uint64_t segments = bytes_.size();
    if (options_.with_segment) put_segment(notes);
    const uint64_t sections = bytes_.size();
    if (options_.with_sections) {
      put_section(0, {}, 0);
      put_section(7, notes, 0);
      put_section(3, names, 0);
      put_section(0x6ffffffe, versions, 2);
    }
    std::vector<uint8_t> body = std::move(bytes_);
    bytes_.clear();
    put_header(segments, sections);
    std::copy(bytes_.begin(), bytes_.end(), body.begin());
    bytes_ = std::move(body);
  }

  void put_header(uint64_t segments, uint64_t sections) {
    text("\177ELF");
    bytes_.push_back(wide() ? 2 : 1);
    bytes_.push_back(options_.target.big_endian ? 2 : 1);
    bytes_.resize(16);
    number(3, 2);
    number(options_.target.machine, 2);
    number(1, 4);
    word(0);
    word(options_.with_segment ? segments : 0);
    word(options_.with_sections ? sections : 0);
    number(0, 4);
    number(wide() ? 64 : 52, 2);
    number(wide() ? 56 : 32, 2);
    number(options_.with_segment ? 1 : 0, 2);
    number(wide() ? 64 : 40, 2);
    number(options_.with_sections ? 4 : 0, 2);
    number(0, 2);
  }

  ElfImageOptions options_;
  std::vector<uint8_t> bytes_;
};

}  // namespace limpet::platform::test
