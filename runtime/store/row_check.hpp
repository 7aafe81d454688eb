#pragma once

// RowCheck: takes every row of a store in order and collects what is wrong. Private to this folder;
// verify() is what others call. Owner: verify(). Thread: one.

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "model/run.hpp"
#include "store/hot_record.hpp"
#include "store/keys.hpp"
#include "store/read_cursor.hpp"
#include "store/verify.hpp"

namespace limpet::store {

class RowCheck {
 public:
  // Borrows the cursor, for look-ups, and the report.
  RowCheck(const ReadCursor& rows, const HotRecord& hot, VerifyReport& report)
      : rows_(rows), hot_(hot), report_(report) {}

  void take(ByteSpan key, ByteSpan value);
  // After the last row: what was begun ends, and the counters are compared.
  void finish();

 private:
  void problem(std::string key, std::string text);

  void take_run_row(ByteSpan key, ByteSpan value);
  void take_run(RunId run, ByteSpan value);
  void finish_run();
  void take_ready(ByteSpan key, ByteSpan value);
  void take_inbox_or_group(ByteSpan key, ByteSpan value);
  void take_dead(ByteSpan key, ByteSpan value);
  void take_index(ByteSpan key, ByteSpan value);
  void take_dedup(ByteSpan key, ByteSpan value);
  void take_log(ByteSpan key, ByteSpan value);
  void finish_event();

  void expect_event(Sequence event, const char* who, uint64_t number);
  void expect_run(RunId run, const char* who, uint64_t number);
  void expect_count(const char* what, uint64_t counted, uint64_t said);

  const ReadCursor& rows_;
  const HotRecord& hot_;
  VerifyReport& report_;

  // The run whose rows are being read.
  RunId run_;
  bool run_readable_ = false;
  Run header_;
  uint32_t state_parts_ = 0;

  // The event whose parts are being read.
  Sequence event_;
  ByteVector record_;
  uint32_t parts_ = 0;
  bool event_whole_ = false;

  // Counted.
  uint64_t event_bytes_ = 0;
  std::array<uint64_t, run_state_count> runs_{};
  std::array<uint64_t, UINT8_MAX + 1> classes_{};  // events by class
  std::map<uint16_t, uint64_t> tasks_;             // by queue of users
  std::map<uint16_t, uint64_t> dead_;
};

}  // namespace limpet::store
