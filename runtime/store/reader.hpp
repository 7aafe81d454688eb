#pragma once

// Reader: looks at what is committed, and only that: visible means durable.
// Owner: one thread's owner of it (main has one). Thread: the one that made it. Fails with: io,
// corrupt. Limits: a Snapshot pins pages of the file, so it is short: it lives for one function,
// and long readings take a new one every limits::read_records_max records.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/event.hpp"
#include "store/keys.hpp"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace limpet::store {

// Returns false to stop.
using RowVisitor = std::function<bool(ByteSpan key, ByteSpan value)>;
using EventVisitor = std::function<bool(const EventView& event)>;
// With the size of its record, which is what the log and its class count.
using RecordVisitor = std::function<bool(const EventView& event, size_t record_bytes)>;

struct EventsRead {
  Sequence next;  // where to go on; the end of the log when all was read
  uint32_t visited = 0;
  uint32_t corrupt = 0;  // records that did not match their checksum; skipped
};

class Reader {
 public:
  Reader(MDB_env* environment, unsigned tree);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // One consistent state of the store. At most one at a time per Reader; views end with it.
  class Snapshot {
   public:
    ~Snapshot();
    Snapshot(Snapshot&& other) noexcept : reader_(std::exchange(other.reader_, nullptr)) {}
    Snapshot& operator=(Snapshot&&) = delete;

    // nullopt: no such row.
    [[nodiscard]] Result<std::optional<ByteSpan>> get(const Key& key) const LIMPET_LIFETIMEBOUND;
    // Rows with key >= `from` that begin with `prefix`, in order.
    [[nodiscard]] Result<void> scan(const Key& from, const Key& prefix,
                                    const RowVisitor& visit) const;
    // The last row with a key < `bound` that begins with `prefix`; nullopt: there is none.
    struct KeyValue {
      ByteSpan key;
      ByteSpan value;
    };
    [[nodiscard]] Result<std::optional<KeyValue>> last_before(const Key& bound,
                                                              const Key& prefix) const;
    // Events from `first` on, at most `count_max`. A damaged record is counted and skipped.
    //   log 1..5, trimmed to 3:  events(1, 10) visits 3, 4, 5 and answers next = 6
    [[nodiscard]] Result<EventsRead> events(Sequence first, uint32_t count_max,
                                            const EventVisitor& visit) const;
    [[nodiscard]] Result<EventsRead> records(Sequence first, uint32_t count_max,
                                             const RecordVisitor& visit) const;
    // The first sequence the log still holds; none when it is empty.
    [[nodiscard]] Result<Sequence> first_event() const;

   private:
    friend class Reader;
    explicit Snapshot(Reader* reader) : reader_(reader) {}
    Reader* reader_;
  };

  // Errors: io (no reader slot left).
  [[nodiscard]] Result<Snapshot> snapshot();

 private:
  struct Row {
    ByteSpan key;
    ByteSpan value;
  };
  [[nodiscard]] Result<std::optional<Row>> seek(ByteSpan key);
  [[nodiscard]] Result<std::optional<Row>> step();
  [[nodiscard]] Result<ByteSpan> join_parts(Sequence sequence, Row* row_in_out, bool* more_out);

  MDB_env* const environment_;
  const unsigned tree_;
  MDB_txn* transaction_ = nullptr;  // kept between snapshots: renewing costs no system call
  MDB_cursor* cursor_ = nullptr;
  bool open_ = false;
  ByteVector joined_;  // an event of several parts, put together
};

}  // namespace limpet::store
