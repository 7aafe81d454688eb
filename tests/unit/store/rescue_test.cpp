// Damage that LMDB would crash on. Elsewhere a start then fails until somebody deletes a directory
// (vector #18130, mosquitto #3160), or everything is deleted with one line in the log (Greengrass'
// spooler). Here the file is looked at in a child, set aside whole, and the daemon goes on.

#include "store/rescue.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "store_fixture.hpp"
#include "tamper.hpp"

using namespace limpet;
using namespace limpet::store;
using namespace limpet::testing;

namespace {

std::string file_of(const StoreFixture& fixture) { return store_file(fixture.options.directory); }
std::string aside_of(const StoreFixture& fixture) { return file_of(fixture) + damaged_file_suffix; }

void fill(StoreFixture& fixture, int events) {
  fixture.open();
  for (int index = 0; index < events; ++index) fixture.append("a.event", ByteVector(1000, 0x00));
  fixture.store.reset();
}

// As two processes leave it that died while they opened the store.
void crash_twice(const StoreFixture& fixture) {
  const std::vector<Start> starts(2, Start{1, 1, 1, StartPhase::opening});
  const std::string text = encode_starts(starts);
  REQUIRE(
      platform::replace_file(fixture.options.directory + "/LIMPET-STARTS", as_bytes(text)).ok());
}

bool said(const StoreFixture& fixture, const std::string& part) {
  for (const std::string& line : fixture.logger.lines()) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("store: two crashes in a row make the next start read the file, which is sound") {
  StoreFixture fixture;
  fill(fixture, 20);
  crash_twice(fixture);
  fixture.open();
  CHECK(fixture.store->repairs().walked);
  CHECK_FALSE(fixture.store->repairs().any());
  CHECK(fixture.store->epoch() == Epoch(42));
  CHECK(fixture.read_all().size() == 20);
  CHECK(said(fixture, "the file is sound"));
  fixture.open();
  CHECK_FALSE(fixture.store->repairs().walked);
}

TEST_CASE("store: damaged records are counted by the walk and the store goes on") {
  StoreFixture fixture;
  fill(fixture, 20);
  change_rows(file_of(fixture), [](MDB_txn* transaction, MDB_dbi tree) {
    put_row(transaction, tree, log_key(Sequence(3), 0), ByteVector(1000, 'x'));
  });
  crash_twice(fixture);
  fixture.open();
  CHECK(fixture.store->repairs().damaged_records >= 1);
  CHECK_FALSE(fixture.store->repairs().set_aside);
  CHECK(said(fixture, "event 3"));
  auto snapshot = fixture.store->reader().snapshot();
  const auto read = snapshot->events(Sequence(1), 100, [](const EventView&) { return true; });
  CHECK(read->visited == 19);
  CHECK(read->corrupt == 1);
}

TEST_CASE("store: a broken tree is set aside whole and a new store begins") {
  // Zeros, erased flash, another page's bytes and noise at the root of the tree.
  for (int kind = 0; kind < 4; ++kind) {
    CAPTURE(kind);
    StoreFixture fixture;
    fill(fixture, 50);
    ByteVector page(store_page_bytes, kind == 0 ? 0x00 : 0xff);
    for (size_t index = 0; kind == 3 && index < page.size(); ++index) {
      page[index] = static_cast<uint8_t>(index * 167 + 13);
    }
    if (kind == 2) page = read_bytes(file_of(fixture), 0, store_page_bytes);
    write_bytes(file_of(fixture), root_offset(file_of(fixture)), page);
    const ByteVector before = read_bytes(file_of(fixture), 0, 1 << 20);
    crash_twice(fixture);
    fixture.options.new_epoch = Epoch(43);
    fixture.open();
    CHECK(fixture.store->repairs().set_aside);
    CHECK(fixture.store->created());
    CHECK(fixture.store->epoch() == Epoch(43));
    CHECK(fixture.append("a.new") == Sequence(1));
    CHECK(read_bytes(aside_of(fixture), 0, 1 << 20) == before);
    CHECK(said(fixture, "set aside as store.mdb.damaged"));
  }
}

TEST_CASE("store: a tree that LMDB itself calls corrupt is set aside at once") {
  StoreFixture fixture;
  fill(fixture, 50);
  // A root that is neither branch nor leaf: LMDB answers an error, it does not crash.
  ByteVector page = read_bytes(file_of(fixture), root_offset(file_of(fixture)), store_page_bytes);
  page[sizeof(size_t) + 2] = 0x04;  // the page's flags: of overflow
  write_bytes(file_of(fixture), root_offset(file_of(fixture)), page);
  fixture.options.new_epoch = Epoch(43);
  fixture.open();
  CHECK(fixture.store->repairs().set_aside);
  CHECK(fixture.store->epoch() == Epoch(43));
  CHECK(fixture.append("a.new") == Sequence(1));
}

TEST_CASE("store: of the files set aside the newest one is kept, and only that") {
  StoreFixture fixture;
  fill(fixture, 50);
  REQUIRE(platform::replace_file(aside_of(fixture), as_bytes("an older one")).ok());
  write_bytes(file_of(fixture), root_offset(file_of(fixture)), ByteVector(store_page_bytes, 0));
  crash_twice(fixture);
  fixture.open();
  CHECK(platform::file_size(aside_of(fixture)).value() > 100000);
}

TEST_CASE("rescue: without room for a new store the damaged one stays, and a sentence says so") {
  StoreFixture fixture;
  fill(fixture, 5);
  const auto broken = [](const std::string&) -> Result<VerifyReport> {
    VerifyReport report;
    report.tree_sound = false;
    report.problems = 1;
    return report;
  };
  const RescueFacts facts{fixture.options.directory, Marker{}, true, uint64_t{1} << 60};
  const Result<Repairs> repairs = rescue(facts, broken, fixture.logger);
  REQUIRE_FALSE(repairs.ok());
  CHECK(repairs.error().code == ErrorCode::full);
  CHECK(to_string(repairs.error()).find("no room for a new one") != std::string::npos);
  CHECK_FALSE(platform::file_exists(aside_of(fixture)));
  fixture.open();
  CHECK(fixture.read_all().size() == 5);
}

TEST_CASE("walk: the death of the child is a finding, whatever it dies of") {
  const auto crash = in_child(
      []() -> VerifyReport {
        volatile int* const nowhere = nullptr;
        *nowhere = 1;
        return {};
      },
      10);
  REQUIRE(crash.ok());
  CHECK_FALSE(crash->tree_sound);
  CHECK(crash->first.front().text.find("dies") != std::string::npos);
  const auto aborted = in_child([]() -> VerifyReport { abort(); }, 10);
  REQUIRE(aborted.ok());
  CHECK_FALSE(aborted->tree_sound);
  const auto left = in_child([]() -> VerifyReport { _exit(0); }, 10);
  REQUIRE(left.ok());
  CHECK_FALSE(left->tree_sound);
}

TEST_CASE("walk: a child that reads in circles is ended by its limit of processor time") {
  const auto endless = in_child(
      []() -> VerifyReport {
        volatile uint64_t count = 0;
        while (true) count = count + 1;
      },
      1);
  REQUIRE(endless.ok());
  CHECK_FALSE(endless->tree_sound);
}

TEST_CASE("walk: what the child finds comes back") {
  const auto found = in_child(
      []() -> VerifyReport {
        VerifyReport report;
        report.rows = 12;
        report.problems = 1000;
        report.first.assign(verify_problems_max, {"event 5", std::string(1000, 'x')});
        return report;
      },
      10);
  REQUIRE(found.ok());
  CHECK(found->rows == 12);
  CHECK(found->problems == 1000);
  CHECK(found->tree_sound);
  REQUIRE(found->first.size() == verify_problems_max);
  CHECK(found->first.back().key == "event 5");
  CHECK(found->first.back().text == std::string(256, 'x'));
}
