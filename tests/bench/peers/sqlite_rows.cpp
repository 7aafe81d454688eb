#include "tests/bench/peers/sqlite_rows.hpp"

#include <sqlite3.h>

#include "store/keys.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/raw_queue.hpp"

namespace limpet::bench {

namespace {

class Statement {
 public:
  Statement(sqlite3* database, const char* text) {
    if (sqlite3_prepare_v2(database, text, -1, &statement_, nullptr) != SQLITE_OK) {
      fail(std::string("sqlite: ") + sqlite3_errmsg(database));
    }
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  [[nodiscard]] sqlite3_stmt* get() const { return statement_; }
  void bind(int place, uint64_t value) {
    sqlite3_bind_int64(statement_, place, static_cast<sqlite3_int64>(value));
  }
  void bind(int place, ByteSpan value) {
    sqlite3_bind_blob(statement_, place, value.data(), static_cast<int>(value.size()), nullptr);
  }
  // true: a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
      fail(std::string("sqlite: ") + sqlite3_errstr(code));
    }
    return code == SQLITE_ROW;
  }
  void run() {
    static_cast<void>(step());
    sqlite3_reset(statement_);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// A connection for each of the two threads; the first one makes the table.
class Database {
 public:
  explicit Database(const std::string& directory) {
    if (sqlite3_open((directory + "/queue.sqlite").c_str(), &database_) != SQLITE_OK) {
      fail("sqlite: cannot open");
    }
    for (const char* text :
         {"PRAGMA busy_timeout=10000", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
          "CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)"}) {
      if (sqlite3_exec(database_, text, nullptr, nullptr, nullptr) != SQLITE_OK) {
        fail(std::string("sqlite: ") + sqlite3_errmsg(database_));
      }
    }
  }
  ~Database() { sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  [[nodiscard]] sqlite3* get() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

// Keys are numbers of eight bytes.
class SqliteRows final : public RowStore {
 public:
  explicit SqliteRows(const std::string& directory) : writing_(directory), reading_(directory) {}

  void begin() override { begin_.run(); }
  void append(ByteSpan key, ByteSpan value) override { put(key, value); }
  void put(ByteSpan key, ByteSpan value) override {
    insert_.bind(1, store::read_u64(key));
    insert_.bind(2, value);
    insert_.run();
  }
  void erase(ByteSpan key) override {
    erase_.bind(1, store::read_u64(key));
    erase_.run();
  }
  void commit() override { commit_.run(); }

  void read(ByteSpan from, size_t count_max, const Visitor& visit) override {
    select_.bind(1, store::read_u64(from));
    select_.bind(2, uint64_t{count_max});
    while (select_.step()) {
      const auto* payload = static_cast<const uint8_t*>(sqlite3_column_blob(select_.get(), 1));
      visit({}, {payload, static_cast<size_t>(sqlite3_column_bytes(select_.get(), 1))});
    }
    sqlite3_reset(select_.get());
  }

 private:
  Database writing_;
  Database reading_;
  Statement begin_{writing_.get(), "BEGIN IMMEDIATE"};
  Statement insert_{writing_.get(), "INSERT INTO tasks VALUES (?, ?)"};
  Statement erase_{writing_.get(), "DELETE FROM tasks WHERE id = ?"};
  Statement commit_{writing_.get(), "COMMIT"};
  Statement select_{reading_.get(), "SELECT id, payload FROM tasks WHERE id >= ? LIMIT ?"};
};

}  // namespace

std::unique_ptr<CycleSubject> make_sqlite_cycle(const CycleOptions& options) {
  return make_minimal_queue(std::make_unique<SqliteRows>(options.directory));
}

}  // namespace limpet::bench
