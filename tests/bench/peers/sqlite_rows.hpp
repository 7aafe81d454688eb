#pragma once

// The rows of a raw queue in a SQLite table, in process: WAL, synchronous=FULL.

#include <memory>

#include "tests/bench/cycle_subject.hpp"

namespace limpet::bench {

// The minimal queue, its one group-commit thread included, on SQLite instead of LMDB.
[[nodiscard]] std::unique_ptr<CycleSubject> make_sqlite_cycle(const CycleOptions& options);

}  // namespace limpet::bench
