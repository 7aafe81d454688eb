#pragma once

// What is on disk of the queues of users, read row by row without the queues' own code, and checked
// against the grammar of runtime/store/FORMAT.md: every row has its event and agrees with it, every
// event that is still owned has its rows, and the counters of the hot record are what a recount
// gives. Owner: a test. Thread: the store's. Limits: for small stores; it reads all of them.
// REQUIRES: nothing is on its way to the disk.

#include <cstdint>
#include <map>
#include <string>

#include "store/store.hpp"
#include "store/task_record.hpp"

namespace limpet::testing {

struct AuditedTask {
  std::string queue;  // the event's subject
  uint16_t number = 0;
  std::string tenant;
  std::string group;
  uint8_t priority = 5;
  store::StoreMs ready_at = 0;
  store::StoreMs expires_at = 0;
  size_t payload_bytes = 0;
  bool ready_row = false;  // else it waits behind others of its group
  store::TaskState state;  // of its ready row, or of its group's
};

struct RowAudit {
  std::string fault;  // the first one; empty: all is consistent
  std::map<uint64_t, AuditedTask> live;
  std::map<uint64_t, AuditedTask> dead;
  std::map<uint64_t, store::DeadLetter> letters;
  std::map<uint64_t, store::StoreMs> wakes;
  std::map<uint64_t, store::StoreMs> expiries;
};

[[nodiscard]] RowAudit check_rows(store::Store& store);

}  // namespace limpet::testing
