#pragma once

// LMDB as plain as it gets: the limit that the store is held against. It has the store's page size,
// its one unnamed tree, its preallocated file and its full sync, and nothing else. Any failure ends
// the program. Owner: a workload. Thread: one at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace limpet::bench {

enum class Sync : uint8_t {
  full,           // data, then the meta page: what the store does
  deferred_meta,  // MDB_NOMETASYNC: a power cut may lose the last commit
};

class RawLmdb {
 public:
  // A new file in `directory`.
  RawLmdb(const std::string& directory, uint64_t map_bytes, Sync sync);
  ~RawLmdb();
  RawLmdb(const RawLmdb&) = delete;
  RawLmdb& operator=(const RawLmdb&) = delete;

  void begin();
  void append(ByteSpan key, ByteSpan value);  // behind all other keys
  void put(ByteSpan key, ByteSpan value);
  void commit();

  // Visits every row in order; answers how many there are.
  uint64_t scan(const std::function<void(ByteSpan value)>& visit);

 private:
  MDB_env* environment_ = nullptr;
  unsigned tree_ = 0;
  MDB_txn* transaction_ = nullptr;
};

}  // namespace limpet::bench
