#include "store/verify.hpp"

#include <algorithm>

#include "store/inspect.hpp"
#include "store/row_check.hpp"
#include "store/stopped_store.hpp"

namespace limpet::store {

namespace {

void break_off(VerifyReport& report, std::string key, std::string text) {
  report.tree_sound = false;
  ++report.problems;
  // It says more than any record does.
  report.first.insert(report.first.begin(), {std::move(key), std::move(text)});
  if (report.first.size() > verify_problems_max) report.first.pop_back();
}

bool ascends(ByteSpan before, ByteSpan key) {
  return std::lexicographical_compare(before.begin(), before.end(), key.begin(), key.end());
}

// False: the tree could not be read to its end.
bool take_rows(ReadCursor& cursor, RowCheck& check, VerifyReport& report) {
  const uint64_t rows_max = cursor.statistics().rows;
  ByteVector before;
  while (true) {
    const Result<bool> more = cursor.next();
    if (!more.ok()) {
      break_off(report, "tree", to_string(more.error()));
      return false;
    }
    if (!*more) break;
    const ByteSpan key = cursor.key();
    // A page that is found twice would be read for ever; its keys are not in order.
    if (report.rows > 0 && !ascends(before, key)) {
      break_off(report, "tree", "its keys are not in order");
      return false;
    }
    before.assign(key.begin(), key.end());
    check.take(key, cursor.value());
  }
  if (report.rows == rows_max) return true;
  break_off(report, "tree",
            "it says that it has " + std::to_string(rows_max) + " rows, and has " +
                std::to_string(report.rows));
  return false;
}

}  // namespace

VerifyReport verify(StoppedStore& store) {
  VerifyReport report;
  Result<ReadCursor> cursor = ReadCursor::open(store.environment(), store.tree());
  if (!cursor.ok()) {
    break_off(report, "tree", to_string(cursor.error()));
    return report;
  }
  RowCheck check(*cursor, store.hot(), report);
  // The counters are worth comparing only with all that there is.
  if (take_rows(*cursor, check, report) && store.has_content()) check.finish();
  const Result<uint64_t> free_pages = check_free_list(store.environment());
  if (free_pages.ok()) {
    report.free_pages = *free_pages;
  } else {
    break_off(report, "free pages", to_string(free_pages.error()));
  }
  return report;
}

}  // namespace limpet::store
