#pragma once

// RowStore: a sorted map on disk with transactions, as plain as it gets: what the raw limits of
// this program are built on. One thread writes; another may read what is committed.
// Owner: a workload. Failures end the program.

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.hpp"

namespace limpet::bench {

class RowStore {
 public:
  using Visitor = std::function<void(ByteSpan key, ByteSpan value)>;

  virtual ~RowStore() = default;
  virtual void begin() = 0;
  virtual void append(ByteSpan key, ByteSpan value) = 0;  // behind all other keys
  virtual void put(ByteSpan key, ByteSpan value) = 0;
  virtual void erase(ByteSpan key) = 0;  // REQUIRES: there is such a row
  virtual void commit() = 0;             // it is on disk when this returns

  // At most `count_max` committed rows with key >= `from`, in order. From one thread, which may be
  // another one than the writer's. Views end with the visit.
  virtual void read(ByteSpan from, size_t count_max, const Visitor& visit) = 0;
};

}  // namespace limpet::bench
