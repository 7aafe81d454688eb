#include "tests/bench/raw_lmdb.hpp"

#include <lmdb.h>

#include "platform/files.hpp"
#include "store/lmdb_layout.hpp"
#include "store/seed_file.hpp"
#include "tests/bench/measure.hpp"

namespace limpet::bench {

namespace {

void must(int code, const char* what) {
  if (code != 0) fail(std::string("lmdb: ") + what + ": " + mdb_strerror(code));
}

MDB_val to_value(ByteSpan bytes) { return {bytes.size(), const_cast<uint8_t*>(bytes.data())}; }

}  // namespace

RawLmdb::RawLmdb(const std::string& directory, uint64_t map_bytes, Sync sync) {
  const std::string file = directory + "/raw.mdb";
  if (!platform::replace_file(file, store::make_seed_file()).ok()) fail("cannot write " + file);
  const uint64_t pages = (map_bytes + store::store_page_bytes - 1) / store::store_page_bytes;
  map_bytes = pages * store::store_page_bytes;
  const Result<void> reserved = platform::preallocate(file, map_bytes);
  if (!reserved.ok() && reserved.error().code != ErrorCode::unsupported) {
    fail(to_string(reserved.error()));
  }
  must(mdb_env_create(&environment_), "create");
  must(mdb_env_set_mapsize(environment_, static_cast<size_t>(map_bytes)), "map size");
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
  if (sync == Sync::deferred_meta) flags |= MDB_NOMETASYNC;
  must(mdb_env_open(environment_, file.c_str(), flags, 0640), "open");
  begin();
  must(mdb_dbi_open(transaction_, nullptr, 0, &tree_), "open tree");
  commit();
}

RawLmdb::~RawLmdb() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  if (reading_ != nullptr) mdb_txn_abort(reading_);
  mdb_env_close(environment_);
}

void RawLmdb::begin() { must(mdb_txn_begin(environment_, nullptr, 0, &transaction_), "begin"); }

void RawLmdb::append(ByteSpan key, ByteSpan value) {
  MDB_val at = to_value(key);
  MDB_val what = to_value(value);
  must(mdb_put(transaction_, tree_, &at, &what, MDB_APPEND), "append");
}

void RawLmdb::put(ByteSpan key, ByteSpan value) {
  MDB_val at = to_value(key);
  MDB_val what = to_value(value);
  must(mdb_put(transaction_, tree_, &at, &what, 0), "put");
}

void RawLmdb::erase(ByteSpan key) {
  MDB_val at = to_value(key);
  must(mdb_del(transaction_, tree_, &at, nullptr), "erase");
}

void RawLmdb::commit() { must(mdb_txn_commit(transaction_), "commit"); }

void RawLmdb::read(ByteSpan from, size_t count_max, const Visitor& visit) {
  if (reading_ == nullptr) {
    must(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &reading_), "begin reading");
    must(mdb_cursor_open(reading_, tree_, &cursor_), "cursor");
  } else {
    must(mdb_txn_renew(reading_), "renew");
    must(mdb_cursor_renew(reading_, cursor_), "renew cursor");
  }
  MDB_val key = to_value(from);
  MDB_val value{};
  int code = mdb_cursor_get(cursor_, &key, &value, MDB_SET_RANGE);
  for (size_t count = 0; code == 0 && count < count_max; ++count) {
    visit({static_cast<const uint8_t*>(key.mv_data), key.mv_size},
          {static_cast<const uint8_t*>(value.mv_data), value.mv_size});
    code = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT);
  }
  if (code != 0 && code != MDB_NOTFOUND) must(code, "read");
  mdb_txn_reset(reading_);
}

uint64_t RawLmdb::scan(const std::function<void(ByteSpan value)>& visit) {
  MDB_txn* reading = nullptr;
  MDB_cursor* cursor = nullptr;
  must(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &reading), "begin reading");
  must(mdb_cursor_open(reading, tree_, &cursor), "cursor");
  uint64_t rows = 0;
  MDB_val key{};
  MDB_val value{};
  int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
  for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    visit({static_cast<const uint8_t*>(value.mv_data), value.mv_size});
    ++rows;
  }
  if (code != MDB_NOTFOUND) must(code, "scan");
  mdb_cursor_close(cursor);
  mdb_txn_abort(reading);
  return rows;
}

}  // namespace limpet::bench
