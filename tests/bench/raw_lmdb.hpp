#pragma once

// LMDB as plain as it gets: the limit that the store is held against. It has the store's page size,
// its one unnamed tree, its preallocated file and its full sync, and nothing else. Any failure ends
// the program. Owner: a workload. Thread: one writes; one, perhaps another, calls read().

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "tests/bench/row_store.hpp"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace limpet::bench {

enum class Sync : uint8_t {
  full,           // data, then the meta page: what the store does
  deferred_meta,  // MDB_NOMETASYNC: a power cut may lose the last commit
};

class RawLmdb final : public RowStore {
 public:
  // A new file in `directory`.
  RawLmdb(const std::string& directory, uint64_t map_bytes, Sync sync);
  ~RawLmdb() override;
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;

  void begin() override;
  void append(ByteSpan key, ByteSpan value) override;
  void put(ByteSpan key, ByteSpan value) override;
  void erase(ByteSpan key) override;
  void commit() override;
  void read(ByteSpan from, size_t count_max, const Visitor& visit) override;

  // Visits every row in order; answers how many there are.
  uint64_t scan(const std::function<void(ByteSpan value)>& visit);

 private:
  MDB_env* environment_ = nullptr;
  unsigned tree_ = 0;
  MDB_txn* transaction_ = nullptr;
  MDB_txn* reading_ = nullptr;  // kept between calls of read(): renewing costs no system call
  MDB_cursor* cursor_ = nullptr;
};

}  // namespace limpet::bench
