#pragma once

// Starts: a small file beside the store in which each opening leaves a line that a clean close
// takes away again. What is found there at the next opening are ends that were not clean: kills,
// crashes, power cuts. Two questions are answered from it:
//   walk_due()        were the last two ends crashes in or soon after opening, or did the store
//                     close because LMDB found it corrupt? LMDB has no page checksums, so a
//                     damaged page may be what kills the process: look first.
//   unclean_recent()  how often in the last ten minutes? The daemon starts paused after three.
//
// Whether a process that has died was inside the store cannot be seen from outside, so every crash
// loop is suspect; a walk that finds nothing is not repeated at once. A power cut (another boot) is
// no crash unless it came while the store was opening.
//
// Cost: one 512-byte write and sync at opening. The later changes of the line are not synced: the
// page cache outlives the process, which is what they tell of; after a power cut they may be lost,
// which makes the answers more careful, not less.
// Owner: Environment. Thread: [main, blocking]. Never fails: what cannot be written is logged.

#include <cstdint>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace limpet::store {

inline constexpr size_t starts_kept_max = 7;
inline constexpr uint64_t starts_window_ms = 10 * 60 * 1000;

enum class StartPhase : uint8_t {
  opening,
  open,
  corrupt,  // it has ended, because LMDB met something that cannot be
};

struct Start {
  uint32_t boot = 0;     // the first digits of the boot's id; 0: unknown
  uint64_t boot_ms = 0;  // since that boot
  uint64_t store_ms = 0;
  StartPhase phase = StartPhase::opening;
  bool walked = false;  // the file was walked at this start, and was whole
  friend bool operator==(const Start&, const Start&) = default;
};

// Pure: `found` are the unclean starts, oldest first; `now` is the one that has just begun.
[[nodiscard]] bool walk_due(const std::vector<Start>& found, const Start& now);
[[nodiscard]] uint32_t count_recent(const std::vector<Start>& found, uint64_t store_ms);

// The file's content, and back; a damaged line ends it. [any]
[[nodiscard]] std::string encode_starts(const std::vector<Start>& starts);
[[nodiscard]] std::vector<Start> parse_starts(std::string_view text);

// What the file in `directory` says; empty: nothing, or it cannot be read. [blocking]
[[nodiscard]] std::vector<Start> read_starts(const std::string& directory);

class Starts {
 public:
  Starts() = default;  // keeps no file
  // Reads what the last starts left and adds a line for this one. REQUIRES: the directory's lock.
  Starts(const std::string& directory, const Start& now, Logger& logger);
  Starts(Starts&& other) noexcept { swap(other); }
  Starts& operator=(Starts&& other) noexcept {
    swap(other);
    return *this;
  }
  // An end that is in order although the store is not: this start's line goes, older ones stay.
  ~Starts();

  [[nodiscard]] bool walk_due() const;
  void walked();                   // the file is whole
  void opened(uint64_t store_ms);  // the first commit went through
  // Unclean ends in the last ten minutes of the store's time.
  [[nodiscard]] uint32_t unclean_recent(uint64_t store_ms) const;
  void closed();   // all is on disk
  void corrupt();  // the store has closed because it is; the next start walks it

 private:
  void swap(Starts& other) noexcept;
  [[nodiscard]] Result<void> write(bool sync) const;
  void write_or_log(bool sync);

  std::string file_;  // empty: keeps none
  std::vector<Start> found_;
  Start now_;
  bool running_ = false;
  Logger* logger_ = nullptr;  // outlives this; null: keeps no file
};

}  // namespace limpet::store
