// The store when there is no more room: in max_bytes, in the reserve, in the map, on the disk.
// Elsewhere a full disk made a loop of errors (fluent-bit #9669), a panic (vector #8763), a quota
// that drifted away from what was there (fluent-bit #2688), and a map so full that even deleting
// failed for want of pages (lmdbjava #236).

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "store/store.hpp"
#include "tests/crash/fast_directory.hpp"
#include "tests/crash/mounts.hpp"
#include "tests/crash/seed.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/quiet_logger.hpp"

using namespace limpet;
using namespace limpet::testing;
using store::Urgency;

namespace {

// Rows under scattered keys: each in a page of its own, so that a change costs as much as it can.
struct Shape {
  size_t rows_a_change = 5;
  size_t key_bytes = 20;
  size_t value_bytes = 8;
};

class FullStore {
 public:
  static constexpr uint64_t exchanged = 1000000;  // added to a row's number when it is exchanged

  FullStore(const std::string& directory, uint64_t max_bytes, Shape shape)
      : options_{directory, max_bytes, true, "", Epoch(1)}, shape_(shape) {
    open();
  }

  void open() {
    store_.reset();
    auto opened = store::Store::open(options_, {clock_, logger_, nullptr, Duration{}});
    if (!opened.ok()) FAIL("the store does not open: " << to_string(opened.error()));
    store_ = std::move(opened).value();
  }
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] uint64_t rows() const { return rows_; }
  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }

  [[nodiscard]] store::Key key_of(uint64_t row) const {
    std::string text = std::to_string(row * 0x9e3779b97f4a7c15ull);
    text.resize(std::max(text.size(), shape_.key_bytes), 'k');
    return store::idempotency_key(text);
  }

  // One change of new rows; the answer of submit. If that is busy, the writer is waited for once.
  Result<void> add(bool wait = true) {
    store::Change change = store_->begin();
    const std::string value(shape_.value_bytes, 'v');
    for (size_t row = 1; row <= shape_.rows_a_change; ++row) {
      change.put(key_of(rows_ + row), as_bytes(value));
    }
    const Result<void> submitted = submit(std::move(change));
    if (submitted.ok()) rows_ += shape_.rows_a_change;
    if (submitted.ok() || !wait || submitted.error().code != ErrorCode::busy) return submitted;
    store_->drain();
    return add(false);
  }
  // Writes or erases some of the rows that are there.
  Result<void> touch(std::mt19937& engine, bool erases) {
    store::Change change = store_->begin();
    const std::string value(shape_.value_bytes, 'w');
    for (size_t row = 0; row < shape_.rows_a_change; ++row) {
      const store::Key key = key_of(1 + engine() % rows_);
      if (erases) {
        change.erase(key);
      } else {
        change.put(key, as_bytes(value));
      }
    }
    return submit(std::move(change));
  }
  // One row goes, another comes.
  Result<void> exchange(uint64_t row) {
    store::Change change = store_->begin();
    change.erase(key_of(row));
    change.put(key_of(row + exchanged), as_bytes("next"));
    return submit(std::move(change));
  }
  Result<void> erase(uint64_t first, uint64_t count) {
    store::Change change = store_->begin();
    for (uint64_t row = first; row < first + count; ++row) change.erase(key_of(row));
    return submit(std::move(change));
  }

  // New work until it is refused; the refusal.
  Error fill() {
    const size_t bytes = shape_.rows_a_change * (shape_.key_bytes + shape_.value_bytes + 16);
    while (true) {
      Result<void> admitted = store_->admit(bytes, Urgency::ingest);
      if (!admitted.ok()) {
        store_->drain();
        admitted = store_->admit(bytes, Urgency::ingest);
      }
      if (!admitted.ok()) return admitted.error();
      const Result<void> added = add();
      if (!added.ok()) return added.error();
    }
  }

  [[nodiscard]] uint64_t count_rows() {
    const auto snapshot = store_->reader().snapshot();
    REQUIRE(snapshot.ok());
    uint64_t count = 0;
    const store::Key prefix('i');
    REQUIRE(snapshot->scan(prefix, prefix, [&](ByteSpan, ByteSpan) { return ++count > 0; }).ok());
    return count;
  }

 private:
  Result<void> submit(store::Change change) {
    change.on_done([this](const Result<void>& result) { acknowledged_ += result.ok() ? 1 : 0; });
    return store_->submit(std::move(change));
  }

  const store::OpenOptions options_;
  const Shape shape_;
  ManualClock clock_;
  QuietLogger logger_;
  uint64_t rows_ = 0;  // given out so far
  uint64_t acknowledged_ = 0;
  std::unique_ptr<store::Store> store_;
};

}  // namespace

TEST_CASE("store: full to max_bytes, it finishes changes in windows of any size") {
  // A batch of many changes once touched so many pages that the map had no more of them: each is
  // written anew, and what a commit frees cannot be used by the next. The store closed.
  Chance chance("store full test");
  std::mt19937 engine(chance.up_to(1u << 30));
  for (const Shape shape : {Shape{5, 20, 8}, Shape{3, 200, 8}, Shape{2, 20, 1800}}) {
    const FastDirectory directory;
    FullStore full(directory.file("data"), uint64_t{4} << 20, shape);
    CHECK(full.fill().code == ErrorCode::full);
    CHECK(full.store().info().used_bytes > (uint64_t{4} << 20) / 10 * 9);
    for (const size_t window : {size_t{1}, size_t{64}, size_t{1000}}) {
      CAPTURE(window);
      for (int round = 0; round < 4; ++round) {
        const uint64_t before = full.acknowledged();
        uint64_t submitted = 0;
        for (size_t change = 0; change < window; ++change) {
          const Result<void> touched = full.touch(engine, round == 3);
          if (!touched.ok()) REQUIRE(touched.error().code == ErrorCode::busy);
          submitted += touched.ok() ? 1 : 0;
        }
        full.store().drain();
        REQUIRE_FALSE(full.store().failure());
        CHECK(submitted >= std::min(window, size_t{400}));
        CHECK(full.acknowledged() - before == submitted);
      }
    }
  }
}

