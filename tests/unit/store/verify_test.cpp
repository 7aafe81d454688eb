#include "store/verify.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstring>

#include "codec/records.hpp"
#include "store/inspect.hpp"
#include "store/stopped_store.hpp"
#include "store_fixture.hpp"
#include "tamper.hpp"

using namespace limpet;
using namespace limpet::store;
using namespace limpet::testing;

namespace {

constexpr uint64_t run_number = 2;

std::string first_of(const VerifyReport& report) {
  if (report.first.empty()) return "nothing";
  return report.first.front().key + ": " + report.first.front().text;
}

// Ten events, the fourth in several parts, and a run with two parts of state and a step; closed.
struct Filled : StoreFixture {
  Filled() {
    open();
    for (int index = 0; index < 10; ++index) {
      const ByteVector large(index == 3 ? 5000 : 10, 'x');
      append("a.event", codec::cbor_item(codec::CborScalar(large)));
    }
    Change change = store->begin();
    Run run;
    run.id = RunId(run_number);
    run.agent = "watchdog";
    run.state = RunState::waiting;
    run.state_parts = 2;
    change.put(run_key(run.id, Ordinal()), codec::encode_run(run).value());
    Step step;
    step.ordinal = Ordinal(1);
    step.name = "look";
    change.put(run_key(run.id, Ordinal(1)), codec::encode_step(step).value());
    change.put(run_state_key(run.id, 0), as_bytes("first"));
    change.put(run_state_key(run.id, 1), as_bytes("second"));
    ++change.hot().runs[static_cast<size_t>(RunState::waiting)];
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
    store.reset();
  }

