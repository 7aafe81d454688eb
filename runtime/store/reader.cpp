#include "store/reader.hpp"

#include <lmdb.h>

#include <cstring>

#include "base/check.hpp"
#include "codec/records.hpp"
#include "store/environment.hpp"

namespace limpet::store {

namespace {

MDB_val to_value(ByteSpan bytes) { return {bytes.size(), const_cast<uint8_t*>(bytes.data())}; }
ByteSpan to_bytes(const MDB_val& value) {
  return {static_cast<const uint8_t*>(value.mv_data), value.mv_size};
}
bool begins_with(ByteSpan bytes, ByteSpan prefix) {
  return bytes.size() >= prefix.size() &&
         std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

}  // namespace

Reader::Reader(MDB_env* environment, unsigned tree) : environment_(environment), tree_(tree) {}

Reader::~Reader() {
  LIMPET_ASSERT(!open_);
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  if (transaction_ != nullptr) mdb_txn_abort(transaction_);
}

Result<Reader::Snapshot> Reader::snapshot() {
  LIMPET_ASSERT(!open_);
  const int code = transaction_ == nullptr
                       ? mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction_)
                       : mdb_txn_renew(transaction_);
  if (code != 0) return lmdb_error(code, "store: begin reading");
  const int cursor_code = cursor_ == nullptr ? mdb_cursor_open(transaction_, tree_, &cursor_)
                                             : mdb_cursor_renew(transaction_, cursor_);
  if (cursor_code != 0) {
    mdb_txn_reset(transaction_);
    return lmdb_error(cursor_code, "store: open cursor");
  }
  open_ = true;
  return Snapshot(this);
}

Reader::Snapshot::~Snapshot() {
  if (reader_ == nullptr) return;
  mdb_txn_reset(reader_->transaction_);
  reader_->open_ = false;
}

Result<std::optional<Reader::Row>> Reader::seek(ByteSpan key) {
  MDB_val found = to_value(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &found, &value, MDB_SET_RANGE);
  if (code == MDB_NOTFOUND) return std::optional<Row>();
  if (code != 0) return lmdb_error(code, "store: seek");
  return std::optional<Row>(Row{to_bytes(found), to_bytes(value)});
}

Result<std::optional<Reader::Row>> Reader::step() {
  MDB_val key{};
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT);
  if (code == MDB_NOTFOUND) return std::optional<Row>();
  if (code != 0) return lmdb_error(code, "store: next row");
  return std::optional<Row>(Row{to_bytes(key), to_bytes(value)});
}

Result<std::optional<ByteSpan>> Reader::Snapshot::get(const Key& key) const {
  MDB_val lookup = to_value(key.bytes());
  MDB_val value{};
  const int code = mdb_get(reader_->transaction_, reader_->tree_, &lookup, &value);
  if (code == MDB_NOTFOUND) return std::optional<ByteSpan>();
  if (code != 0) return lmdb_error(code, "store: read row");
  return std::optional<ByteSpan>(to_bytes(value));
}

Result<void> Reader::Snapshot::scan(const Key& from, const Key& prefix,
                                    const RowVisitor& visit) const {
  LIMPET_TRY(std::optional<Row> row, reader_->seek(from.bytes()));
  while (row && begins_with(row->key, prefix.bytes())) {
    if (!visit(row->key, row->value)) return {};
    LIMPET_TRY(row, reader_->step());
  }
  return {};
}

Result<std::optional<Reader::Snapshot::KeyValue>> Reader::Snapshot::last_before(
    const Key& bound, const Key& prefix) const {
  LIMPET_TRY(const std::optional<Row> at, reader_->seek(bound.bytes()));
  MDB_val key{};
  MDB_val value{};
  const int code = mdb_cursor_get(reader_->cursor_, &key, &value, at ? MDB_PREV : MDB_LAST);
  if (code == MDB_NOTFOUND) return std::optional<KeyValue>();
  if (code != 0) return lmdb_error(code, "store: seek back");
  if (!begins_with(to_bytes(key), prefix.bytes())) return std::optional<KeyValue>();
  return std::optional<KeyValue>(KeyValue{to_bytes(key), to_bytes(value)});
}

// Puts the parts of one event together. On return `row` is the first row after it, if `more_out`.
Result<ByteSpan> Reader::join_parts(Sequence sequence, Row* row, bool* more_out) {
  ByteSpan record = row->value;
  bool joined = false;
  uint32_t next_part = 1;
  while (true) {
    LIMPET_TRY(std::optional<Row> following, step());
    *more_out = following.has_value();
    if (following) *row = *following;
    const std::optional<LogPlace> place = following ? parse_log_key(following->key) : std::nullopt;
    if (!place || place->sequence != sequence || place->part != next_part) return record;
    if (!joined) joined_.assign(record.begin(), record.end());
    joined_.insert(joined_.end(), following->value.begin(), following->value.end());
    joined = true;
    ++next_part;
    record = joined_;
  }
}

Result<EventsRead> Reader::Snapshot::events(Sequence first, uint32_t count_max,
                                            const EventVisitor& visit) const {
  return records(first, count_max,
                 [&visit](const EventView& event, size_t) { return visit(event); });
}

Result<EventsRead> Reader::Snapshot::records(Sequence first, uint32_t count_max,
                                             const RecordVisitor& visit) const {
  EventsRead result{first};
  LIMPET_TRY(std::optional<Row> found, reader_->seek(log_key(first, 0).bytes()));
  bool more = found.has_value();
  Row row = found.value_or(Row{});
  while (more && result.visited + result.corrupt < count_max) {
    const std::optional<LogPlace> place = parse_log_key(row.key);
    if (!place) {
      ++result.corrupt;
      LIMPET_TRY(std::optional<Row> following, reader_->step());
      more = following.has_value();
      row = following.value_or(Row{});
      continue;
    }
    LIMPET_TRY(ByteSpan record, reader_->join_parts(place->sequence, &row, &more));
    result.next = place->sequence.next();
    const Result<EventView> event = codec::decode_event(record, place->sequence);
    if (!event.ok()) {
      ++result.corrupt;
      continue;
    }
    ++result.visited;
    if (!visit(*event, record.size())) break;
  }
  return result;
}

Result<Sequence> Reader::Snapshot::first_event() const {
  LIMPET_TRY(std::optional<Row> row, reader_->seek(log_key(Sequence(0), 0).bytes()));
  const std::optional<LogPlace> place = row ? parse_log_key(row->key) : std::nullopt;
  return place ? place->sequence : Sequence();
}

}  // namespace limpet::store
