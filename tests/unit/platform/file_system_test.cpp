#include "platform/file_system.hpp"

#include <doctest/doctest.h>

#include "platform/machine_id.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace limpet;
using namespace limpet::platform;

TEST_CASE("file system: kinds that matter to a store are told by their numbers") {
  CHECK(file_system_kind(0xEF53) == FileSystemKind::usual);              // ext4
  CHECK(file_system_kind(0x6969) == FileSystemKind::network);            // nfs
  CHECK(file_system_kind(0xFF534D42) == FileSystemKind::network);        // cifs
  CHECK(file_system_kind(0x9123683E) == FileSystemKind::copy_on_write);  // btrfs
  CHECK(file_system_kind(0x01021994) == FileSystemKind::memory);         // tmpfs
}

TEST_CASE("file system: a directory of the test's has room and can be written") {
  const testing::TemporaryDirectory directory;
  const Result<FileSystemFacts> facts = file_system_facts(directory.path());
  REQUIRE(facts.ok());
  CHECK(facts->free_bytes > 0);
  CHECK_FALSE(facts->read_only);
}

TEST_CASE("file system: of a place that is not there it is said") {
  const Result<FileSystemFacts> facts = file_system_facts("/nowhere/at/all");
  REQUIRE_FALSE(facts.ok());
  CHECK(facts.error().code == ErrorCode::not_found);
}

TEST_CASE("boot id: is the same all the time, without a line's end") {
  const Result<std::string> id = boot_id();
  if (!id.ok()) return;  // a kernel without it
  CHECK(id->size() >= 8);
  CHECK(id->find('\n') == std::string::npos);
  CHECK(boot_id().value() == *id);
}
