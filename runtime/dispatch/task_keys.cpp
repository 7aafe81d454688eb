#include "dispatch/task_keys.hpp"

#include <array>

#include "store/queue_record.hpp"

namespace limpet::dispatch {

namespace {

constexpr size_t erase_at_once = 2;

}  // namespace

// FNV-1a, then the finaliser of SplitMix64 so that every bit counts. It is stored, so it never
// changes.
uint64_t TaskKeys::hash(uint16_t queue, std::string_view key) {
  uint64_t hash = 0xcbf29ce484222325u ^ queue;
  for (const char letter : key) hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3u;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  return hash ^ (hash >> 31);
}

Result<void> TaskKeys::load(const store::Reader::Snapshot& snapshot, Duration window,
                            store::StoreMs now) {
  set_window(window);
  const store::Key prefix = store::dedup_prefix();
  return snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<Sequence> task = store::parse_task_dedup_key(key);
    if (!task) return true;
    const std::optional<store::TaskKeyRecord> row = store::parse_task_key_record(value);
    if (!row || row->at + window_ms_ < now) {
      expired_.push_back(*task);
    } else {
      keep({row->hash, {*task, row->at}});
    }
    return true;
  });
}

std::optional<Sequence> TaskKeys::find(uint64_t hash, Duration window, store::StoreMs now) const {
  const auto found = known_.find(hash);
  if (found == known_.end()) return std::nullopt;
  const bool over = found->second.at + static_cast<uint64_t>(to_ms(window)) < now;
  return over ? std::nullopt : std::optional<Sequence>(found->second.task);
}

void TaskKeys::note(store::Change& change, uint64_t hash, Sequence task) {
  const store::StoreMs now = change.hot().store_ms;
  const auto before = known_.find(hash);
  open_.push_back(
      {hash, before == known_.end() ? std::nullopt : std::optional<Known>(before->second)});
  keep({hash, {task, now}});
  std::array<uint8_t, store::task_key_record_bytes> buffer;
  change.put(store::task_dedup_key(task), store::encode_task_key_record({now, hash}, buffer));
  while (!order_.empty() && order_.front().known.at + window_ms_ < now) forget_oldest();
  // A change that is then dropped has erased nothing; the next start finds the row expired again.
  for (size_t count = 0; count < erase_at_once && !expired_.empty(); ++count) {
    change.erase(store::task_dedup_key(expired_.front()));
    expired_.pop_front();
  }
}

void TaskKeys::keep(const Noted& noted) {
  known_.insert_or_assign(noted.hash, noted.known);
  order_.push_back(noted);
  while (order_.size() > task_keys_max) {
    ++shortened_;
    forget_oldest();
  }
}

void TaskKeys::forget_oldest() {
  const Noted oldest = order_.front();
  order_.pop_front();
  expired_.push_back(oldest.known.task);
  const auto entry = known_.find(oldest.hash);
  // The key may have been used again since.
  if (entry != known_.end() && entry->second.task == oldest.known.task) known_.erase(entry);
}

void TaskKeys::dropped() {
  for (auto touched = open_.rbegin(); touched != open_.rend(); ++touched) {
    order_.pop_back();
    const bool kept =
        touched->before && !order_.empty() && order_.front().known.task <= touched->before->task;
    if (kept) {
      known_.insert_or_assign(touched->hash, *touched->before);
    } else {
      known_.erase(touched->hash);
    }
  }
  open_.clear();
}

}  // namespace limpet::dispatch