  [[nodiscard]] std::string file() const { return store_file(options.directory); }
  [[nodiscard]] VerifyReport check() const {
    auto stopped = StoppedStore::open(options.directory, StoppedStore::Lock::take);
    REQUIRE(stopped.ok());
    return verify(*stopped);
  }
  // Verifies after one row was changed, and says what was found first.
  template <class Change>
  std::string after(const Change& change) const {
    change_rows(file(), change);
    const VerifyReport report = check();
    CHECK(report.tree_sound);
    return first_of(report);
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("verify: a store that was closed is good, and everything in it is counted") {
  const Filled filled;
  const VerifyReport report = filled.check();
  CHECK_MESSAGE(report.good(), first_of(report));
  CHECK(report.events == 10);
  CHECK(report.runs == 1);
  CHECK(report.steps == 1);
  CHECK(report.rows == 1 + 12 + 4);
}

TEST_CASE("verify: a flipped byte in an event's record is found") {
  const Filled filled;
  const std::string found = filled.after([](MDB_txn* transaction, MDB_dbi tree) {
    const Key key = log_key(Sequence(7), 0);
    ByteVector record = get_row(transaction, tree, key);
    record.back() ^= 1;
    put_row(transaction, tree, key, record);
  });
  CHECK_MESSAGE(contains(found, "event 7"), found);
}

TEST_CASE("verify: a record under another event's key is found") {
  const Filled filled;
  const std::string found = filled.after([](MDB_txn* transaction, MDB_dbi tree) {
    put_row(transaction, tree, log_key(Sequence(7), 0),
            get_row(transaction, tree, log_key(Sequence(8), 0)));
  });
  CHECK_MESSAGE(contains(found, "event 7"), found);
}

TEST_CASE("verify: a missing part of an event is found, the first, a middle one and the last") {
  for (const uint8_t part : {uint8_t{0}, uint8_t{1}, uint8_t{2}}) {
    CAPTURE(part);
    const Filled filled;
    const std::string found = filled.after([part](MDB_txn* transaction, MDB_dbi tree) {
      erase_row(transaction, tree, log_key(Sequence(4), part));
    });
    CHECK_MESSAGE(contains(found, "event 4"), found);
  }
}

TEST_CASE("verify: a counter that does not count is found") {
  const Filled filled;
  const std::string found = filled.after([](MDB_txn* transaction, MDB_dbi tree) {
    HotRecord hot = decode_hot(get_row(transaction, tree, hot_key())).value();
    hot.events = 11;
    uint8_t buffer[hot_record_bytes_max];
    put_row(transaction, tree, hot_key(), encode_hot(hot, buffer).value());
  });
  CHECK_MESSAGE(contains(found, "events: it says 11, there are 10"), found);
}

TEST_CASE("verify: a run's damaged record, lost state and lost header are found") {
  const RunId run(run_number);
  {
    const Filled filled;
    const std::string found = filled.after([run](MDB_txn* transaction, MDB_dbi tree) {
      ByteVector record = get_row(transaction, tree, run_key(run, Ordinal()));
      record[7] ^= 0x10;
      put_row(transaction, tree, run_key(run, Ordinal()), record);
    });
    CHECK_MESSAGE(contains(found, "run 2: its record is damaged"), found);
  }
  {
    const Filled filled;
    const std::string found = filled.after([run](MDB_txn* transaction, MDB_dbi tree) {
      erase_row(transaction, tree, run_state_key(run, 1));
    });
    CHECK_MESSAGE(contains(found, "its state has 1 parts instead of 2"), found);
  }
  {
    const Filled filled;
    const std::string found = filled.after([run](MDB_txn* transaction, MDB_dbi tree) {
      erase_row(transaction, tree, run_key(run, Ordinal()));
    });
    CHECK_MESSAGE(contains(found, "run 2: it has rows and no header"), found);
  }
}

TEST_CASE("verify: work that refers to nothing is found") {
  {
    const Filled filled;
    const std::string found = filled.after([](MDB_txn* transaction, MDB_dbi tree) {
      put_row(transaction, tree, ready_key({{1, 0, 5}, 1000, 0}), ByteVector(8, 9));
    });
    CHECK_MESSAGE(contains(found, "there is no run"), found);
  }
  {
    const Filled filled;
    const std::string found = filled.after([](MDB_txn* transaction, MDB_dbi tree) {
      put_row(transaction, tree, inbox_key(RunId(run_number), Sequence(99)), ByteVector(11, 0));
    });
    CHECK_MESSAGE(contains(found, "there is no event 99"), found);
  }
}

TEST_CASE("verify: counters of queues that do not count are found") {
  const Filled filled;
  const std::string found = filled.after([](MDB_txn* transaction, MDB_dbi tree) {
    HotRecord hot = decode_hot(get_row(transaction, tree, hot_key())).value();
    hot.queues[2] = {3, 30, 1};
    uint8_t buffer[hot_record_bytes_max];
    put_row(transaction, tree, hot_key(), encode_hot(hot, buffer).value());
  });
  CHECK_MESSAGE(contains(found, "dead letters of queue 18: it says 1, there are 0"), found);
  CHECK(filled.check().problems == 2);
}

TEST_CASE("verify: all problems are counted, the first sixteen are kept") {
  const Filled filled;
  filled.after([](MDB_txn* transaction, MDB_dbi tree) {
    for (uint32_t number = 0; number < 50; ++number) {
      put_row(transaction, tree, Key('d').u32(number), as_bytes("x"));
    }
  });
  const VerifyReport report = filled.check();
  CHECK(report.problems == 50);
  CHECK(report.first.size() == verify_problems_max);
}

TEST_CASE("verify: keys out of order, as a page found twice has them, are the tree's fault") {
  const Filled filled;
  // Swaps two keys of one page where they lie.
  ByteVector bytes = read_bytes(filled.file(), 0, 64 * size_t{store_page_bytes});
  const ByteVector low = {'z', 0, 0, 0, 0, 0, 0, 0, 1, 0};
  const ByteVector high = {'z', 0, 0, 0, 0, 0, 0, 0, 9, 9};
  size_t changed = 0;
  for (size_t at = 2 * size_t{store_page_bytes}; at + low.size() < bytes.size(); ++at) {
    if (std::memcmp(bytes.data() + at, low.data(), low.size()) != 0) continue;
    write_bytes(filled.file(), at, high);
    ++changed;
  }
  REQUIRE(changed > 0);
  const VerifyReport report = filled.check();
  CHECK_FALSE(report.good());
  CHECK_FALSE(report.tree_sound);
}

TEST_CASE("verify: a list of free pages that names pages outside the file is the tree's fault") {
  const Filled filled;
  const layout::MetaPage meta = newest_meta(filled.file());
  REQUIRE(meta.meta.trees[0].root != layout::no_page);
  const uint64_t page = uint64_t{meta.meta.trees[0].root} * store_page_bytes;
  ByteVector bytes = read_bytes(filled.file(), page, store_page_bytes);
  // The last word of the page is the smallest page number of the first row that was put there.
  const size_t wrong = meta.meta.last_page + 1000;
  std::memcpy(bytes.data() + bytes.size() - sizeof wrong, &wrong, sizeof wrong);
  write_bytes(filled.file(), page, bytes);
  const VerifyReport report = filled.check();
  CHECK_FALSE(report.tree_sound);
  REQUIRE_FALSE(report.first.empty());
  CHECK(report.first.front().key == "free pages");
}

TEST_CASE("inspect: says what a stopped store holds, and a daemon's is refused") {
  Filled filled;
  {
    auto stopped = StoppedStore::open(filled.options.directory, StoppedStore::Lock::take);
    REQUIRE(stopped.ok());
    const Result<Inspection> found = inspect(*stopped);
    REQUIRE(found.ok());
    CHECK(found->hot.epoch == Epoch(42));
    CHECK(found->hot.incarnation == Incarnation(1));
    CHECK(found->first == Sequence(1));
    CHECK(found->hot.next_sequence == Sequence(11));
    CHECK(found->rows == 17);
    CHECK(found->used_bytes >= 3 * store_page_bytes);
    CHECK(found->file_bytes >= filled.options.max_bytes);
    const Result<RowCounts> rows = count_rows(*stopped);
    REQUIRE(rows.ok());
    CHECK(rows->regions.at('z').rows == 12);
    CHECK(rows->regions.at('z').bytes > 5000);
    CHECK(rows->regions.at('n').rows == 4);
    const Result<void> meanwhile = filled.try_open();
    REQUIRE_FALSE(meanwhile.ok());
    CHECK(meanwhile.error().code == ErrorCode::busy);
  }
  filled.open();
  const auto refused = StoppedStore::open(filled.options.directory, StoppedStore::Lock::take);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::busy);
}

TEST_CASE("inspect: works on a store that cannot be written, and leaves it as it is") {
  const Filled filled;
  const ByteVector before = read_bytes(filled.file(), 0, 1 << 20);
  REQUIRE(chmod(filled.file().c_str(), 0400) == 0);
  const VerifyReport report = filled.check();
  CHECK(report.good());
  CHECK(read_bytes(filled.file(), 0, 1 << 20) == before);
}
