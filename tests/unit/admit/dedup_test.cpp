#include "admit/dedup.hpp"

#include <doctest/doctest.h>

#include "admit/hash.hpp"
#include "tests/unit/store/store_fixture.hpp"

using namespace limpet;
using namespace limpet::admit;
using limpet::testing::StoreFixture;

namespace {

struct DedupFixture : StoreFixture {
  Dedup dedup;

  // Stores one pack of events with these ids; the first one's sequence.
  Sequence keep(const std::vector<std::string>& ids) {
    store::Change change = store->begin();
    std::vector<Dedup::Entry> entries;
    for (const std::string& id : ids) {
      EventView event;
      event.type = "a.one";
      event.source = "src";
      event.id = id;
      const Result<Sequence> sequence = change.append(event);
      REQUIRE(sequence.ok());
      entries.push_back({Dedup::hash("src", id), *sequence});
    }
    const store::StoreMs now = store->now_ms();
    dedup.write(change, entries, now);
    REQUIRE(store->submit(std::move(change)).ok());
    dedup.keep(entries, now);
    store->drain();
    return entries.front().sequence;
  }
  std::optional<Sequence> find(const std::string& id) {
    return dedup.find("src", id, store->now_ms());
  }
  size_t rows() {
    size_t count = 0;
    auto snapshot = store->reader().snapshot();
    REQUIRE(snapshot.ok());
    const store::Key prefix = store::dedup_prefix();
    REQUIRE(snapshot->scan(prefix, prefix, [&](ByteSpan, ByteSpan) { return ++count > 0; }).ok());
    return count;
  }
  void reopen() {
    open();
    dedup = Dedup();
    REQUIRE(dedup.load(*store).ok());
  }
};

}  // namespace

TEST_CASE("dedup: the hash of a dedup row never changes") {
  CHECK(Dedup::hash("src", "id-1") != Dedup::hash("src", "id-2"));
  CHECK(Dedup::hash("src", "id-1") != Dedup::hash("src2", "id-1"));
  CHECK(Dedup::hash("a", "bc") != Dedup::hash("ab", "c"));
  // Worked out once with another program; stores in the field hold such numbers.
  CHECK(hash_text("") == 0xf52a15e9a9b5e89bull);
  CHECK(hash_text("limpet") == 0xfa2a1c3501b79a7eull);
}

TEST_CASE("dedup: an id is known within its window and forgotten after it") {
  DedupFixture fixture;
  fixture.open();
  CHECK_FALSE(fixture.find("one"));
  const Sequence first = fixture.keep({"one", "two"});
  CHECK(fixture.find("one") == first);
  CHECK(fixture.find("two") == first.next());
  CHECK_FALSE(fixture.dedup.find("other", "one", fixture.store->now_ms()));
  CHECK(fixture.dedup.stats().entries == 2);
  CHECK(fixture.dedup.stats().duplicates == 2);
  fixture.clock.advance(milliseconds(dedup_window_ms));
  CHECK(fixture.find("one") == first);
  fixture.clock.advance(milliseconds(1));
  CHECK_FALSE(fixture.find("one"));
  CHECK(fixture.dedup.stats().entries == 0);
}

TEST_CASE("dedup: what was known is known after reopening, with the rest of its window") {
  DedupFixture fixture;
  fixture.open();
  const Sequence first = fixture.keep({"one", "two"});
  fixture.clock.advance(seconds(200));
  const Sequence third = fixture.keep({"three"});
  fixture.reopen();
  CHECK(fixture.find("two") == first.next());
  CHECK(fixture.find("three") == third);
  fixture.clock.advance(seconds(101));
  CHECK_FALSE(fixture.find("two"));
  CHECK(fixture.find("three") == third);
}

TEST_CASE("dedup: rows older than the window are erased by later changes, also after a restart") {
  DedupFixture fixture;
  fixture.open();
  for (int index = 0; index < 6; ++index) fixture.keep({"old-" + std::to_string(index)});
  CHECK(fixture.rows() == 6);
  fixture.clock.advance(seconds(301));
  CHECK_FALSE(fixture.find("old-0"));
  fixture.keep({"new-1"});
  CHECK(fixture.rows() == 5);
  fixture.reopen();
  CHECK(fixture.dedup.stats().entries == 1);
  fixture.keep({"new-2"});
  fixture.keep({"new-3"});
  CHECK(fixture.rows() == 3);
  CHECK(fixture.find("new-1"));
}

TEST_CASE("dedup: a full table forgets the oldest early and counts it") {
  DedupFixture fixture;
  fixture.open();
  const size_t pack = 256;
  for (size_t index = 0; index < dedup_entries_max; index += pack) {
    std::vector<std::string> ids;
    for (size_t id = index; id < index + pack; ++id) ids.push_back(std::to_string(id));
    fixture.keep(ids);
  }
  CHECK(fixture.dedup.stats().entries == dedup_entries_max);
  CHECK(fixture.dedup.stats().shortened == 0);
  CHECK(fixture.find("0"));
  fixture.keep({"one-more"});
  CHECK(fixture.dedup.stats().shortened == 189);  // one row
  CHECK(fixture.dedup.stats().entries <= dedup_entries_max);
  CHECK_FALSE(fixture.find("0"));
  CHECK(fixture.find(std::to_string(pack)));
  CHECK(fixture.find("one-more"));
}

TEST_CASE("dedup: an id that left the full table early and came again is kept by its newer row") {
  // Forgetting the older row, which a restart had read again, used to take the newer entry with it.
  DedupFixture fixture;
  fixture.open();
  fixture.keep({"again"});
  fixture.clock.advance(seconds(200));
  const Sequence newer = fixture.keep({"again"});
  fixture.reopen();
  fixture.clock.advance(seconds(101));
  CHECK_FALSE(fixture.find("unrelated"));
  CHECK(fixture.find("again") == newer);
}

TEST_CASE("dedup: the largest request fits the rows of the store") {
  // One row for a request of 256 events had more bytes than a leaf page takes without overflow.
  DedupFixture fixture;
  fixture.open();
  std::vector<std::string> ids;
  for (size_t id = 0; id < limits::batch_events_max; ++id) ids.push_back(std::to_string(id));
  const Sequence first = fixture.keep(ids);
  auto snapshot = fixture.store->reader().snapshot();
  REQUIRE(snapshot.ok());
  const store::Key prefix = store::dedup_prefix();
  size_t largest = 0;
  REQUIRE(snapshot
              ->scan(prefix, prefix,
                     [&](ByteSpan, ByteSpan value) {
                       largest = std::max(largest, value.size());
                       return true;
                     })
              .ok());
  CHECK(largest <= limits::store_part_bytes_max);
  CHECK(fixture.find("255") == first.plus(255));
}
