#include "store/copy.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "store/marker.hpp"
#include "store/meta_pages.hpp"
#include "store/stopped_store.hpp"
#include "store/verify.hpp"
#include "store_fixture.hpp"
#include "tamper.hpp"

using namespace limpet;
using namespace limpet::store;
using namespace limpet::testing;

namespace {

constexpr int event_count = 300;

void fill(StoreFixture& fixture) {
  fixture.open();
  const ByteVector data = codec::cbor_item(codec::CborScalar(ByteVector(1000, 'x')));
  Change change = fixture.store->begin();
  for (int index = 0; index < event_count; ++index) {
    EventView event;
    event.type = "a.event";
    event.source = "limpet/test";
    event.data = data;
    REQUIRE(change.append(event).ok());
  }
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.store->drain();
}

VerifyReport verify_in(const std::string& directory) {
  auto stopped = StoppedStore::open(directory, StoppedStore::Lock::take);
  REQUIRE(stopped.ok());
  return verify(*stopped);
}

}  // namespace

TEST_CASE("backup: of a store at work opens as a store of a new epoch, with every event") {
  StoreFixture fixture;
  fixture.options.machine_id = "machine";
  fill(fixture);
  const std::string target = fixture.directory.file("backup/of/today");
  // On a thread of its own, while main goes on.
  Result<CopyReport> report = CopyReport{};
  std::thread worker([&] { report = fixture.store->backup(target); });
  for (int index = 0; index < 20; ++index) fixture.append("a.meanwhile");
  worker.join();
  REQUIRE(report.ok());
  CHECK(report->bytes < report->bytes_before);

  StoreFixture restored;
  restored.options.directory = target;
  restored.options.machine_id = "machine";
  restored.options.new_epoch = Epoch(43);
  CHECK(verify_in(target).good());
  restored.open();
  CHECK(restored.store->epoch_changed());
  CHECK(restored.store->epoch() == Epoch(43));
  CHECK(restored.read_all().size() >= event_count);
  restored.append("a.later");
  restored.options.new_epoch = Epoch(44);
  restored.open();
  CHECK(restored.store->epoch() == Epoch(43));
  CHECK(fixture.store->epoch() == Epoch(42));
}

TEST_CASE("backup: a directory that holds a store is refused and left alone") {
  StoreFixture fixture;
  fill(fixture);
  StoreFixture other;
  other.open();
  other.store.reset();
  const Result<CopyReport> report = fixture.store->backup(other.options.directory);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().code == ErrorCode::exists);
  const Result<CopyReport> itself = fixture.store->backup(fixture.options.directory);
  REQUIRE_FALSE(itself.ok());
  CHECK(itself.error().code == ErrorCode::busy);
  other.open();
  CHECK_FALSE(other.store->epoch_changed());
}

TEST_CASE("backup: one that was cut short is made again, and is never taken for the original") {
  StoreFixture fixture;
  fill(fixture);
  const std::string target = fixture.directory.file("backup");
  REQUIRE(platform::make_directories(target).ok());
  REQUIRE(write_marker(target, {"", true}).ok());
  StoreFixture early;
  early.options.directory = target;
  CHECK_FALSE(early.try_open().ok());
  CHECK(fixture.store->backup(target).ok());
  CHECK(verify_in(target).events == event_count);
}

TEST_CASE("backup: a copy outlives the loss of either meta page") {
  StoreFixture fixture;
  fill(fixture);
  for (uint64_t page = 0; page < 2; ++page) {
    StoreFixture restored;
    restored.options.directory = fixture.directory.file("backup" + std::to_string(page));
    REQUIRE(fixture.store->backup(restored.options.directory).ok());
    write_bytes(store_file(restored.options.directory), page * store_page_bytes,
                ByteVector(store_page_bytes, 0xff));
    restored.open();
    CHECK(restored.read_all().size() == event_count);
  }
}

TEST_CASE("compact: keeps every event and the epoch, and the file shrinks") {
  StoreFixture fixture;
  fixture.options.max_bytes = 32 << 20;
  fill(fixture);
  fixture.store.reset();
  const Result<CopyReport> report = compact(fixture.options.directory);
  REQUIRE(report.ok());
  CHECK(report->bytes_before > 32 << 20);
  CHECK(report->bytes < 1 << 20);
  CHECK(platform::file_size(store_file(fixture.options.directory)).value() == report->bytes);
  CHECK_FALSE(platform::file_exists(store_file(fixture.options.directory) + ".copy"));
  CHECK(verify_in(fixture.options.directory).good());
  // Only now may max_bytes be lowered.
  fixture.options.max_bytes = 2 << 20;
  fixture.options.new_epoch = Epoch(43);
  fixture.open();
  CHECK(fixture.store->epoch() == Epoch(42));
  CHECK(fixture.store->incarnation() == Incarnation(2));
  CHECK(fixture.read_all().size() == event_count);
  CHECK(platform::file_size(store_file(fixture.options.directory)).value() >= 2 << 20);
}

TEST_CASE("compact: what a killed one has left is gone after the next opening") {
  StoreFixture fixture;
  fill(fixture);
  fixture.store.reset();
  const std::string left = store_file(fixture.options.directory) + ".copy";
  REQUIRE(platform::replace_file(left, ByteVector(100000, 1)).ok());
  fixture.open();
  CHECK_FALSE(platform::file_exists(left));
  CHECK(fixture.read_all().size() == event_count);
}

TEST_CASE("compact: a store in use, and a directory without one, are refused") {
  StoreFixture fixture;
  fill(fixture);
  const Result<CopyReport> in_use = compact(fixture.options.directory);
  REQUIRE_FALSE(in_use.ok());
  CHECK(in_use.error().code == ErrorCode::busy);
  const Result<CopyReport> nothing = compact(fixture.directory.file("nowhere"));
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().code == ErrorCode::not_found);
}
