#include "platform/elf_note.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "elf_image.hpp"

using namespace limpet;
using namespace limpet::platform;
using limpet::platform::test::ElfImage;
using limpet::platform::test::ElfImageOptions;
using limpet::platform::test::MemoryBytes;

namespace {

constexpr ElfNoteName wanted{"Limpet", 1};

constexpr ElfTarget targets[] = {
    {62, 64, false}, {183, 64, false}, {40, 32, false},
    {3, 32, false},  {20, 32, true},   {22, 64, true},
};

Result<ElfInfo> read_bytes(std::span<const uint8_t> bytes) {
  MemoryBytes memory(bytes);
  return read_elf(memory, wanted);
}

ElfImageOptions image_of(ElfTarget target) {
  ElfImageOptions options;
  options.target = target;
  return options;
}

}  // namespace

TEST_CASE("elf_note: the note is found in every width and byte order") {
  for (const ElfTarget target : targets) {
    CAPTURE(target.machine);
    const ElfImage image(image_of(target));
    const Result<ElfInfo> info = read_bytes(image.bytes());
    REQUIRE(info.ok());
    CHECK(info->target == target);
    CHECK(info->shared_object);
    CHECK(info->note == "{\"id\":\"org.limpet.test\"}");
    CHECK(info->needs == std::vector<std::string>{"GLIBC_2.34", "GLIBC_2.4", "GLIBCXX_3.4.30"});
  }
}

TEST_CASE("elf_note: the note is found by its segment alone and by its section alone") {
  for (const bool segment : {true, false}) {
    ElfImageOptions options;
    options.with_segment = segment;
    options.with_sections = !segment;
    const ElfImage image(options);
    const Result<ElfInfo> info = read_bytes(image.bytes());
    REQUIRE(info.ok());
    CHECK(info->note.has_value());
    CHECK(info->needs.empty() == segment);
  }
}

TEST_CASE("elf_note: a note of another name or type is not ours") {
  ElfImageOptions other_name;
  other_name.note_name = "Limpets";
  ElfImageOptions other_type;
  other_type.note_type = 2;
  for (const ElfImageOptions& options : {other_name, other_type}) {
    const ElfImage image(options);
    const Result<ElfInfo> info = read_bytes(image.bytes());
    REQUIRE(info.ok());
    CHECK_FALSE(info->note.has_value());
  }
}

TEST_CASE("elf_note: a file cut off at any byte is refused, never misread") {
  for (const ElfTarget target : {targets[0], targets[2], targets[4]}) {
    const ElfImage image(image_of(target));
    for (size_t size = 0; size < image.bytes().size(); ++size) {
      // An exact copy, so that a sanitizer sees a read beyond the end.
      const std::vector<uint8_t> cut(image.bytes().begin(),
                                     image.bytes().begin() + static_cast<std::ptrdiff_t>(size));
      const Result<ElfInfo> info = read_bytes(cut);
      REQUIRE_FALSE(info.ok());
      const ErrorCode code = info.error().code;
      CHECK(code == (size < 16 ? ErrorCode::unsupported : ErrorCode::corrupt));
    }
  }
}

TEST_CASE("elf_note: damaged files never make the reader read, loop or allocate out of bounds") {
  std::mt19937 random(20250301);
  size_t refused = 0;
  for (const ElfTarget target : targets) {
    const ElfImage image(image_of(target));
    for (int round = 0; round < 3000; ++round) {
      std::vector<uint8_t> bytes = image.bytes();
      const size_t changes = 1 + random() % 4;
      for (size_t change = 0; change < changes; ++change) {
        bytes[random() % bytes.size()] = static_cast<uint8_t>(random() % 3 == 0 ? 0xff : random());
      }
      refused += read_bytes(bytes).ok() ? 0 : 1;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("elf_note: noise is not an ELF file") {
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    std::vector<uint8_t> bytes(random() % 300);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    CHECK(read_bytes(bytes).error().code == ErrorCode::unsupported);
  }
}

TEST_CASE("elf_note: a missing file, a directory and a FIFO are answered at once") {
  CHECK(read_elf_file("/nonexistent/plugin.so", wanted).error().code == ErrorCode::not_found);
  CHECK_FALSE(read_elf_file("/", wanted).ok());

  char directory[] = "/tmp/limpet-elf-XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  const std::string fifo = std::string(directory) + "/plugin.so";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(read_elf_file(fifo, wanted).ok());
  unlink(fifo.c_str());
  rmdir(directory);
}

TEST_CASE("elf_note: this very program reads as what it was built for") {
  const Result<ElfInfo> info = read_elf_file("/proc/self/exe", wanted);
  REQUIRE(info.ok());
  CHECK(info->target == this_target());
  CHECK_FALSE(info->note.has_value());
  CHECK(newest_version(info->needs, "GLIBC") != "");
  CHECK_FALSE(version_older(c_library_version(), newest_version(info->needs, "GLIBC")));
}

TEST_CASE("elf_note: targets read as people name them") {
  CHECK(to_string(ElfTarget{62, 64, false}) == "64-bit x86");
  CHECK(to_string(ElfTarget{40, 32, false}) == "32-bit ARM");
  CHECK(to_string(ElfTarget{183, 64, true}) == "64-bit ARM, big-endian");
  CHECK(to_string(ElfTarget{22, 64, true}) == "s390x");
  CHECK(to_string(ElfTarget{999, 32, false}) == "machine 999 (32-bit)");
}

TEST_CASE("elf_note: versions compare by numbers, not by letters") {
  CHECK(version_older("2.9", "2.34"));
  CHECK_FALSE(version_older("2.34", "2.9"));
  CHECK_FALSE(version_older("2.34", "2.34"));
  CHECK(version_older("2.34", "2.34.1"));
  const std::vector<std::string> versions = {"GLIBC_2.4", "GLIBC_2.34", "GLIBCXX_3.4.30",
                                             "GLIBC_PRIVATE", "GLIBC_2.9"};
  CHECK(newest_version(versions, "GLIBC") == "2.34");
  CHECK(newest_version(versions, "GLIBCXX") == "3.4.30");
  CHECK(newest_version(versions, "CXXABI").empty());
}
