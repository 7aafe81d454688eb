#pragma once

// Dedup: remembers the (source, id) of the events of the last minutes, so that a producer may send
// again after a lost answer and the event is stored once.
// Owner: the daemon. Thread: [main]. Fails with: io, corrupt (when it is loaded).
// Limits: dedup_entries_max events within dedup_window_ms. When the table is full the oldest leave
// early: `shortened` counts them, because the promise is then shorter than the window.
//
// The table lives in memory; what a change adds is stored with that change as rows ("packs"), and
// is read back at start. Rows older than the window are erased by later changes, two at a time.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace limpet::admit {

inline constexpr size_t dedup_entries_max = 16384;
inline constexpr store::StoreMs dedup_window_ms = 5 * 60 * 1000;

struct DedupStats {
  size_t entries = 0;
  uint64_t duplicates = 0;
  uint64_t shortened = 0;
};

class Dedup {
 public:
  // Reads the packs back. [main, blocking]
  [[nodiscard]] Result<void> load(store::Store& store);

  // The sequence under which this event is already stored, or on its way; nullopt: it is new.
  [[nodiscard]] std::optional<Sequence> find(std::string_view source, std::string_view id,
                                             store::StoreMs now);

  // An event with an id, of a change that is being built.
  struct Entry {
    uint64_t hash = 0;
    Sequence sequence;
  };
  [[nodiscard]] static uint64_t hash(std::string_view source, std::string_view id);
  // Adds the pack's row to `change` and erases expired ones. Call after the change's appends; then,
  // once the change has been submitted, keep(). REQUIRES: entries in order of sequence, not empty.
  void write(store::Change& change, const std::vector<Entry>& entries, store::StoreMs now);
  void keep(const std::vector<Entry>& entries, store::StoreMs now);

  [[nodiscard]] DedupStats stats() const;

 private:
  struct Pack {
    Sequence first;
    store::StoreMs at;
    std::vector<uint64_t> hashes;
  };
  void forget_oldest();

  std::unordered_map<uint64_t, Sequence> entries_;
  std::deque<Pack> packs_;        // oldest first
  std::deque<Sequence> expired_;  // rows still to be erased
  uint64_t duplicates_ = 0;
  uint64_t shortened_ = 0;
};

}  // namespace limpet::admit
