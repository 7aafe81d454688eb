#include "store/writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "store_fixture.hpp"

using namespace limpet;
using namespace limpet::store;
using limpet::testing::StoreFixture;

namespace {

// The descriptors of the data file: LMDB writes pages through one and the meta page through
// another.
std::vector<int> data_descriptors(const std::string& directory) {
  std::vector<int> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) == directory + "/store.mdb") {
      result.push_back(std::stoi(entry.path().filename().string()));
    }
  }
  return result;
}

// From now on every write to the data file fails, as on a dying disk.
void break_disk(const std::string& directory) {
  const int read_only = open((directory + "/store.mdb").c_str(), O_RDONLY);
  REQUIRE(read_only >= 0);
  for (const int descriptor : data_descriptors(directory)) {
    if (descriptor != read_only) REQUIRE(dup2(read_only, descriptor) == descriptor);
  }
  close(read_only);
}

Change one_event(Store& store) {
  Change change = store.begin();
  EventView event;
  event.type = "a.one";
  event.source = "limpet/test";
  REQUIRE(change.append(event).ok());
  return change;
}

}  // namespace

TEST_CASE("writer: changes that wait together share one commit and are answered one by one") {
  StoreFixture fixture;
  fixture.open();
  const uint64_t commits_before = fixture.store->info().writer.commits;
  int answered = 0;
  for (int index = 0; index < 200; ++index) {
    Change change = one_event(*fixture.store);
    change.on_done([&answered, index](const Result<void>& result) {
      CHECK(result.ok());
      CHECK(answered == index);
      ++answered;
    });
    REQUIRE(fixture.store->submit(std::move(change)).ok());
  }
  fixture.store->drain();
  CHECK(answered == 200);
  CHECK(fixture.store->info().writer.commits - commits_before < 200);
  CHECK(fixture.read_all().size() == 200);
}

TEST_CASE("writer: after a failed commit nothing is acknowledged, then or later") {
  StoreFixture fixture;
  fixture.open();
  fixture.append("a.before");
  break_disk(fixture.options.directory);
  int acknowledged = 0;
  int refused = 0;
  for (int index = 0; index < 3; ++index) {
    Change change = one_event(*fixture.store);
    change.on_done([&](const Result<void>& result) { ++(result.ok() ? acknowledged : refused); });
    const Result<void> submitted = fixture.store->submit(std::move(change));
    if (!submitted.ok()) {
      CHECK(submitted.error().code == ErrorCode::closed);
      ++refused;
    }
    fixture.store->drain();
  }
  CHECK(acknowledged == 0);
  CHECK(refused == 3);
  REQUIRE(fixture.store->failure());
  CHECK(fixture.store->failure()->code == ErrorCode::io);
  CHECK(fixture.store->admit(10, Urgency::finish).error().code == ErrorCode::closed);
  CHECK(fixture.store->durable_end() == Sequence(2));

  fixture.open();
  CHECK(fixture.read_all().size() == 1);
}

TEST_CASE("writer: a full queue says busy and loses nothing that it took") {
  StoreFixture fixture;
  fixture.options.max_bytes = 16 << 20;
  fixture.open();
  size_t taken = 0;
  Result<void> submitted;
  // Faster than any disk: the limit comes before the writer can empty the queue, or never does and
  // then every change was taken.
  for (size_t index = 0; index < 4 * limits::store_pending_changes_max && submitted.ok(); ++index) {
    submitted = fixture.store->submit(one_event(*fixture.store));
    if (submitted.ok()) ++taken;
  }
  if (!submitted.ok()) CHECK(submitted.error().code == ErrorCode::busy);
  fixture.store->drain();
  CHECK(fixture.read_all().size() == taken);
}

TEST_CASE(
    "writer: a change that nobody waits for rides along with the next one, or with the stop") {
  StoreFixture fixture;
  fixture.open();
  const uint64_t commits = fixture.store->info().writer.commits;
  for (int index = 0; index < 10; ++index) {
    REQUIRE(fixture.store->submit_relaxed(one_event(*fixture.store)).ok());
  }
  bool answered = false;
  Change change = one_event(*fixture.store);
  change.on_done([&answered](const Result<void>& result) { answered = result.ok(); });
  REQUIRE(fixture.store->submit(std::move(change)).ok());
  fixture.store->drain();
  CHECK(answered);
  CHECK(fixture.read_all().size() == 11);
  // One more at most: where the machine is so slow that the linger ran out meanwhile.
  CHECK(fixture.store->info().writer.commits <= commits + 2);
  CHECK(fixture.store->unsynced_age() == Duration());
  REQUIRE(fixture.store->submit_relaxed(one_event(*fixture.store)).ok());
  fixture.open();
  CHECK(fixture.read_all().size() == 12);
}
