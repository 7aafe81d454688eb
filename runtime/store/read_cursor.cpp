#include "store/read_cursor.hpp"

#include <lmdb.h>

#include "store/environment.hpp"

namespace limpet::store {

namespace {

ByteSpan to_bytes(const MDB_val& value) {
  return {static_cast<const uint8_t*>(value.mv_data), value.mv_size};
}

}  // namespace

Result<ReadCursor> ReadCursor::open(MDB_env* environment, unsigned tree) {
  ReadCursor cursor;
  cursor.tree_ = tree;
  if (const int code = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &cursor.transaction_)) {
    return lmdb_error(code, "store: begin reading");
  }
  if (const int code = mdb_cursor_open(cursor.transaction_, tree, &cursor.cursor_)) {
    return lmdb_error(code, "store: open cursor");
  }
  return cursor;
}

ReadCursor::~ReadCursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  if (transaction_ != nullptr) mdb_txn_abort(transaction_);
}

Result<bool> ReadCursor::next() {
  MDB_val key{};
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_error(code, "store: next row");
  key_ = to_bytes(key);
  value_ = to_bytes(value);
  return true;
}

TreeStatistics ReadCursor::statistics() const {
  MDB_stat tree{};
  mdb_stat(transaction_, tree_, &tree);
  return {tree.ms_entries,
          uint64_t{tree.ms_branch_pages} + tree.ms_leaf_pages + tree.ms_overflow_pages};
}

Result<bool> ReadCursor::has(ByteSpan key) const {
  MDB_val lookup{key.size(), const_cast<uint8_t*>(key.data())};
  MDB_val value{};
  const int code = mdb_get(transaction_, tree_, &lookup, &value);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_error(code, "store: look for a row");
  return true;
}

}  // namespace limpet::store
