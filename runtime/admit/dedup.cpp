#include "admit/dedup.hpp"

#include <algorithm>
#include <span>

#include "admit/hash.hpp"
#include "base/check.hpp"
#include "base/limits.hpp"

namespace limpet::admit {

namespace {

constexpr size_t pack_head_bytes = 6;    // when, in milliseconds
constexpr size_t pack_entry_bytes = 10;  // hash, and the offset from the pack's first sequence
constexpr size_t erase_at_once = 2;
constexpr size_t pack_entries_max =
    (limits::store_part_bytes_max - pack_head_bytes) / pack_entry_bytes;

void put_big_endian(ByteVector& to, uint64_t value, size_t bytes) {
  for (size_t index = bytes; index-- > 0;) to.push_back(static_cast<uint8_t>(value >> (8 * index)));
}

uint64_t get_big_endian(ByteSpan from, size_t offset, size_t bytes) {
  uint64_t value = 0;
  for (size_t index = 0; index < bytes; ++index) value = (value << 8) | from[offset + index];
  return value;
}

// What fits one row; see limits::store_part_bytes_max.
template <class Visit>
void for_each_pack(std::span<const Dedup::Entry> entries, Visit visit) {
  while (!entries.empty()) {
    const size_t count = std::min(entries.size(), pack_entries_max);
    visit(entries.first(count));
    entries = entries.subspan(count);
  }
}

}  // namespace

uint64_t Dedup::hash(std::string_view source, std::string_view id) {
  return hash_text(id, hash_text(source));
}

Result<void> Dedup::load(store::Store& store) {
  const store::StoreMs now = store.now_ms();
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store.reader().snapshot());
  const store::Key prefix = store::dedup_prefix();
  LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<Sequence> first = store::parse_dedup_key(key);
    if (!first || value.size() < pack_head_bytes) return true;
    const store::StoreMs at = get_big_endian(value, 0, pack_head_bytes);
    if (at + dedup_window_ms < now) {
      expired_.push_back(*first);
      return true;
    }
    std::vector<Entry> entries;
    for (size_t offset = pack_head_bytes; offset + pack_entry_bytes <= value.size();
         offset += pack_entry_bytes) {
      entries.push_back(
          {get_big_endian(value, offset, 8), first->plus(get_big_endian(value, offset + 8, 2))});
    }
    if (!entries.empty()) keep(entries, at);
    return true;
  }));
  return {};
}

std::optional<Sequence> Dedup::find(std::string_view source, std::string_view id,
                                    store::StoreMs now) {
  while (!packs_.empty() && packs_.front().at + dedup_window_ms < now) forget_oldest();
  const auto found = entries_.find(hash(source, id));
  if (found == entries_.end()) return std::nullopt;
  ++duplicates_;
  return found->second;
}

void Dedup::write(store::Change& change, const std::vector<Entry>& entries, store::StoreMs now) {
  LIMPET_ASSERT(!entries.empty());
  for_each_pack(entries, [&](std::span<const Entry> pack) {
    const Sequence first = pack.front().sequence;
    ByteVector value;
    value.reserve(pack_head_bytes + pack.size() * pack_entry_bytes);
    put_big_endian(value, now, pack_head_bytes);
    for (const Entry& entry : pack) {
      put_big_endian(value, entry.hash, 8);
      put_big_endian(value, entry.sequence.value() - first.value(), 2);
    }
    change.put(store::dedup_key(first), value);
  });
  // A change that is then refused has erased nothing, and the row is only forgotten here: harmless,
  // the next start reads it as expired again.
  for (size_t count = 0; count < erase_at_once && !expired_.empty(); ++count) {
    change.erase(store::dedup_key(expired_.front()));
    expired_.pop_front();
  }
}

void Dedup::keep(const std::vector<Entry>& entries, store::StoreMs now) {
  for_each_pack(entries, [&](std::span<const Entry> part) {
    Pack pack{part.front().sequence, now, {}};
    for (const Entry& entry : part) {
      entries_.insert_or_assign(entry.hash, entry.sequence);
      pack.hashes.push_back(entry.hash);
    }
    packs_.push_back(std::move(pack));
  });
  while (entries_.size() > dedup_entries_max) {
    shortened_ += packs_.front().hashes.size();
    forget_oldest();
  }
}

void Dedup::forget_oldest() {
  const Pack oldest = std::move(packs_.front());
  packs_.pop_front();
  for (const uint64_t hash : oldest.hashes) {
    // An id that came again after the table was full is a newer pack's now.
    const auto entry = entries_.find(hash);
    const bool newer =
        entry != entries_.end() && !packs_.empty() && entry->second >= packs_.front().first;
    if (entry != entries_.end() && !newer) entries_.erase(entry);
  }
  expired_.push_back(oldest.first);
}

DedupStats Dedup::stats() const { return {entries_.size(), duplicates_, shortened_}; }

}  // namespace limpet::admit
