#pragma once

// A 64-bit hash of text for tables in memory and dedup rows. [any, no-alloc]
// FNV-1a (Fowler, Noll, Vo), then the finaliser of SplitMix64 so that every bit counts. Stored in
// the dedup rows, so it must never change. Not proof against someone who wants collisions: who may
// submit events may also submit none.

#include <cstdint>
#include <string_view>

namespace limpet::admit {

[[nodiscard]] constexpr uint64_t hash_text(std::string_view text, uint64_t seed = 0) {
  uint64_t hash = 0xcbf29ce484222325ull ^ seed;
  for (const char character : text) {
    hash = (hash ^ static_cast<uint8_t>(character)) * 0x100000001b3ull;
  }
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
  return hash ^ (hash >> 31);
}

}  // namespace limpet::admit
