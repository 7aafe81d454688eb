#pragma once

// TaskKeys: remembers under which key a task was queued, so that a producer may send again after a
// lost answer and the task is queued once.
// Owner: Queues. Thread: [main]. Fails with: io (when it is loaded).
// Limits: task_keys_max keys of all queues, within their windows; when the table is full the oldest
// leave early, which `shortened` counts: the promise is then shorter than the window.
//
// A key is a row of its own, put by the change that queues the task: it is there after a restart,
// and only if the task is. Rows that are over are erased by later changes, two at a time.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace limpet::dispatch {

inline constexpr size_t task_keys_max = 16384;

class TaskKeys {
 public:
  [[nodiscard]] static uint64_t hash(uint16_t queue, std::string_view key);

  // Reads the rows back; `window` is the longest of all queues.
  [[nodiscard]] Result<void> load(const store::Reader::Snapshot& snapshot, Duration window,
                                  store::StoreMs now);
  void set_window(Duration window) { window_ms_ = static_cast<uint64_t>(to_ms(window)); }

  // The task queued under this key within `window`, on disk or on its way.
  [[nodiscard]] std::optional<Sequence> find(uint64_t hash, Duration window,
                                             store::StoreMs now) const;
  // In the change that is being built.
  void note(store::Change& change, uint64_t hash, Sequence task);
  void submitted() { open_.clear(); }
  void dropped();

  [[nodiscard]] size_t count() const { return known_.size(); }
  [[nodiscard]] uint64_t shortened() const { return shortened_; }

 private:
  struct Known {
    Sequence task;
    store::StoreMs at = 0;
  };
  struct Noted {
    uint64_t hash = 0;
    Known known;
  };
  struct Touched {
    uint64_t hash = 0;
    std::optional<Known> before;
  };
  void keep(const Noted& noted);
  void forget_oldest();

  uint64_t window_ms_ = 0;
  std::unordered_map<uint64_t, Known> known_;
  std::deque<Noted> order_;       // oldest first
  std::deque<Sequence> expired_;  // rows still to be erased
  std::vector<Touched> open_;     // by the change that is being built
  uint64_t shortened_ = 0;
};

}  // namespace limpet::dispatch
