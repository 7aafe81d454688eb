// One bad meta page of two: LMDB alone refuses the file, and people then delete a directory by hand
// (mosquitto #3160, vector #26231, telegraf #18528).

#include "store/meta_pages.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "store/marker.hpp"
#include "store_fixture.hpp"
#include "tamper.hpp"

using namespace limpet;
using namespace limpet::store;
using namespace limpet::testing;

namespace {

constexpr size_t sector_bytes = 512;

std::string file_of(const StoreFixture& fixture) { return store_file(fixture.options.directory); }

// A store with some events, closed.
void fill(StoreFixture& fixture) {
  fixture.open();
  for (int index = 0; index < 5; ++index) fixture.append("a.event");
  fixture.store.reset();
}

// What flash leaves of a page whose programming was cut at a sector: the rest is erased.
void tear(const std::string& file, size_t page, size_t sectors_kept) {
  const size_t kept = sectors_kept * sector_bytes;
  write_bytes(file, page * store_page_bytes + kept, ByteVector(store_page_bytes - kept, 0xff));
}

MetaPages judge(const std::string& file) { return read_meta_pages(file).value(); }

}  // namespace

TEST_CASE("meta pages: the newest is the one with the later transaction") {
  const TemporaryDirectory directory;
  const std::string file = directory.file("own.mdb");
  size_t last = 0;
  for (uint32_t round = 0; round < 3; ++round) {
    change_rows(file, [&](MDB_txn* transaction, MDB_dbi tree) {
      put_row(transaction, tree, log_key(Sequence(round + 1), 0), as_bytes("x"));
      last = mdb_txn_id(transaction);
    });
    if (getpagesize() != store_page_bytes) return;
    const MetaPages pages = judge(file);
    CHECK(pages.both());
    CHECK(pages.newest == last % 2);
  }
  CHECK(judge_meta_pages(read_bytes(file, 0, 100)).none());
  CHECK(judge_meta_pages(ByteVector(8192, 0)).none());
}

TEST_CASE("meta pages: whatever one page has become, the other one is found good") {
  StoreFixture fixture;
  fill(fixture);
  const ByteVector head = read_bytes(file_of(fixture), 0, 2 * size_t{store_page_bytes});
  REQUIRE(judge_meta_pages(head).both());
  for (size_t page = 0; page < 2; ++page) {
    for (const int fill_byte : {0x00, 0xff, 0x5a}) {
      ByteVector damaged = head;
      std::memset(damaged.data() + page * store_page_bytes, fill_byte, sector_bytes);
      const MetaPages pages = judge_meta_pages(damaged);
      CHECK_FALSE(pages.good[page]);
      CHECK(pages.good[1 - page]);
      CHECK(pages.newest == 1 - page);
    }
    // The other page's bytes in this place: a write that went astray.
    ByteVector damaged = head;
    std::memcpy(damaged.data() + page * store_page_bytes,
                head.data() + (1 - page) * store_page_bytes, store_page_bytes);
    CHECK_FALSE(judge_meta_pages(damaged).good[page]);
  }
}

TEST_CASE("store: a meta page torn at any sector does not keep the store from opening") {
  for (size_t page = 0; page < 2; ++page) {
    for (size_t sectors_kept = 0; sectors_kept < store_page_bytes / sector_bytes; ++sectors_kept) {
      CAPTURE(page);
      CAPTURE(sectors_kept);
      StoreFixture fixture;
      fill(fixture);
      const bool was_newest = judge(file_of(fixture)).newest == page;
      tear(file_of(fixture), page, sectors_kept);
      fixture.options.new_epoch = Epoch(43);
      fixture.open();
      // All of a meta is in its first sector: what is torn behind it is as good as new.
      CHECK(fixture.store->repairs().meta_page == (sectors_kept == 0));
      CHECK(fixture.store->epoch() == Epoch(sectors_kept == 0 ? 43 : 42));
      const size_t lost = sectors_kept == 0 && was_newest ? 1 : 0;
      CHECK(fixture.read_all().size() == 5 - lost);
      fixture.append("a.later");
      fixture.open();
      CHECK_FALSE(fixture.store->repairs().any());
      CHECK(fixture.read_all().size() == 6 - lost);
      CHECK(judge(file_of(fixture)).both());
    }
  }
}

TEST_CASE(
    "store: a crash between the repair of a meta page and the first commit still begins a new "
    "epoch") {
  StoreFixture fixture;
  fill(fixture);
  tear(file_of(fixture), 0, 0);
  // What rescue() does before the first commit.
  REQUIRE(write_marker(fixture.options.directory, {"", true}).ok());
  REQUIRE(repair_meta_page(file_of(fixture), judge(file_of(fixture))).ok());
  fixture.options.new_epoch = Epoch(43);
  fixture.open();
  CHECK(fixture.store->epoch() == Epoch(43));
  CHECK(fixture.store->epoch_changed());
  fixture.options.new_epoch = Epoch(44);
  fixture.open();
  CHECK(fixture.store->epoch() == Epoch(43));
}

TEST_CASE("store: two bad meta pages are refused with a sentence, and the file is left alone") {
  StoreFixture fixture;
  fill(fixture);
  tear(file_of(fixture), 0, 0);
  tear(file_of(fixture), 1, 0);
  const ByteVector before = read_bytes(file_of(fixture), 0, 1 << 20);
  const Result<void> opened = fixture.try_open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::corrupt);
  CHECK(to_string(opened.error()).find("restore a backup") != std::string::npos);
  CHECK(read_bytes(file_of(fixture), 0, 1 << 20) == before);
}