TEST_CASE("store: filled from outside in the largest batches, it says full and does not close") {
  const FastDirectory directory;
  FullStore full(directory.file("data"), uint64_t{16} << 20, {40, 20, 8});
  CHECK(full.fill().code == ErrorCode::full);
  REQUIRE_FALSE(full.store().failure());
  // Splitting pages costs more than estimated when all of them are nearly full; the reserve pays.
  CHECK(full.store().info().used_bytes < (uint64_t{17} << 20));
}

TEST_CASE("store: its reserve used up, it stays open, erases, opens again and takes new work") {
  // What must finish is never asked whether there is room. Without an end to that the map filled up
  // to the last page; then even erasing failed, after each start again.
  Chance chance("store reserve test");
  for (unsigned life = 0; life < testing::kills_wanted(12); ++life) {
    const Shape shape{1 + chance.up_to(39), chance.up_to(200), chance.up_to(1900)};
    CAPTURE(shape.rows_a_change);
    CAPTURE(shape.key_bytes);
    CAPTURE(shape.value_bytes);
    const FastDirectory directory;
    FullStore full(directory.file("data"), uint64_t{1} << 20, shape);
    Result<void> added;
    while (added.ok()) added = full.add();
    REQUIRE(added.error().code == ErrorCode::busy);
    CHECK(full.store().info().used_bytes > uint64_t{2} << 20);
    CHECK(full.store().admit(1, Urgency::ingest).error().code == ErrorCode::full);
    CHECK(full.count_rows() == full.rows());

    for (uint64_t row = 1; row <= 20; ++row) CHECK(full.exchange(row).ok());
    full.store().drain();
    CHECK(full.erase(FullStore::exchanged + 1, 20).ok());
    full.open();
    for (uint64_t row = 1; row <= full.rows(); row += 20) {
      Result<void> erased = full.erase(row, 20);
      if (!erased.ok()) {
        full.store().drain();
        erased = full.erase(row, 20);
      }
      REQUIRE(erased.ok());
    }
    full.store().drain();
    REQUIRE_FALSE(full.store().failure());
    CHECK(full.count_rows() == 0);
    CHECK(full.store().admit(1000, Urgency::ingest).ok());
    CHECK(full.add().ok());
  }
}

TEST_CASE("store: a snapshot held over many commits of a full store costs a restart, not a loss") {
  // While a snapshot lives, nothing that was freed since can be used again. Snapshots last one
  // function; this one is held on purpose.
  const FastDirectory directory;
  FullStore full(directory.file("data"), uint64_t{4} << 20, {5, 20, 8});
  CHECK(full.fill().code == ErrorCode::full);
  std::mt19937 engine(1);
  const std::unique_ptr<store::Reader> other = full.store().new_reader();
  {
    auto snapshot = other->snapshot();
    REQUIRE(snapshot.ok());
    for (int change = 0; change < 2000 && !full.store().failure(); ++change) {
      const Result<void> touched = full.touch(engine, false);
      if (!touched.ok()) CHECK(touched.error().code == ErrorCode::closed);
      full.store().drain();
    }
  }
  REQUIRE(full.store().failure());
  CHECK(full.store().failure()->code == ErrorCode::full);
}

TEST_CASE("store: on a full disk it refuses new work, finishes, reads, and goes on after erasing") {
  const MemoryDisk disk(uint64_t{24} << 20);
  if (!disk.mounted()) {
    MESSAGE("skipped: " << disk.why_not());
    return;
  }
  FullStore full(disk.file("data"), uint64_t{16} << 20, {20, 20, 400});
  disk.fill("ballast");  // whatever the store did not take at once is gone
  CHECK(full.fill().code == ErrorCode::full);
  const uint64_t rows = full.rows();
  CHECK(full.count_rows() == rows);
  std::mt19937 engine(1);
  for (int change = 0; change < 200; ++change) {
    CHECK(full.touch(engine, false).ok());
    if (change % 50 == 0) full.store().drain();
  }
  CHECK(full.add().ok());  // what must finish, within the reserve
  full.store().drain();
  REQUIRE_FALSE(full.store().failure());
  CHECK(full.store().admit(1000, Urgency::ingest).error().code == ErrorCode::full);
  for (uint64_t row = 1; row < rows / 4 * 3; row += 20) CHECK(full.erase(row, 20).ok());
  full.store().drain();
  REQUIRE_FALSE(full.store().failure());
  CHECK(full.store().admit(1000, Urgency::ingest).ok());
  CHECK(full.add().ok());
  full.open();
  CHECK(full.count_rows() <= full.rows());
}

TEST_CASE("store: a disk without room for max_bytes is refused at the start, not met in a commit") {
  const MemoryDisk disk(uint64_t{24} << 20);
  if (!disk.mounted()) {
    MESSAGE("skipped: " << disk.why_not());
    return;
  }
  ManualClock clock;
  QuietLogger logger;
  const auto opened =
      store::Store::open({disk.file("data"), uint64_t{64} << 20, true, "", Epoch(1)},
                         {clock, logger, nullptr, Duration{}});
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::full);
  CHECK(opened.error().system_error == ENOSPC);
  FullStore smaller(disk.file("data"), uint64_t{8} << 20, {});
  CHECK(smaller.add().ok());
}
