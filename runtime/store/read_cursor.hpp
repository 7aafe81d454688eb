#pragma once

// ReadCursor: all rows of one tree, in the order of their keys, with their statistics. Private to
// this folder: for walks over a whole stopped store, where no page may be used again meanwhile.
// Owner: one function. Thread: one. Fails with: corrupt, io.

#include <cstdint>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace limpet::store {

struct TreeStatistics {
  uint64_t rows = 0;
  uint64_t pages = 0;
};

class ReadCursor {
 public:
  [[nodiscard]] static Result<ReadCursor> open(MDB_env* environment, unsigned tree);
  ReadCursor(ReadCursor&& other) noexcept
      : tree_(other.tree_),
        transaction_(std::exchange(other.transaction_, nullptr)),
        cursor_(std::exchange(other.cursor_, nullptr)) {}
  ReadCursor& operator=(ReadCursor&&) = delete;
  ~ReadCursor();

  // False: there is none. Views of the row before are still good.
  [[nodiscard]] Result<bool> next();
  [[nodiscard]] ByteSpan key() const { return key_; }
  [[nodiscard]] ByteSpan value() const { return value_; }

  [[nodiscard]] TreeStatistics statistics() const;
  // Is there a row with exactly that key?
  [[nodiscard]] Result<bool> has(ByteSpan key) const;

 private:
  ReadCursor() = default;
  unsigned tree_ = 0;
  MDB_txn* transaction_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  ByteSpan key_;
  ByteSpan value_;
};

}  // namespace limpet::store
