// The rules of opening: each case is something that happens to devices in the field.

#include "store/environment.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "store_fixture.hpp"

using namespace limpet;
using namespace limpet::store;
using limpet::testing::StoreFixture;

TEST_CASE("store: a second process is refused while the first holds the directory") {
  StoreFixture fixture;
  fixture.open();
  StoreFixture second;
  second.options.directory = fixture.options.directory;
  const Result<void> opened = second.try_open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::busy);
}

TEST_CASE("store: a directory without a marker is refused when create is off") {
  StoreFixture fixture;
  fixture.options.create = false;
  const Result<void> opened = fixture.try_open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::not_found);
  CHECK_FALSE(std::filesystem::exists(fixture.options.directory + "/store.mdb"));
}

TEST_CASE("store: a marker whose store is gone is not taken for a fresh start") {
  StoreFixture fixture;
  fixture.open();
  fixture.store.reset();
  std::filesystem::remove(fixture.options.directory + "/store.mdb");
  const Result<void> opened = fixture.try_open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::not_found);
}

TEST_CASE("store: another machine's id begins a new epoch and keeps the events") {
  StoreFixture fixture;
  fixture.options.machine_id = "first";
  fixture.open();
  fixture.append("a.one");
  fixture.options.machine_id = "second";
  fixture.options.new_epoch = Epoch(43);
  fixture.open();
  CHECK(fixture.store->epoch_changed());
  CHECK(fixture.store->epoch() == Epoch(43));
  CHECK(fixture.append("a.two") == Sequence(2));
  fixture.options.new_epoch = Epoch(44);
  fixture.open();
  CHECK_FALSE(fixture.store->epoch_changed());
  CHECK(fixture.store->epoch() == Epoch(43));
  CHECK(fixture.read_all().size() == 2);
}

TEST_CASE("store: a max_bytes below the file's size is refused, not ignored") {
  StoreFixture fixture;
  fixture.options.max_bytes = 8 << 20;
  fixture.open();
  fixture.options.max_bytes = 1 << 20;
  const Result<void> opened = fixture.try_open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::invalid);
  fixture.options.max_bytes = 16 << 20;
  fixture.open();
}

TEST_CASE("store: a file that is not a store is refused and left as it is") {
  StoreFixture fixture;
  std::filesystem::create_directories(fixture.options.directory);
  const std::string file = fixture.options.directory + "/store.mdb";
  REQUIRE(platform::replace_file(file, ByteVector(20000, 'x')).ok());
  const Result<void> opened = fixture.try_open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::corrupt);
  CHECK(platform::file_size(file).value() == 20000);
}

TEST_CASE("store: no descriptor of the store survives an exec") {
  StoreFixture fixture;
  fixture.open();
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    if (!target.starts_with(fixture.options.directory)) continue;
    ++found;
    const int descriptor = std::stoi(entry.path().filename().string());
    CHECK_MESSAGE((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0, target);
  }
  // The data file, its meta descriptor, the reader table and the directory's lock.
  CHECK(found == 4);
}

TEST_CASE("store: the disk's room is taken at once, for max_bytes and the reserve") {
  StoreFixture fixture;
  fixture.open();
  const uint64_t size = platform::file_size(fixture.options.directory + "/store.mdb").value();
  CHECK(size >= fixture.options.max_bytes + reserve_bytes(fixture.options.max_bytes));
}
